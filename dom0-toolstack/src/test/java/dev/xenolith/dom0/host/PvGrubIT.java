package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.DomainType;
import dev.xenolith.dom0.host.TestHost.TestGuest;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** GRUB as a PV kernel of either width, unmodified, where a distribution has installed it (Debian's grub-xen-bin and grub-common). */
@Tag("image")
@Timeout(600)
class PvGrubIT {
    private static final int MEMORY_KIB = 64 << 10;

    @TempDir
    Path directory = Path.of("");

    /** Has GRUB put an image together that runs {@code script}. */
    private Path image(String platform, String script) throws Exception {
        assumeTrue(Files.isDirectory(Path.of("/usr/lib/grub", platform)), "GRUB for " + platform + " is not installed");
        Path configuration = Files.writeString(directory.resolve("grub.cfg"), script);
        Path image = directory.resolve(platform);
        Process process = new ProcessBuilder("grub-mkstandalone", "-O", platform, "-o", image.toString(),
                "--install-modules=normal echo halt", "boot/grub/grub.cfg=" + configuration)
                .redirectErrorStream(true).redirectOutput(new File("/dev/null")).start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as("grub-mkstandalone").isZero();
        return image;
    }

    @ParameterizedTest
    @ValueSource(strings = {"x86_64-xen", "i386-xen"})
    void runsItsScriptAndHalts(String platform) throws Exception {
        Path kernel = image(platform, "echo this is $grub_cpu on $grub_platform\nhalt\n");
        DomainConfig config = new DomainConfig("grub", new UUID(1, 2), DomainType.PV,
                new DomainConfig.Boot(kernel, null, ""), MEMORY_KIB, MEMORY_KIB, 1, 1, List.of(),
                new DomainConfig.Scheduling(OptionalInt.empty(), OptionalInt.empty()), DomainConfig.Lifecycle.DEFAULT,
                DomainConfig.Limits.DEFAULT, DomainConfig.Devices.NONE);
        try (TestHost host = TestHost.virtual(1)) {
            long free = host.freeKiB();
            TestGuest guest = host.start(config);
            assertThat(guest.awaitEnd()).contains("this is " + platform.replace("-", " on "));
            host.awaitGone(guest.domid);
            assertThat(host.audit()).isEmpty();
            assertThat(host.freeKiB()).isEqualTo(free);
        }
    }
}
