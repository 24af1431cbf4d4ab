package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.translate.Translation;
import dev.xenolith.device.board.ClockMode;
import dev.xenolith.dom0.config.DiskSpec;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.DomainType;
import dev.xenolith.dom0.config.LifecycleAction;
import dev.xenolith.dom0.config.VifSpec;
import dev.xenolith.dom0.disk.DiskFormat;
import dev.xenolith.dom0.disk.DiskImages;
import dev.xenolith.dom0.disk.ImageLocks;
import dev.xenolith.dom0.disk.NewDisk;
import dev.xenolith.dom0.host.TestHost.TestGuest;
import dev.xenolith.dom0.image.Image;
import dev.xenolith.dom0.image.ImageCommand;
import dev.xenolith.dom0.image.ImageStore;
import dev.xenolith.dom0.xl.TestClient;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.Xenolith;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What tests of the unmodified kernel of a distribution share. They pull the image {@code debian} into the build directory; they are skipped
 * where there is no package client, or it cannot fetch anything.
 */
@Tag("image")
@Timeout(1200)
abstract class PvLinux {
    /** What kernels say when the domain is not as they expect it. */
    static final Pattern COMPLAINT = Pattern.compile("(?i).*(warning:|bug:|unchecked msr|unstable|\\bstall|skew"
            + "|call trace|unable to|failed to get|hung|i/o error|disabled for further use).*");

    private static final long MEMORY_KIB = Integer.getInteger("xenolith.memory", 192) << 10;

    /** The image, or {@code debian-generic}. */
    private static final String IMAGE = System.getProperty("xenolith.image", "debian");

    private static final Map<String, String> ENVIRONMENT = new HashMap<>(System.getenv());
    private static Image image;

    @TempDir
    Path directory;

    @BeforeAll
    static void pull() {
        ENVIRONMENT.put("XDG_CACHE_HOME", Path.of("target", "pulled").toAbsolutePath().toString());
        ImageStore store = ImageStore.of(ENVIRONMENT);
        try {
            image = store.get(IMAGE);
        } catch (ToolstackException notYet) {
            TestClient client = new TestClient(Path.of("").toAbsolutePath(), ENVIRONMENT);
            int exitCode = Xenolith.run(List.of("image", "pull", IMAGE), client, () -> {
                throw new AssertionError();
            }, Map.of("image", new ImageCommand(client)));
            Assumptions.assumeTrue(exitCode == 0, client.err().toString(StandardCharsets.UTF_8));
            image = store.get(IMAGE);
        }
    }

    static HostOptions options(int processors, String vendor, long seed) {
        return new HostOptions(processors, 640, HostOptions.CpuVendor.valueOf(vendor), ClockMode.VIRTUAL,
                OptionalLong.of(seed), "", Translation.ON, NetworkOptions.DEFAULT);
    }

    static DomainConfig config(String name, int vcpus, String command, List<DiskSpec> disks) {
        return config(name, vcpus, command, new DomainConfig.Devices(disks, List.of()));
    }

    static DomainConfig config(String name, int vcpus, String command, DomainConfig.Devices devices) {
        return new DomainConfig(name, UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)), DomainType.PV,
                new DomainConfig.Boot(image.kernel(), image.initrd(),
                        image.commandLine() + " panic=-1 -- sh -c \"" + command + "\""),
                MEMORY_KIB, MEMORY_KIB, vcpus, vcpus, List.of(),
                new DomainConfig.Scheduling(OptionalInt.empty(), OptionalInt.empty()),
                new DomainConfig.Lifecycle(LifecycleAction.DESTROY, LifecycleAction.DESTROY, LifecycleAction.DESTROY,
                        LifecycleAction.DESTROY, LifecycleAction.DESTROY),
                DomainConfig.Limits.DEFAULT, devices);
    }

    static String run(TestHost host, DomainConfig config) throws InterruptedException {
        TestGuest guest = host.start(config);
        String said = guest.awaitEnd();
        host.awaitGone(guest.domid);
        assertThat(said.lines()).noneMatch(line -> COMPLAINT.matcher(line).matches());
        return said;
    }

    static DomainConfig.Devices devices(List<DiskSpec> disks, VifSpec... vifs) {
        return new DomainConfig.Devices(disks, List.of(vifs));
    }

    /** Makes an empty image. Returns its path. */
    Path image(String name, DiskFormat format, int mebibytes) throws IOException {
        Path file = directory.resolve(name);
        Files.deleteIfExists(file);
        DiskImages.create(file, NewDisk.of(format, (long) mebibytes << 20), false, new ImageLocks());
        return file;
    }
}
