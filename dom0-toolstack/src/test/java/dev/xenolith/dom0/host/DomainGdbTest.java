package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.device.board.ClockMode;
import dev.xenolith.dom0.gdb.RealGdb;
import dev.xenolith.dom0.gdb.TestClient;
import dev.xenolith.dom0.host.TestHost.TestGuest;
import dev.xenolith.dom0.xl.DomainDebugger;
import dev.xenolith.dom0.xl.ToolstackException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Domains on hosts with a virtual clock, and a debugger of theirs. */
@Timeout(180)
class DomainGdbTest {
    private static final int RAX = 0;
    private static final int RSP = 7;
    private static final int RIP = 16;
    private static final InetSocketAddress ANYWHERE = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    /** Where our guests begin: cld; xor %ebp,%ebp; mov %rsi,%rdi; mov %rsp,%rsi; mov $imm32,%rsp; call. */
    private static final long ENTRY = 0xffff_ffff_8000_1000L;
    private static final long CALL = ENTRY + 0x10;
    private static final long VCPU_ENTRY = ENTRY + 0x17;
    private static final long AFTER_CALL = CALL + 5;

    @TempDir
    private Path directory = Path.of("");

    private static DomainDebugger debug(TestHost host, int domid) {
        return host.toolstack.debug(domid, ANYWHERE, false);
    }

    private static long word(TestClient gdb, long address) throws IOException {
        return Long.reverseBytes(Long.parseUnsignedLong(gdb.ask("m" + Long.toHexString(address) + ",8"), 16));
    }

    private static String hex(long value) {
        return Long.toHexString(value);
    }

    @Test
    void registersStepsAndPoints() throws Exception {
        try (TestHost host = TestHost.virtual(1)) {
            int domid = host.toolstack.create(TestHost.config("minishell", TestHost.image("minishell"), "", 1));
            TestGuest guest = new TestGuest(host.toolstack, domid);
            try (DomainDebugger debugger = debug(host, domid); TestClient gdb = new TestClient(debugger.address())) {
                host.toolstack.unpause(domid);
                assertThat(gdb.ask("?")).startsWith("T05thread:1;");
                assertThat(gdb.ask("qfThreadInfo")).isEqualTo("m1");
                assertThat(gdb.register(RIP)).isEqualTo(ENTRY);
                assertThat(gdb.ask("m" + hex(ENTRY) + ",6")).isEqualTo("fc31ed4889f7");
                assertThat(gdb.ask("s")).startsWith("T05thread:1;");
                assertThat(gdb.register(RIP)).isEqualTo(ENTRY + 1);
                assertThat(gdb.ask("vCont;s:1")).startsWith("T05thread:1;");
                assertThat(gdb.register(RIP)).isEqualTo(ENTRY + 3);
                // A breakpoint; the guest's memory is as it was.
                assertThat(gdb.ask("qSupported:swbreak+;hwbreak+")).contains("swbreak+");
                assertThat(gdb.ask("Z0," + hex(CALL) + ",1")).isEqualTo("OK");
                assertThat(gdb.ask("vCont;c")).isEqualTo("T05thread:1;core:0;swbreak:;");
                assertThat(gdb.register(RIP)).isEqualTo(CALL);
                assertThat(gdb.ask("m" + hex(CALL) + ",1")).isEqualTo("e8");
                assertThat(gdb.ask("z0," + hex(CALL) + ",1")).isEqualTo("OK");
                // A watchpoint on what the call pushes.
                long stack = gdb.register(RSP) - 8;
                assertThat(gdb.ask("Z2," + hex(stack) + ",8")).isEqualTo("OK");
                assertThat(gdb.ask("vCont;c")).isEqualTo("T05thread:1;core:0;watch:" + hex(stack) + ";");
                assertThat(gdb.register(RSP)).isEqualTo(stack);
                assertThat(word(gdb, stack)).isEqualTo(AFTER_CALL);
                assertThat(gdb.ask("z2," + hex(stack) + ",8")).isEqualTo("OK");
                // Range stepping ends outside of the range.
                long begin = gdb.register(RIP);
                assertThat(gdb.ask("vCont;r" + hex(begin) + "," + hex(begin + 2) + ":1")).startsWith("T05");
                assertThat(gdb.register(RIP)).matches(rip -> rip < begin || rip >= begin + 2);
                // Registers and memory that are written are what the guest then has.
                long rax = gdb.register(RAX);
                assertThat(gdb.ask("P0=8877665544332211")).isEqualTo("OK");
                assertThat(gdb.register(RAX)).isEqualTo(0x1122_3344_5566_7788L);
                assertThat(gdb.ask("P0=" + "%016x".formatted(Long.reverseBytes(rax)))).isEqualTo("OK");
                assertThat(gdb.ask("M" + hex(stack - 64) + ",2:abcd")).isEqualTo("OK");
                assertThat(gdb.ask("m" + hex(stack - 64) + ",2")).isEqualTo("abcd");
                assertThat(gdb.ask("m7fffffff0000,1")).isEqualTo("E14");
                assertThat(gdb.ask("mffff800000000000,8")).as("the hypervisor's memory").isEqualTo("E14");
                assertThat(gdb.ask("qRcmd,726567697374657273")).isNotEmpty();
                gdb.send("vCont;c");
                guest.await("> ");
                gdb.raw("\u0003");
                assertThat(gdb.receive()).startsWith("T02thread:1;");
                long waiting = gdb.register(RIP);
                assertThat(gdb.ask("Z1," + hex(waiting) + ",1")).isEqualTo("OK");
                gdb.send("vCont;c");
                guest.type("uptime");
                assertThat(gdb.receive()).isEqualTo("T05thread:1;core:0;hwbreak:;");
                assertThat(gdb.register(RIP)).isEqualTo(waiting);
                assertThat(guest.said()).doesNotContain("up ");
                assertThat(gdb.ask("D")).isEqualTo("OK");
                guest.await("upcalls on vCPU 0");
            }
            host.toolstack.destroy(domid);
            assertThat(host.audit()).isEmpty();
        }
    }

    @Test
    void itStandsStillUntilTheDebuggerIsGone() throws Exception {
        try (TestHost host = TestHost.virtual(1)) {
            TestGuest guest = host.start("minishell", "minishell");
            guest.await("> ");
            DomainDebugger debugger = debug(host, guest.domid);
            try {
                assertThat(debugger.address().getPort()).isPositive();
                assertThatThrownBy(() -> debug(host, guest.domid)).isInstanceOf(ToolstackException.class)
                        .hasMessageContaining("a debugger is attached to domain " + guest.domid + " already");
                assertThatThrownBy(() -> debug(host, 0)).hasMessageContaining("it is not a PV domain");
                assertThatThrownBy(() -> debug(host, 77)).hasMessageContaining("77");
                guest.type("uptime");
                TestGuest other = host.start("other", "minishell");
                other.await("> ");
                assertThat(guest.said()).doesNotContain("upcalls");
                // Two are debugged at once, and the one's breakpoints are not the other's.
                try (DomainDebugger second = debug(host, other.domid);
                        TestClient gdb = new TestClient(second.address())) {
                    long rip = gdb.register(RIP);
                    assertThat(gdb.ask("Z0," + hex(rip) + ",1")).isEqualTo("OK");
                    gdb.send("c");
                    debugger.close();
                    guest.await("upcalls on vCPU 0");
                    guest.type("uptime");
                    guest.await("> uptime");
                    other.type("x");
                    assertThat(gdb.receive()).startsWith("T05thread:1;");
                }
                host.toolstack.destroy(other.domid);
            } finally {
                debugger.close();
            }
            debug(host, guest.domid).close();
            host.toolstack.destroy(guest.domid);
            assertThat(host.audit()).isEmpty();
        }
    }

    @Test
    void theEndOfADomainIsTold() throws Exception {
        try (TestHost host = TestHost.virtual(1)) {
            TestGuest guest = host.start("minishell", "minishell");
            guest.await("> ");
            try (DomainDebugger debugger = debug(host, guest.domid)) {
                try (TestClient gdb = new TestClient(debugger.address())) {
                    gdb.send("c");
                    guest.type("halt");
                    assertThat(gdb.receive()).isEqualTo("W00");
                }
                debugger.await();
            }
            host.awaitGone(guest.domid);

            TestGuest doomed = host.start("doomed", "minishell");
            doomed.await("> ");
            try (DomainDebugger debugger = debug(host, doomed.domid);
                    TestClient gdb = new TestClient(debugger.address())) {
                assertThat(gdb.ask("?")).startsWith("T05");
                host.toolstack.destroy(doomed.domid);
                // It was standing still: the debugger is told when it asks, and its questions have answers.
                assertThat(gdb.ask("m" + hex(ENTRY) + ",1")).isEqualTo("E14");
                assertThat(gdb.register(RIP)).isZero();
                assertThat(gdb.ask("vCont;c")).isEqualTo("X09");
            }
            TestGuest last = host.start("last", "minishell");
            try (DomainDebugger debugger = debug(host, last.domid)) {
                host.toolstack.destroy(last.domid);
                debugger.await();
            }
            assertThat(host.audit()).isEmpty();
        }
    }

    @Test
    void aCrashIsLookedAtFirst() throws Exception {
        try (TestHost host = TestHost.virtual(1)) {
            TestGuest guest = host.start("minishell", "minishell");
            guest.await("> ");
            try (DomainDebugger debugger = debug(host, guest.domid);
                    TestClient gdb = new TestClient(debugger.address())) {
                gdb.send("vCont;c");
                guest.type("crash stack");
                assertThat(gdb.receive()).startsWith("T0bthread:1;");
                long rip = gdb.register(RIP);
                assertThat(gdb.ask("m" + hex(rip) + ",4")).hasSize(8);
                assertThat(host.toolstack.domain(guest.domid)).isPresent();
                assertThat(guest.hasEnded()).isFalse();
                assertThat(gdb.ask("vCont;c")).isEqualTo("X0b");
            }
            host.awaitGone(guest.domid);
            assertThat(host.audit()).isEmpty();
        }
    }

    @Test
    void killLetsGoUnlessItIsToDestroy() throws Exception {
        try (TestHost host = TestHost.virtual(1)) {
            TestGuest guest = host.start("minishell", "minishell");
            guest.await("> ");
            try (DomainDebugger debugger = debug(host, guest.domid);
                    TestClient gdb = new TestClient(debugger.address())) {
                gdb.send("k");
                guest.type("uptime");
                guest.await("upcalls on vCPU 0");
            }
            try (DomainDebugger debugger = host.toolstack.debug(guest.domid, ANYWHERE, true);
                    TestClient gdb = new TestClient(debugger.address())) {
                assertThat(gdb.ask("vKill;1")).isEqualTo("OK");
                host.awaitGone(guest.domid);
            }
            assertThat(host.audit()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void vcpusAreThreads(int processors) throws Exception {
        HostOptions plain = TestHost.options(ClockMode.VIRTUAL, 1);
        HostOptions options = new HostOptions(processors, plain.memoryMiB(), plain.cpuModel(), plain.clock(),
                plain.seed(), plain.xenCommandLine());
        try (TestHost host = new TestHost(options, BootHooks.NONE)) {
            int domid = host.toolstack.create(TestHost.config("smp", TestHost.image("smp"), "", 2));
            TestGuest guest = new TestGuest(host.toolstack, domid);
            try (DomainDebugger debugger = debug(host, domid); TestClient gdb = new TestClient(debugger.address())) {
                host.toolstack.unpause(domid);
                assertThat(gdb.ask("qfThreadInfo")).isEqualTo("m1,2");
                // The second is not up yet: its step does not end, and the first stays where it is meanwhile.
                gdb.send("vCont;s:2");
                gdb.raw("\u0003");
                assertThat(gdb.receive()).startsWith("T02");
                assertThat(gdb.ask("Hg1")).isEqualTo("OK");
                assertThat(gdb.register(RIP)).isEqualTo(ENTRY);
                assertThat(gdb.ask("Z0," + hex(VCPU_ENTRY) + ",1")).isEqualTo("OK");
                assertThat(gdb.ask("c")).startsWith("T05thread:2;");
                assertThat(gdb.register(RIP)).isEqualTo(VCPU_ENTRY);
                assertThat(gdb.ask("Hg1")).isEqualTo("OK");
                long first = gdb.register(RIP);
                assertThat(gdb.ask("vCont;s:2")).startsWith("T05thread:2;");
                assertThat(gdb.register(RIP)).isEqualTo(VCPU_ENTRY + 1);
                assertThat(gdb.ask("Hg1")).isEqualTo("OK");
                assertThat(gdb.register(RIP)).isEqualTo(first);
                // One steps while the other runs, and stops at a breakpoint of its own no more.
                assertThat(gdb.ask("vCont;s:2;c")).startsWith("T05thread:2;");
                assertThat(gdb.register(RIP)).isEqualTo(VCPU_ENTRY + 3);
                assertThat(gdb.ask("z0," + hex(VCPU_ENTRY) + ",1")).isEqualTo("OK");
                gdb.send("c");
                assertThat(guest.awaitEnd()).contains("VERDICT smp PASS");
                assertThat(gdb.receive()).isEqualTo("W00");
            }
            assertThat(host.audit()).isEmpty();
        }
    }

    @Test
    void theRealGdb() throws Exception {
        try (TestHost host = TestHost.virtual(1)) {
            int domid = host.toolstack.create(TestHost.config("minishell", TestHost.image("minishell"), "", 1));
            TestGuest guest = new TestGuest(host.toolstack, domid);
            try (DomainDebugger debugger = debug(host, domid)) {
                host.toolstack.unpause(domid);
                String said = RealGdb.run(directory, debugger.address().getPort(), "info threads", "x/2i $pc", "stepi",
                        "break *" + "0x" + hex(CALL), "continue", "stepi", "x/gx $sp", "info registers rip",
                        "print $efer", "detach");
                assertThat(said).contains("vCPU 0 of domain " + domid).contains("=> 0xffffffff80001000:\tcld")
                        .contains("0xffffffff80001001 in ?? ()").contains("Breakpoint 1, 0xffffffff80001010 in ?? ()")
                        .contains("0xffffffff80001015").containsPattern("LMA").contains("[Inferior 1");
                guest.await("> ");
                debugger.await();
            }
            host.toolstack.destroy(domid);
        }
    }

    /** In our 32-bit guests: cld; xor %ebp,%ebp; mov %esp,%eax; mov $imm32,%esp; push %eax; push %esi; call. */
    @Test
    void theRealGdbInA32BitDomain() throws Exception {
        try (TestHost host = TestHost.virtual(1)) {
            int domid = host.toolstack.create(TestHost.config("minishell", TestHost.image("pae/minishell"), "", 1));
            TestGuest guest = new TestGuest(host.toolstack, domid);
            try (DomainDebugger debugger = debug(host, domid)) {
                host.toolstack.unpause(domid);
                String said = RealGdb.run(directory, debugger.address().getPort(), "show architecture", "x/2i $pc",
                        "stepi", "break *0xc000100c", "continue", "watch *(int *) ($esp - 4)", "stepi", "x/wx $esp",
                        "info registers eip cs", "print/x $ebx = 0x80000001", "print/x $ebx", "print $fs_base = 4",
                        "x/wx 0xf5800000", "delete", "detach");
                assertThat(said).contains("\"i386\"").contains("=> 0xc0001000:\tcld")
                        .contains("0xc0001001 in ?? ()").contains("Breakpoint 1, 0xc000100c in ?? ()")
                        .containsPattern("0xc000[0-9a-f]+:\t0xc0001011").containsPattern("cs +0xe019")
                        .contains("$2 = 0x80000001", "Could not write register \"fs_base\"",
                                "Cannot access memory at address 0xf5800000", "[Inferior 1");
                guest.await("> ");
                debugger.await();
            }
            host.toolstack.destroy(domid);
            assertThat(host.audit()).isEmpty();
        }
    }
}
