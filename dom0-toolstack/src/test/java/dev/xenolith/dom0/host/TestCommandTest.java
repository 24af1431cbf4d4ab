package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.device.board.Supervisor;
import dev.xenolith.dom0.disk.DiskFormat;
import dev.xenolith.dom0.disk.DiskImages;
import dev.xenolith.dom0.disk.ImageLocks;
import dev.xenolith.dom0.disk.NewDisk;
import dev.xenolith.dom0.lifecycle.DomainListener;
import dev.xenolith.dom0.xl.TestClient;
import dev.xenolith.dom0.xl.Xenolith;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import org.w3c.dom.Element;

/** {@code xenolith test} as it is typed: guests, hosts, table, report, exit code. */
@Timeout(300)
class TestCommandTest {
    @TempDir
    private Path directory = Path.of("");

    private TestClient client = new TestClient(directory, Map.of());

    @BeforeEach
    void client() {
        client = new TestClient(directory, Map.of());
    }

    private int test(String... arguments) {
        return test(BootHooks.NONE, arguments);
    }

    private int test(BootHooks hooks, String... arguments) {
        client.clear();
        List<String> words = Stream.concat(Stream.of("test"), Stream.of(arguments)).toList();
        return Xenolith.run(words, client, () -> {
            throw new AssertionError();
        }, Map.of("test", new TestCommand(client, hooks)));
    }

    private String config(String name, String image, String... lines) throws IOException {
        Path file = directory.resolve(name + ".cfg");
        Files.writeString(file, "name = \"" + name + "\"\nkernel = \"" + TestHost.image(image).toAbsolutePath()
                + "\"\nmemory = 8\n" + String.join("\n", lines) + "\n");
        return file.getFileName().toString();
    }

    @Test
    void passes() throws Exception {
        String events = config("events", "events");
        String smp = config("smp", "smp", "vcpus = 2");
        assertThat(test("--seeds", "2", "--cpu", "both", "--jobs", "2", "--junit", "out/report.xml", events, smp))
                .as("%s", client.outText()).isZero();
        assertThat(client.outText()).containsPattern("events +1 intel pass +[0-9.]+\n")
                .containsPattern("smp +2 amd   pass").contains("8 runs: 8 passed; audits run: 16\n");
        assertThat(client.errText()).isEmpty();
        Element suite = suite("out/report.xml");
        assertThat(suite.getAttribute("tests")).isEqualTo("8");
        assertThat(suite.getAttribute("failures")).isEqualTo("0");
        assertThat(((Element) suite.getElementsByTagName("testcase").item(0)).getAttribute("name"))
                .isEqualTo("events[seed=1, cpu=intel]");
        try (Stream<Path> left = Files.list(directory.resolve("out"))) {
            assertThat(left).hasSize(1);
        }
    }

    @Test
    void failuresSayHowToHaveThemAgain() throws Exception {
        // A guest for two vCPUs that gets one says FAIL.
        String lonely = config("lonely", "transition");
        assertThat(test("--seed", "7", "--junit", "report.xml", lonely)).isEqualTo(1);
        String out = client.outText();
        assertThat(out).containsPattern("lonely +7 intel FAIL .*this test needs vcpus=2 or more")
                .contains("  | VERDICT transition FAIL transitions: this test needs", "1 run: 0 passed, 1 FAIL",
                        "again:   xenolith test --seed 7 --cpu intel " + directory.resolve(lonely));
        assertThat(directory.resolve("lonely.seed7.intel.console.log")).content().contains("VERDICT transition FAIL");
        assertThat(directory.resolve("lonely.seed7.intel.xen.log")).content().contains("Xen");
        Element suite = suite("report.xml");
        assertThat(suite.getAttribute("failures")).isEqualTo("1");
        assertThat(suite.getElementsByTagName("failure").item(0).getTextContent()).contains("vcpus=2");
        assertThat(suite.getElementsByTagName("system-out").item(0).getTextContent()).contains("VERDICT");
    }

    @Test
    void directivesDecide() throws Exception {
        Files.createDirectories(directory.resolve("set"));
        config("set/says", "hello", "# xenolith test: says xen-3.0-x86_64");
        config("set/ends", "hello", "# xenolith test: ends poweroff");
        config("set/wrong", "hello", "# xenolith test: ends crash");
        config("set/shell", "minishell", "# xenolith test: skip nobody types");
        for (Path file : files("set")) {
            Files.writeString(file, Files.readString(file).replace("set/", ""));
        }
        assertThat(test("--list", "set")).isZero();
        assertThat(client.outText()).contains("ends   ends poweroff  (", "shell  skip nobody types  (");
        assertThat(test("set")).isEqualTo(1);
        assertThat(client.outText()).containsPattern("says +1 intel pass").containsPattern("ends +1 intel pass")
                .containsPattern("wrong +1 intel FAIL .*the domain ended by poweroff, expected crash")
                .containsPattern("shell +1 intel skipped +0.00  nobody types")
                .contains("4 runs: 2 passed, 1 FAIL, 1 skipped");
        assertThat(test("--filter", "s*,ends", "set")).isZero();
        // The command line's word counts more; this shell says what it is and waits.
        assertThat(test("--filter", "shell", "--expect", "Type help", "set")).isZero();
    }

    @Test
    void whatHangsIsEnded() throws Exception {
        String shell = config("shell", "minishell");
        assertThat(test("--machine-timeout", "5", "--junit", "r.xml", shell)).isEqualTo(1);
        assertThat(client.outText())
                .containsPattern("shell +1 intel TIMEOUT .*not at its end after 5 s of machine time; "
                        + "vCPU 0 is blocked")
                .contains("--machine-timeout 5 ", "Type help.\n");
        assertThat(suite("r.xml").getAttribute("errors")).isEqualTo("1");
        assertThat(test("--timeout", "1", "--machine-timeout", "9999999",
                config("busy", "torture", "vcpus = 2", "extra = \"seed=1 calls=1000000000\""))).isEqualTo(1);
        assertThat(client.outText()).containsPattern("busy +1 intel TIMEOUT .*after 1 s of host time; vCPU 0 ");
    }

    @Test
    void disksStayAsTheyAre() throws Exception {
        Path disk = directory.resolve("disk.raw");
        DiskImages.create(disk, NewDisk.of(DiskFormat.RAW, 1 << 20), false, new ImageLocks());
        String hello = config("hello", "hello", "disk = [\"" + disk + ",raw,xvda,w\"]",
                "# xenolith test: ends poweroff");
        assertThat(test("--seeds", "4", "--jobs", "4", hello)).as("%s%s", client.outText(), client.errText()).isZero();
        assertThat(Files.readAllBytes(disk)).containsOnly(0);
    }

    @Test
    void defectsOfTheHostFailTheTest() throws Exception {
        String hello = config("hello", "hello", "# xenolith test: ends poweroff");
        assertThat(test(BootHooks.NONE.withSupervisor(OneDefect::new), hello)).isEqualTo(1);
        assertThat(client.outText()).containsPattern("hello +1 intel ERROR .*BUG: ");
        assertThat(test(BootHooks.NONE.withFirst(host -> host.addListener(new Complainer())), hello)).isEqualTo(1);
        assertThat(client.outText()).containsPattern("hello +1 intel ERROR .*BUG: a service complains");
        assertThat(test(BootHooks.NONE.withFailure(step -> true), hello)).isEqualTo(1);
        assertThat(client.outText()).containsPattern("hello +1 intel ERROR .*domain 'hello'");
    }

    @Test
    void runsWithOneSeedAreIdentical() throws Exception {
        String smp = config("smp", "smp", "vcpus = 2");
        long[] digests = new long[2];
        for (int i = 0; i < 2; i++) {
            Host[] host = new Host[1];
            assertThat(test(BootHooks.NONE.withSupervisor(hypervisor -> hypervisor).withFirst(h -> host[0] = h),
                    "--seed", "3", "--cpus", "2", smp)).isZero();
            digests[i] = host[0].hypervisor().traceDigest();
        }
        assertThat(digests[0]).isEqualTo(digests[1]).isNotZero();
    }

    @Test
    void mistakesAreNamed() throws Exception {
        fails("expected configuration files, directories or --all");
        fails("none.cfg: No such file", "none.cfg");
        fails("--cpus: expected 1 to 8, found 9", "--cpus", "9", "--all");
        fails("--seeds: expected", "--seeds", "1,x", "--all");
        fails("--cpu: expected intel, amd or both, found 'vax'", "--cpu", "vax", "--all");
        fails("--translate: expected", "--translate", "sometimes", "--all");
        fails("--expect: '(' is no regular expression", "--expect", "(", "--all");
        fails("--filter: no test is called 'nosuch'", "--filter", "nosuch", "--all");
        fails("# xenolith test: expected 'verdict'", config("odd", "hello", "# xenolith test: perhaps"));
        Files.writeString(directory.resolve("broken.cfg"), "kernel = [\n");
        fails("broken.cfg:", "broken.cfg");
        Files.createDirectories(directory.resolve("empty"));
        fails("no .cfg file in empty", "empty");
    }

    private void fails(String error, String... arguments) {
        assertThat(test(arguments)).isEqualTo(2);
        assertThat(client.errText()).contains(error).hasLineCount(1);
    }

    private List<Path> files(String name) throws IOException {
        try (Stream<Path> files = Files.list(directory.resolve(name))) {
            return files.toList();
        }
    }

    private Element suite(String file) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(directory.resolve(file).toFile())
                .getDocumentElement();
    }

    /** A hypervisor that shows a defect once, when everything has been set up. */
    private static final class OneDefect implements Supervisor {
        private final Supervisor hypervisor;
        private int turns;

        OneDefect(Supervisor hypervisor) {
            this.hypervisor = hypervisor;
        }

        @Override
        public boolean turn(Processor processor, long budget) {
            if (turns++ == 20) {
                throw new IllegalStateException("a defect for the test");
            }
            return hypervisor.turn(processor, budget);
        }

        @Override
        public boolean contain(Processor processor, Throwable bug) {
            return hypervisor.contain(processor, bug);
        }
    }

    /** Logs a defect when it hears of a domain. */
    private static final class Complainer implements DomainListener {
        @Override
        public void created(int domid, String name) {
            LoggerFactory.getLogger(Complainer.class).error("BUG: a service complains of {}", name);
        }

        @Override
        public void shutDown(int domid, int reason) {
            // Nothing.
        }

        @Override
        public void restarted(int domid, int newDomid) {
            // Nothing.
        }

        @Override
        public void destroyed(int domid) {
            // Nothing.
        }
    }
}
