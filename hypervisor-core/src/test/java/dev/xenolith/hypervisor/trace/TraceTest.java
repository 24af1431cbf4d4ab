package dev.xenolith.hypervisor.trace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.abi.Hypercall;
import org.junit.jupiter.api.Test;

class TraceTest {
    private final MachineClock clock = new MachineClock();
    private final Trace trace = new Trace(clock, 2);

    @Test
    void nothingIsWantedUntilAMaskIsSet() {
        assertThat(trace.on(TraceClass.ALL)).isFalse();
        trace.setMask(TraceClass.EVENT | TraceClass.TRAP);
        assertThat(trace.on(TraceClass.TRAP)).isTrue();
        assertThat(trace.on(TraceClass.HYPERCALL)).isFalse();
    }

    @Test
    void recordsOfAllProcessorsComeInOrder() {
        trace.setMask(TraceClass.ALL);
        clock.advance(1_203_000);
        trace.record(TraceEvent.HYPERCALL, 0, 3, 1, Hypercall.SCHED_OP, 1, 0);
        trace.record(TraceEvent.IDLE, 1, 32767, 0, 3 << 16 | 1, 0, 0);
        trace.record(TraceEvent.HYPERCALL, 0, 3, 1, Hypercall.MMU_UPDATE, 0x1000, -Errno.EINVAL);
        Trace.Chunk chunk = trace.read(0, 100);
        assertThat(TraceDecoder.count(chunk.records())).isEqualTo(3);
        assertThat(TraceDecoder.line(chunk.records(), 0))
                .isEqualTo("[    0.001203] cpu0 d3v1 hypercall sched_op(0x1) = 0");
        assertThat(TraceDecoder.line(chunk.records(), 1)).endsWith("cpu1 d32767v0 idle after d3v1");
        assertThat(TraceDecoder.line(chunk.records(), 2)).endsWith("mmu_update(0x1000) = -EINVAL");
        assertThat(chunk.next()).isEqualTo(3);
        assertThat(chunk.lost()).isZero();
        assertThat(trace.read(chunk.next(), 100).records()).isEmpty();
        Trace.Chunk second = trace.read(1, 1);
        assertThat(second.next()).isEqualTo(2);
        assertThat(TraceDecoder.classOf(second.records(), 0)).isEqualTo(TraceClass.SCHEDULE);
    }

    @Test
    void overwrittenRecordsAreCounted() {
        trace.setMask(TraceClass.ALL);
        int records = 20_000;
        for (int i = 0; i < records; i++) {
            trace.record(TraceEvent.WAKE, i % 50 == 0 ? 1 : 0, 1, 0, i, 0, 0);
        }
        long position = 0;
        long lost = 0;
        long got = 0;
        while (position < records) {
            Trace.Chunk chunk = trace.read(position, 1000);
            assertThat(chunk.next()).isGreaterThan(position);
            position = chunk.next();
            lost += chunk.lost();
            got += TraceDecoder.count(chunk.records());
        }
        assertThat(position).isEqualTo(records);
        assertThat(lost + got).isEqualTo(records);
        assertThat(lost).isBetween(1L, 20_000L - 8192);
    }

    @Test
    void everythingAtOnceIsWhatTheRingsHold() {
        trace.setMask(TraceClass.ALL);
        int records = 1_000_000;
        for (int i = 0; i < records; i++) {
            trace.record(TraceEvent.WAKE, 0, 1, 0, i, 0, 0);
        }
        Trace.Chunk chunk = trace.read(0, Integer.MAX_VALUE);
        assertThat(TraceDecoder.count(chunk.records())).isEqualTo(8192);
        assertThat(chunk.next()).isEqualTo(records);
        assertThat(chunk.lost()).isEqualTo(records - 8192);
    }

    @Test
    void digestTellsRunsApart() {
        Trace other = new Trace(clock, 2);
        trace.setMask(TraceClass.ALL);
        other.setMask(TraceClass.ALL);
        for (int i = 0; i < 10_000; i++) {
            trace.record(TraceEvent.WAKE, 0, 1, 0, i, 0, 0);
            other.record(TraceEvent.WAKE, 0, 1, 0, i, 0, 0);
        }
        assertThat(other.digest()).isEqualTo(trace.digest());
        other.record(TraceEvent.WAKE, 0, 1, 0, 0, 0, 0);
        trace.record(TraceEvent.WAKE, 1, 1, 0, 0, 0, 0);
        assertThat(other.digest()).isNotEqualTo(trace.digest());
    }
}
