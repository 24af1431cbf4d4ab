package dev.xenolith.cpu.apic;

import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.cpu.time.TimeScale;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * The local APIC's timer (SDM 3A 11.5.4) as arithmetic on machine time: nothing counts, the counter is computed when read, and
 * the next expiry is known as a deadline. One-shot and periodic count down at 100 MHz over the divisor.
 */
final class ApicTimer {
    /** LVT timer modes, bits 18:17. */
    static final int ONE_SHOT = 0;
    static final int PERIODIC = 1;
    static final int TSC_DEADLINE = 2;
    static final long NEVER = Long.MAX_VALUE;

    /** Nanoseconds of one tick at divisor 1; CPUID leaf 0x15 announces the frequency. */
    private static final long TICK = 10;

    private final MachineClock clock;
    private final TimeScale tsc;

    private int mode;
    private int divide;
    private long initialCount;
    /** Machine time at which the present countdown began. */
    private long start;
    private long tscDeadline;
    /** Added to the machine's ticks to give this processor's TSC. */
    private long tscOffset;
    private long deadline = NEVER;

    ApicTimer(MachineClock clock, TimeScale tsc) {
        this.clock = clock;
        this.tsc = tsc;
    }

    void reset() {
        mode = ONE_SHOT;
        divide = 0;
        stop();
    }

    private void stop() {
        initialCount = 0;
        tscDeadline = 0;
        deadline = NEVER;
    }

    /** Machine time of the next expiry, or {@link #NEVER}. */
    long deadline() {
        return deadline;
    }

    int mode() {
        return mode;
    }

    /** Changing to or from TSC-deadline mode disarms the timer (SDM 3A 11.5.4.1). */
    void setMode(int newMode) {
        if (newMode != mode && (newMode == TSC_DEADLINE || mode == TSC_DEADLINE)) {
            stop();
        }
        mode = newMode;
    }

    int divide() {
        return divide;
    }

    /** Divide configuration: bits 0, 1 and 3. */
    void setDivide(int value) {
        if (deadline == NEVER) {
            divide = value & 0xb;
            return;
        }
        long remaining = currentCount();
        divide = value & 0xb;
        // The counter goes on from where it is.
        start = clock.now() - (initialCount - remaining) * period();
        deadline = start + initialCount * period();
    }

    /** Nanoseconds of one count. */
    private long period() {
        int shift = divide >>> 1 & 4 | divide & 3;
        return TICK << (shift == 7 ? 0 : shift + 1);
    }

    long initialCount() {
        return initialCount;
    }

    /** Starts counting down from {@code count} (32 bits unsigned); 0 stops. Ignored in TSC-deadline mode. */
    void setInitialCount(long count) {
        if (mode == TSC_DEADLINE) {
            return;
        }
        initialCount = count;
        start = clock.now();
        deadline = count == 0 ? NEVER : start + count * period();
    }

    long currentCount() {
        if (mode == TSC_DEADLINE || deadline == NEVER) {
            return 0;
        }
        long left = deadline - clock.now();
        return left <= 0 ? 0 : Math.min((left + period() - 1) / period(), initialCount);
    }

    long tscDeadline() {
        return tscDeadline;
    }

    /** Arms the timer for the TSC value {@code value}, 0 disarms; ignored in other modes (SDM 3A 11.5.4.1). */
    void setTscDeadline(long value) {
        if (mode == TSC_DEADLINE) {
            tscDeadline = value;
            computeTscDeadline();
        }
    }

    private void computeTscDeadline() {
        if (tscDeadline == 0) {
            deadline = NEVER;
        } else {
            long ticks = tscDeadline - tscOffset;
            // Unsigned: a TSC value that the machine cannot reach in 292 years is never.
            deadline = Long.compareUnsigned(tscDeadline, tscNow()) <= 0
                    ? clock.now()
                    : ticks <= 0 ? NEVER : tsc.nanoseconds(ticks);
        }
    }

    long tscNow() {
        return tsc.ticks(clock.now()) + tscOffset;
    }

    /** Sets the TSC; an armed deadline moves with it. */
    void setTsc(long value) {
        tscOffset = value - tsc.ticks(clock.now());
        if (mode == TSC_DEADLINE) {
            computeTscDeadline();
        }
    }

    /** Handles an expiry: whether {@link #deadline} had come; rearms a periodic timer for its next period that lies ahead. */
    boolean expire() {
        long now = clock.now();
        if (now < deadline) {
            return false;
        }
        switch (mode) {
            case PERIODIC -> {
                long cycle = initialCount * period();
                start += (now - start) / cycle * cycle;
                deadline = start + cycle;
            }
            case TSC_DEADLINE -> {
                tscDeadline = 0;
                deadline = NEVER;
            }
            default -> deadline = NEVER;
        }
        return true;
    }

    void save(DataOutput out) throws IOException {
        out.writeInt(mode);
        out.writeInt(divide);
        out.writeLong(initialCount);
        out.writeLong(start);
        out.writeLong(tscDeadline);
        out.writeLong(tscOffset);
        out.writeLong(deadline);
    }

    void restore(DataInput in) throws IOException {
        mode = in.readInt();
        divide = in.readInt();
        initialCount = in.readLong();
        start = in.readLong();
        tscDeadline = in.readLong();
        tscOffset = in.readLong();
        deadline = in.readLong();
    }
}
