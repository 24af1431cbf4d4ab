package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.xl.TestClient;
import dev.xenolith.dom0.xl.Xenolith;
import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.Checks.Check;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The guest {@code hostile} tries what guests once did to Xen that they should not have been able to do, by way of
 * {@code xenolith test}: the audit finds nothing, the host shows no defect, all memory comes back. docs/security-classes.md says what
 * stands for what.
 */
@Timeout(600)
class HostileClassesTest {
    @TempDir
    private Path directory = Path.of("");

    private void passes(String image, String expectation, String extra, String more, String... options)
            throws IOException {
        TestClient client = new TestClient(directory, Map.of());
        assertThat(run(client, BootHooks.NONE, image, expectation, extra, more, options))
                .as("%s%s", client.outText(), client.errText()).isZero();
    }

    private int run(TestClient client, BootHooks hooks, String image, String expectation, String extra, String more,
            String... options)
            throws IOException {
        Path file = directory.resolve("hostile.cfg");
        Files.writeString(file, "# xenolith test: " + expectation + "\nname = \"hostile\"\nkernel = \""
                + TestHost.image(image).toAbsolutePath() + "\"\nmemory = 8\nvcpus = 2\nextra = \"" + extra + "\"\n"
                + more + "\n");
        List<String> words = Stream
                .concat(Stream.concat(Stream.of("test"), Stream.of(options)), Stream.of(file.toString())).toList();
        return Xenolith.run(words, client, () -> {
            throw new AssertionError();
        }, Map.of("test", new TestCommand(client, hooks)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"hostile", "pae/hostile"})
    void eachCaseIsRefused(String image) throws IOException {
        passes(image, "verdict", "", "", "--seeds", "2", "--cpu", "both", "--jobs", "2");
    }

    @ParameterizedTest
    @EnumSource(value = Check.class, names = {"LINEAR_READ_ONLY", "WRITABLE_TYPE", "L1_OWNER", "QUOTA",
        "LAST_REFERENCE",
        "M2P_UPDATE", "SCRUB"})
    void withoutACheckTheGuestSaysSo(Check check) throws IOException {
        TestClient client = new TestClient(directory, Map.of());
        assertThat(run(client, TestHost.checking(Checks.without(check)), "hostile", "verdict", "", ""))
                .as("%s", client.outText())
                .isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"user", "frame", "stack", "noncanonical", "failsafe", "gates", "root", "events"})
    void onlyTheGuestCrashes(String how) throws IOException {
        passes("hostile", "ends crash", "case=" + how, "", "--cpu", "both");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ring0", "frame", "stack", "segment", "failsafe", "gates", "root", "events"})
    void onlyThe32BitGuestCrashes(String how) throws IOException {
        passes("pae/hostile", "ends crash", "case=" + how, "", "--cpu", "both");
    }

    @ParameterizedTest
    @ValueSource(strings = {"hostile", "pae/hostile"})
    void aHostileDriverOfADisk(String image) throws IOException {
        Path disk = directory.resolve("disk.raw");
        try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
            file.setLength(4 << 20);
        }
        passes(image, "verdict", "disk=1", "disk = [\"" + disk + ",raw,xvda,w\"]");
    }
}
