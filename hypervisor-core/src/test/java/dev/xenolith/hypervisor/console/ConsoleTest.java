package dev.xenolith.hypervisor.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConsoleTest {
    private final List<String> lines = new ArrayList<>();
    private long now;

    private Log log(String commandLine) {
        CommandLine options = CommandLine.parse(commandLine);
        return new Log(options.ringSize(), options.standard(), options.guest(), () -> now, lines::add);
    }

    @Test
    void understandsXensOptions() {
        CommandLine options = CommandLine.parse(
                " sched=credit2 loglvl=all guest_loglvl=error/all dom0_mem=64M,max:128M dom0_max_vcpus=2 conring_size=32k ");
        assertThat(options.scheduler()).isEqualTo("credit2");
        assertThat(options.standard()).isEqualTo(new LogThreshold(LogLevel.DEBUG, LogLevel.DEBUG));
        assertThat(options.guest()).isEqualTo(new LogThreshold(LogLevel.ERROR, LogLevel.DEBUG));
        assertThat(options.dom0MemoryKiB()).hasValue(65536);
        assertThat(options.dom0MaxVcpus()).hasValue(2);
        assertThat(options.ringSize()).isEqualTo(32768);
        assertThat(options.remarks()).singleElement().asString().contains("dom0_mem", "bounds");
    }

    @Test
    void namesWhatItDoesNotUnderstand() {
        CommandLine options = CommandLine
                .parse("frobnicate=1 sched=rtds sched=what loglvl=loud dom0_max_vcpus=99 conring_size=-1");
        assertThat(options.remarks()).hasSize(6);
        assertThat(options.remarks().get(0)).isEqualTo("Unknown command line option 'frobnicate=1'");
        assertThat(options.remarks().get(1)).contains("rtds is not supported yet");
        assertThat(options.scheduler()).isEqualTo("credit2");
    }

    @Test
    void levelsDecide() {
        Log log = log("");
        log.error("e");
        log.warning("w");
        log.info("i");
        assertThat(lines).containsExactly("(XEN) e", "(XEN) w");
        assertThat(log.read(false)).isEqualTo("(XEN) e\n(XEN) w\n");
    }

    @Test
    void aGuestCannotFloodTheLog() {
        Log log = log("");
        for (int i = 0; i < 1000; i++) {
            log.guest(LogLevel.WARNING, "noise " + i);
        }
        log.guest(LogLevel.INFO, "never shown");
        assertThat(lines).hasSize(10);
        now += 6_000_000_000L;
        log.guest(LogLevel.WARNING, "later");
        assertThat(lines).hasSize(12).endsWith("(XEN) printk: 990 messages suppressed.", "(XEN) later");
    }

    @Test
    void controlCharactersDoNotReachTheTerminal() {
        Log log = log("");
        log.print("a\u001b[2Jb\nc\u009b");
        assertThat(lines).containsExactly("(XEN) a.[2Jb.c.");
    }

    @Test
    void theRingKeepsTheNewestWholeLines() {
        ConsoleRing ring = new ConsoleRing(32);
        for (int i = 0; i < 100; i++) {
            ring.write("line " + i + "\n");
        }
        assertThat(ring.read(false)).isEqualTo("line 96\nline 97\nline 98\nline 99\n".substring(8));
        assertThat(ring.read(true)).isNotEmpty();
        assertThat(ring.read(true)).isEmpty();
        ring.write("new\n");
        assertThat(ring.read(false)).isEqualTo("new\n");
    }

    @Test
    void aBugIsPrintedAndCounted() {
        Log log = log("loglvl=none");
        log.bug("d3 made the hypervisor fail", new IllegalStateException("outer", new RuntimeException("inner")));
        assertThat(log.bugs()).isEqualTo(1);
        assertThat(log.read(false)).contains("BUG: d3 made", "outer", "inner", "ConsoleTest");
    }
}
