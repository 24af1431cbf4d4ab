package dev.xenolith.dom0.gdb;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.device.board.Outcome;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The real gdb against a bare machine; skipped where there is none. */
@Timeout(120)
class GdbSessionTest {
    @TempDir
    private Path directory = Path.of("");

    /** Lets gdb connect to {@code machine} and do {@code commands}; returns what it prints. */
    private String gdb(TestMachine machine, String... commands) throws IOException, InterruptedException {
        return RealGdb.run(directory, machine.server.address().getPort(), commands);
    }

    @Test
    void debugs64BitCode() throws Exception {
        try (TestMachine machine = new TestMachine(2, Architecture.X86_64, GdbStubTest.GUEST)) {
            CompletableFuture<Void> told = machine.board.outcome()
                    .thenAcceptAsync(outcome -> machine.server.exited(outcome.code()));
            String said = gdb(machine, "info threads", "x/2i $pc", "stepi", "print/x $rax", "break *0x10020a",
                    "continue", "continue", "print/x $edx", "x/2xb 0x10020a", "print $cr0", "print $efer",
                    "print/x $xmm0.uint128", "hbreak *0x100215", "continue", "delete", "watch *(int*)0x110000",
                    "continue", "delete", "rwatch *(char*)0x110010", "continue", "delete", "info registers eflags",
                    "x/xw 0x7fffffff0000", "monitor registers", "set var *(char*)0x110010 = 1", "set $rbx = 0x110020",
                    "continue");
            assertThat(said).as("threads").contains("Thread 1", "processor 0, running", "Thread 2",
                    "processor 1, waits for a start-up IPI");
            assertThat(said).as("disassembly").contains("=> 0x100200:\tmov    $0x1,%eax")
                    .contains("0x100205:\tmov    $0x110000,%ebx");
            assertThat(said).as("the step").contains("0x0000000000100205 in ?? ()").contains("$1 = 0x1\n");
            assertThat(said).as("the breakpoint").contains("Thread 1 hit Breakpoint 1, 0x000000000010020a in ?? ()")
                    .contains("$2 = 0x389c001\n").contains("0x10020a:\t0x01\t0xc0");
            assertThat(said).as("system registers").containsPattern("\\$3 = \\[ .*PG.* \\]")
                    .containsPattern("\\$4 = \\[ .*LMA.* \\]").contains("$5 = 0x0\n");
            assertThat(said).as("the hardware breakpoint").contains("Breakpoint 2, 0x0000000000100215 in ?? ()");
            assertThat(said).as("the watchpoint").contains("Hardware watchpoint 3: *(int*)0x110000", "Old value = ",
                    "New value = ");
            assertThat(said).as("the read watchpoint").contains("Hardware read watchpoint 4: *(char*)0x110010",
                    "Value = 0 ");
            assertThat(said).contains("eflags ").contains("Cannot access memory at address 0x7fffffff0000")
                    .contains("processor 0  RIP=");
            assertThat(machine.outcome()).isEqualTo(new Outcome(Outcome.Kind.DEBUG_EXIT, 15, ""));
            told.join();
            assertThat(said).as("the end").contains("[Inferior 1 (Remote target) exited with code 017]");
        }
    }

    @Test
    void debugs32BitCode() throws Exception {
        try (TestMachine machine = new TestMachine(1, Architecture.I386, GdbStubTest.GUEST)) {
            String said = gdb(machine, "stepi", "print/x $eax", "break *0x10020a", "continue", "print/x $eip",
                    "info registers cs", "print $cr0", "kill");
            assertThat(said).contains("0x00100205 in ?? ()").contains("$1 = 0x1\n")
                    .contains("Breakpoint 1, 0x0010020a in ?? ()").contains("$2 = 0x10020a\n").contains("cs ")
                    .containsPattern("\\$3 = \\[ .*PE.* \\]");
            assertThat(machine.outcome().kind()).isEqualTo(Outcome.Kind.STOPPED);
        }
    }

    @Test
    void aGdbThatIsKilledLeavesTheMachineRunning() throws Exception {
        try (TestMachine machine = new TestMachine(1, Architecture.X86_64, GdbStubTest.GUEST)) {
            gdb(machine, "break *0x10020a", "continue", "set var *(char*)0x110010 = 1", "shell kill -KILL $PPID");
            assertThat(machine.outcome().kind()).isEqualTo(Outcome.Kind.DEBUG_EXIT);
        }
    }
}
