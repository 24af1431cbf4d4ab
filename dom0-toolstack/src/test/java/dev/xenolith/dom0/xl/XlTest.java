package dev.xenolith.dom0.xl;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Standard output and exit codes as in the transcript of the real xl; error texts are ours. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class XlTest {
    private static final UUID PV1 = UUID.fromString("11111111-2222-3333-4444-555555555555");
    private static final String HEADER = "Name                                        ID   Mem VCPUs\tState\tTime(s)";

    @TempDir
    Path directory;

    private final FakeToolstack toolstack = new FakeToolstack();
    private TestClient client = new TestClient(Path.of("/"));

    @BeforeEach
    void makeConfig() throws Exception {
        Files.createFile(directory.resolve("vmlinuz"));
        Files.createFile(directory.resolve("initrd"));
        Files.writeString(directory.resolve("pv.cfg"), """
                name = "pv1"
                uuid = "11111111-2222-3333-4444-555555555555"
                type = "pv"
                kernel = "vmlinuz"
                ramdisk = "initrd"
                extra = "console=hvc0"
                memory = 256
                maxmem = 320
                """);
    }

    private int xl(String... arguments) {
        client = new TestClient(directory);
        return Xl.run(List.of(arguments), client, () -> toolstack);
    }

    private void putPv1(@Nullable ShutdownReason reason, boolean paused) {
        toolstack.put(
                new DomainInfo(4, "pv1", PV1, 262144, 327680, 1, false, reason == null, paused, false, reason, "Pool-0",
                        256, 0, 7_200_000_000L, 86_400_000_000_000L + 3_723_000_000_000L));
    }

    @Test
    void helpListsWhatExistsInTheRealLayout() {
        assertThat(xl()).isEqualTo(1);
        String help = client.outText();
        assertThat(help).startsWith("""
                Usage xl [-vfNtT] <subcommand> [args]

                xl full list of subcommands:

                 create              Create a domain from config file <filename>
                 list                List information about all/some domains
                """).contains("\n dmesg               Read and/or clear dmesg buffer\n").doesNotContain("migrate");
        assertThat(xl("help")).isZero();
        assertThat(client.outText()).isEqualTo(help);
    }

    @Test
    void helpOfACommandIsTheRealOne() {
        assertThat(xl("list", "--help")).isZero();
        assertThat(client.outText()).isEqualTo("""
                Usage: xl [-vtT] list [options] [Domain]


                List information about all/some domains.

                Options:

                -l, --long              Output all VM details
                -v, --verbose           Prints out UUIDs and security context
                -Z, --context           Prints out security context
                -c, --cpupool           Prints the cpupool the domain is in
                -n, --numa              Prints out NUMA node affinity
                """);
        assertThat(xl("help", "create")).isZero();
        assertThat(client.outText()).startsWith("""
                Usage: xl [-vtTfN] create <ConfigFile> [options] [vars]

                Create a domain from config file <filename>.

                Options:

                -c                      Connect to the console after the domain is created.
                """).endsWith("--ignore-global-affinity-masks Ignore global masks in xl.conf.\n");
    }

    @Test
    void mistakesHaveTheRealExitCodes() {
        assertThat(xl("bogus")).isEqualTo(1);
        assertThat(client.errText()).isEqualTo("xl: 'bogus' is no command; see 'xl help'\n");
        assertThat(xl("lsit")).isEqualTo(1);
        assertThat(client.errText()).isEqualTo("xl: 'lsit' is no command; did you mean 'list'?\n");
        assertThat(xl("migrate", "a", "b")).isEqualTo(1);
        assertThat(client.errText()).isEqualTo("xl: 'migrate' is not supported yet\n");
        assertThat(xl("list", "--bad")).isEqualTo(2);
        assertThat(client.errText()).isEqualTo("xl: list: option '--bad' not supported\n");
        assertThat(xl("destroy")).isEqualTo(2);
        assertThat(client.errText()).startsWith("xl: destroy: requires at least 1 argument");
        assertThat(xl("rename", "a")).isEqualTo(2);
        assertThat(xl("-x", "list")).isEqualTo(1);
        assertThat(xl("-N", "list")).isEqualTo(1);
        for (String command : List.of("list", "console", "destroy", "shutdown", "pause", "unpause", "reboot", "domid",
                "vcpu-list", "uptime")) {
            assertThat(xl(command, "nosuch")).as(command).isEqualTo(1);
            assertThat(client.errText()).as(command).endsWith("xl: domain 'nosuch' does not exist\n");
            assertThat(client.outText()).as(command).isEmpty();
        }
        assertThat(xl("domname", "77")).isEqualTo(1);
        assertThat(xl("domname", "x")).isEqualTo(1);
        assertThat(xl("destroy", "0")).isEqualTo(1);
        assertThat(xl("shutdown")).isEqualTo(1);
        assertThat(toolstack.log()).isEmpty();
    }

    @Test
    void list() {
        assertThat(xl("list")).isZero();
        assertThat(client.outText()).isEqualTo(HEADER + "\n"
                + "Domain-0                                     0   768     1     r-----      17.0\n");
        putPv1(null, false);
        assertThat(xl("li", "pv1")).isZero();
        assertThat(client.outText()).isEqualTo(HEADER + "\n"
                + "pv1                                          4   256     1     -b----       7.2\n");
        putPv1(null, true);
        assertThat(xl("list", "4")).isZero();
        assertThat(client.outText()).endsWith("     1     -bp---       7.2\n");
        putPv1(ShutdownReason.POWEROFF, false);
        xl("list", "4");
        assertThat(client.outText()).endsWith("     1     ---s--       7.2\n");
        putPv1(ShutdownReason.CRASH, false);
        xl("list", "4");
        assertThat(client.outText()).endsWith("     1     ---sc-       7.2\n");
        assertThat(xl("list", "a", "b")).isEqualTo(1);
    }

    @Test
    void listVerbose() {
        putPv1(ShutdownReason.CRASH, false);
        assertThat(xl("list", "-v")).isZero();
        assertThat(client.outText()).isEqualTo(HEADER
                + "   UUID                            Reason-Code\tSecurity Label\n"
                + "Domain-0                                     0   768     1     r-----      17.0 "
                + "00000000-0000-0000-0000-000000000000        -                -\n"
                + "pv1                                          4   256     1     ---sc-       7.2 "
                + "11111111-2222-3333-4444-555555555555        3                -\n");
        assertThat(xl("list", "-cn", "0")).isZero();
        assertThat(client.outText()).isEqualTo(HEADER + "         Cpupool NODE Affinity\n"
                + "Domain-0                                     0   768     1     r-----      17.0          Pool-0 all\n");
    }

    @Test
    void listLong() {
        assertThat(xl("create", "pv.cfg", "-q")).isZero();
        assertThat(xl("list", "-l")).isZero();
        assertThat(client.outText()).startsWith("""
                [
                    {
                        "domid": 0,
                        "config": {
                            "c_info": {
                                "type": "pv",
                                "name": "Domain-0"
                            },
                            "b_info": {
                                "max_memkb": 17179869180,
                                "target_memkb": 786432,
                                "sched_params": {
                                    "sched": "credit2",
                                    "weight": 256,
                                    "cap": 0
                                },
                                "type.pv": {

                                },
                                "arch_arm": {

                                },
                                "arch_x86": {

                                }
                            }
                        }
                    },
                    {
                        "domid": 4,
                        "config": {
                            "c_info": {
                                "type": "pv",
                                "name": "pv1",
                                "domid": 4294967295,
                                "uuid": "11111111-2222-3333-4444-555555555555",
                                "run_hotplug_scripts": "True"
                            },
                """).endsWith("""
                            "on_reboot": "restart",
                            "on_soft_reset": "soft_reset"
                        }
                    }
                ]

                """).contains("""
                                "target_memkb": 262144,
                                "video_memkb": 0,
                                "sched_params": {
                                    "sched": "credit2",
                """).contains("\"msr_relaxed\": \"False\"");
    }

    @Test
    void info() {
        assertThat(xl("info")).isZero();
        assertThat(client.outText()).isEqualTo("""
                host                   : (none)
                release                : 6.1.0-56-amd64
                version                : #1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16)
                machine                : x86_64
                nr_cpus                : 1
                max_cpu_id             : 0
                nr_nodes               : 1
                cores_per_socket       : 1
                threads_per_core       : 1
                cpu_mhz                : 2445.429
                hw_caps                : 0fcbf3fd:f6d8320b:ec500800:00000075:00000005:01884329:0000020c:00000000
                virt_caps              : pv hvm hap gnttab-v1 gnttab-v2
                total_memory           : 2047
                free_memory            : 1256
                sharing_freed_memory   : 0
                sharing_used_memory    : 0
                outstanding_claims     : 0
                free_cpus              : 0
                xen_major              : 4
                xen_minor              : 17
                xen_extra              : .7
                xen_version            : 4.17.7
                xen_caps               : xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64
                xen_scheduler          : credit2
                xen_pagesize           : 4096
                platform_params        : virt_start=0xffff800000000000
                xen_changeset          :
                xen_commandline        : com1=115200,8n1 console=com1 dom0_mem=768M noreboot=1 sched=credit2
                cc_compiler            : x86_64-linux-gnu-gcc (Debian 12.2.0-14+deb12u1) 12.2.0
                cc_compile_by          : pkg-xen-devel
                cc_compile_domain      : example.org
                cc_compile_date        : Wed Nov  4 16:52:28 UTC 2026
                build_id               : 151b373fd64b321593bf987fd923cd10dabadac4
                xend_config_format     : 4
                """);
        assertThat(xl("info", "-n")).isZero();
        assertThat(client.outText()).contains("""
                free_cpus              : 0
                cpu_topology           :
                cpu:    core    socket     node
                  0:       0        0        0
                device topology        :
                device           node
                No device topology data available
                numa_info              :
                node:    memsize    memfree    distances
                   0:      2047       1256      10
                xen_major              : 4
                """);
        assertThat(xl("info", "free_memory")).isZero();
        assertThat(client.outText()).isEqualTo("1256\n");
    }

    @Test
    void tablesAndNames() {
        putPv1(null, false);
        assertThat(xl("vcpu-list")).isZero();
        assertThat(client.outText()).isEqualTo("""
                Name                                ID  VCPU   CPU State   Time(s) Affinity (Hard / Soft)
                Domain-0                             0     0    0   r--      17.0  all / all
                pv1                                  4     0    0   -b-       7.2  all / all
                """);
        assertThat(xl("uptime")).isZero();
        assertThat(client.outText()).isEqualTo("""
                Name                                ID Uptime
                Domain-0                             0  0:00:18
                pv1                                  4 1 day,  1:02:03
                """);
        assertThat(xl("uptime", "-s", "Domain-0")).isZero();
        assertThat(client.outText()).isEqualTo(" 08:54:08 up  0:00, Domain-0 (0)\n");
        assertThat(xl("vm-list")).isZero();
        assertThat(client.outText()).isEqualTo("""
                UUID                                  ID    name
                00000000-0000-0000-0000-000000000000  0    Domain-0
                11111111-2222-3333-4444-555555555555  4    pv1
                """);
        assertThat(xl("domid", "pv1")).isZero();
        assertThat(client.outText()).isEqualTo("4\n");
        assertThat(xl("domname", "4")).isZero();
        assertThat(client.outText()).isEqualTo("pv1\n");
        assertThat(xl("rename", "pv1", "pv2")).isZero();
        assertThat(xl("domid", "pv2")).isZero();
        assertThat(xl("rename", "pv2", "a b")).isEqualTo(1);
        assertThat(client.errText()).isEqualTo(
                "xl: rename: the name \"a b\" contains U+0020; legal are letters, digits and - _ . : @ + ~\n");
        assertThat(xl("dmesg", "-c")).isZero();
        assertThat(client.outText()).isEqualTo("(XEN) Xen version 4.17.7\n(XEN) Freed 656kB init mem\n");
        assertThat(xl("dmesg")).isZero();
        assertThat(client.outText()).isEmpty();
    }

    @Test
    void aDomainThatGoesWhileAllAreListedEndsNoCommand() {
        putPv1(null, false);
        toolstack.goWhileListed(4);
        assertThat(xl("list", "-l")).isZero();
        assertThat(client.outText()).contains("Domain-0").doesNotContain("pv1");
        assertThat(xl("list", "-n")).isZero();
        assertThat(xl("vcpu-list")).isZero();
        assertThat(client.outText()).contains("Domain-0").doesNotContain("pv1");
    }

    @Test
    void createSaysWhatIsWrongWithTheConfig() throws Exception {
        assertThat(xl("create")).isEqualTo(6);
        assertThat(xl("create", "/nonexistent.cfg")).isEqualTo(3);
        assertThat(client.errText())
                .isEqualTo("xl: failed to read config file: /nonexistent.cfg: No such file or directory\n");
        assertThat(xl("create", ".")).isEqualTo(3);
        assertThat(new ProcessBuilder("mkfifo", directory.resolve("pipe").toString()).start().waitFor()).isZero();
        assertThat(xl("create", "pipe")).isEqualTo(3);
        assertThat(client.errText())
                .isEqualTo("xl: failed to read config file: pipe: is a device or a pipe, not a file\n");
        assertThat(xl("create", "/dev/zero")).isEqualTo(3);
        assertThat(xl("create", "-n", "/dev/null", "name=\"all-here\"", "kernel=\"/dev/null\"")).isZero();
        assertThat(xl("create", "pv.cfg", "other.cfg")).isEqualTo(2);
        Files.writeString(directory.resolve("bad.cfg"), "name=\n");
        assertThat(xl("create", "bad.cfg")).isEqualTo(1);
        assertThat(client.errText()).isEqualTo("Parsing config from bad.cfg\n"
                + "xl: bad.cfg:1:6: expected a string, a number or '[', found the end of the line\n");
        assertThat(xl("create", "/dev/null")).isEqualTo(1);
        assertThat(client.errText()).contains("name: expected a name for the domain, found none");
        assertThat(xl("create", "-q", "pv.cfg", "kernel=\"none\"")).isEqualTo(3);
        assertThat(client.errText())
                .isEqualTo("xl: command line:1: kernel: no such file: " + directory.resolve("none") + "\n");
        toolstack.refuseCreation(new ToolstackException(3, "cannot create pv1: domain 5 is called pv1 already"));
        assertThat(xl("create", "-q", "pv.cfg")).isEqualTo(3);
        assertThat(client.errText()).isEqualTo("xl: cannot create pv1: domain 5 is called pv1 already\n");
        assertThat(toolstack.log()).isEmpty();
    }

    @Test
    void createDoesAsItIsTold() {
        assertThat(xl("create", "pv.cfg", "vfb=['']")).isZero();
        assertThat(client.outText()).isEmpty();
        assertThat(client.errText()).isEqualTo(
                "Parsing config from pv.cfg\ncommand line:1: warning: vfb: not supported yet, ignored\n");
        assertThat(xl("create", "-p", "-f", directory.resolve("pv.cfg").toString(), "name=second")).isZero();
        assertThat(toolstack.log()).containsExactly("create pv1", "unpause 4", "create second");
        for (String[] dry : new String[][]{{"create", "-n", "pv.cfg"}, {"-N", "create", "pv.cfg"}}) {
            assertThat(xl(dry)).isZero();
            assertThat(client.outText()).startsWith("{\n    \"c_info\": {\n        \"type\": \"pv\",").endsWith("}\n");
            assertThat(client.errText()).isEqualTo("Parsing config from pv.cfg\n");
        }
        assertThat(toolstack.log()).hasSize(3);
    }

    @Test
    void createAttachesBeforeTheFirstInstruction() {
        client = new TestClient(directory);
        client.input("help\nbye");
        assertThat(Xl.run(List.of("create", "-cq", "pv.cfg"), client, () -> toolstack)).isZero();
        assertThat(client.outText()).isEqualTo("hello from pv1\r\nHELP\nBYE");
        assertThat(toolstack.log()).containsExactly("create pv1", "attach 4", "unpause 4", "destroy 4", "detach 4");
    }

    @Test
    void consoleEndsAtTheEscapeCharacterAndNotAtTheEndOfInput() throws Exception {
        putPv1(null, false);
        client = new TestClient(directory);
        client.input("ls\u001dignored");
        assertThat(Xl.run(List.of("console", "pv1"), client, () -> toolstack)).isZero();
        assertThat(toolstack.log()).containsExactly("attach 4", "detach 4");

        TestClient silent = new TestClient(directory);
        CompletableFuture<Integer> ended = CompletableFuture
                .supplyAsync(() -> Xl.run(List.of("console", "pv1"), silent, () -> toolstack));
        while (toolstack.log().size() < 3) {
            Thread.onSpinWait();
        }
        assertThat(ended).isNotDone();
        toolstack.stop(4, ShutdownReason.POWEROFF, false);
        assertThat(ended.get()).isZero();
        assertThat(xl("console", "-t", "serial", "Domain-0")).isEqualTo(1);
        assertThat(xl("console", "-n", "1", "Domain-0")).isEqualTo(1);
        assertThat(xl("console", "-e", "abc", "Domain-0")).isEqualTo(1);
    }

    @Test
    void foregroundFollowsTheDomainToItsEnd() throws Exception {
        CompletableFuture<Integer> ended = CompletableFuture.supplyAsync(() -> xl("create", "-Fq", "pv.cfg"));
        while (!toolstack.log().contains("unpause 4")) {
            Thread.onSpinWait();
        }
        toolstack.stop(4, ShutdownReason.CRASH, false);
        assertThat(ended.get()).isZero();
        assertThat(client.errText()).isEqualTo("""
                Waiting for domain pv1 (domid 4) to die
                Domain 4 has shut down, reason code 3 0x3
                Action for shutdown reason code 3 is destroy
                Domain 4 has been destroyed.
                """);
    }

    @Test
    void shutdownWaits() {
        putPv1(null, false);
        assertThat(xl("shutdown", "-w", "pv1")).isZero();
        assertThat(client.outText()).isEmpty();
        assertThat(client.errText()).isEqualTo("""
                Shutting down domain 4
                Waiting for 1 domains
                Domain 4 has been shut down, reason code 0
                """);
        putPv1(null, false);
        assertThat(xl("reboot", "-a", "-ww")).isZero();
        assertThat(client.errText()).contains("Rebooting domain 4", "Domain 4 has been destroyed");
        assertThat(xl("shutdown", "-a")).isZero();
        assertThat(toolstack.log()).containsExactly("POWEROFF 4", "destroy 4", "REBOOT 4", "destroy 4");
    }

    @Test
    void interruptCancelsACommand() throws Exception {
        putPv1(null, false);
        TestClient waiting = new TestClient(directory);
        CompletableFuture<Integer> ended = new CompletableFuture<>();
        Thread thread = Thread.ofVirtual()
                .start(() -> ended.complete(Xl.run(List.of("console", "pv1"), waiting, () -> toolstack)));
        while (!toolstack.log().contains("attach 4")) {
            Thread.onSpinWait();
        }
        thread.interrupt();
        assertThat(ended.get()).isEqualTo(130);
        assertThat(toolstack.log()).containsExactly("attach 4", "detach 4");
    }

    @Test
    void bugsInTheToolstackAreReportedAndEndOnlyTheCommand() {
        client = new TestClient(directory);
        assertThat(Xl.run(List.of("list"), client, () -> {
            throw new IllegalStateException("boom");
        })).isEqualTo(1);
        assertThat(client.errText()).startsWith("xl: BUG: java.lang.IllegalStateException: boom");
    }
}
