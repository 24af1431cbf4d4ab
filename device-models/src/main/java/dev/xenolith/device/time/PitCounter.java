package dev.xenolith.device.time;

import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/**
 * One counter of an 8254: what it holds and what OUT is at a given tick, in the six modes of the data sheet. Knows ticks only.
 */
final class PitCounter implements Saveable {
    static final long NEVER = Long.MAX_VALUE;

    private static final int RW_LATCH = 0;
    private static final int RW_LSB = 1;
    private static final int RW_MSB = 2;
    private static final int RW_BOTH = 3;
    private static final int STATUS_OUT = 1 << 7;
    private static final int STATUS_NULL_COUNT = 1 << 6;

    private final String name;
    private int mode;
    private int rw = RW_BOTH;
    private boolean bcd;
    private boolean gate;
    /** A count has been written since the control word. */
    private boolean loaded;
    /** Modes 1 and 5: GATE has triggered since the control word. */
    private boolean triggered;
    /** The count, 1 to 65536 or 10000. */
    private int count = 0x1_0000;
    /** Tick at which the count was (or will be) loaded into the counting element, while it counts. */
    private long origin;
    /** Ticks counted when GATE stopped it. */
    private long counted;
    /** Modes 2 and 3: the count that replaces {@link #count} at tick {@link #nextLoad}, 0 if none. */
    private int nextCount;
    private long nextLoad;
    /** Modes 1 and 5: the count to load at the next trigger. */
    private int register = 0x1_0000;
    private int firstByte;
    private boolean secondWrite;
    private boolean secondRead;
    private boolean latched;
    private int latch;
    private boolean statusLatched;
    private int statusLatch;

    PitCounter(String name, boolean gate) {
        this.name = name;
        this.gate = gate;
    }

    // ---- counting ----------------------------------------------------------------------------------------------------

    private boolean isPeriodic() { return mode == 2 || mode == 3; }

    private boolean isTriggered() { return mode == 1 || mode == 5; }

    private boolean counts() {
        return loaded && (isTriggered() ? triggered : gate);
    }

    /** Takes over a new count of modes 2 and 3 whose time has come. */
    private void update(long tick) {
        if (nextCount != 0 && tick >= nextLoad) {
            // Mode 3 loads at the end of a half cycle: after the first half the new cycle's second half follows.
            boolean half = mode == 3 && Math.floorMod(nextLoad - origin, (long) count) != 0;
            count = nextCount;
            origin = half ? nextLoad - highTicks() : nextLoad;
            nextCount = 0;
        }
    }

    /** Ticks since the count was loaded; negative until the tick after it was written. */
    private long elapsed(long tick) {
        update(tick);
        return counts() ? tick - origin : counted;
    }

    private int highTicks() {
        return (count + 1) / 2;
    }

    boolean output(long tick) {
        if (mode == 0) {
            return loaded && elapsed(tick) >= count;
        }
        if (!counts() && !(mode == 4 && loaded)) {
            return true;
        }
        long elapsed = elapsed(tick);
        if (elapsed < 0) {
            return true;
        }
        return switch (mode) {
            case 1 -> elapsed >= count;
            case 2 -> elapsed % count != count - 1;
            case 3 -> elapsed % count < highTicks();
            default -> elapsed != count;
        };
    }

    /** The first tick after {@code tick} at which OUT rises if nothing is written, or {@link #NEVER}. */
    long nextRise(long tick) {
        if (!counts()) {
            return NEVER;
        }
        long elapsed = elapsed(tick);
        if (isPeriodic()) {
            if (nextCount != 0 && mode == 3 && Math.floorMod(nextLoad - origin, (long) count) != 0) {
                return nextLoad + nextCount - (nextCount + 1) / 2;
            }
            return elapsed < 0 ? origin + count : origin + (elapsed / count + 1) * count;
        }
        long rise = mode == 4 || mode == 5 ? count + 1 : count;
        return elapsed < rise ? origin + rise : NEVER;
    }

    /** What is in the counting element. */
    private int value(long tick) {
        if (!loaded) {
            return 0;
        }
        int modulus = bcd ? 10_000 : 0x1_0000;
        long elapsed = Math.max(elapsed(tick), 0);
        long value = switch (mode) {
            case 2 -> count - elapsed % count;
            case 3 -> {
                long phase = elapsed % count;
                long inHalf = phase < highTicks() ? phase : phase - highTicks();
                yield (count & ~1) - 2 * inHalf;
            }
            default -> count - elapsed;
        };
        int binary = (int) Math.floorMod(value, (long) modulus);
        return bcd ? toBcd(binary) : binary;
    }

    private static int toBcd(int value) {
        return value / 1000 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10;
    }

    private static int fromBcd(int value) {
        return (value >>> 12) * 1000 + (value >>> 8 & 15) * 100 + (value >>> 4 & 15) * 10 + (value & 15);
    }

    void setGate(boolean high, long tick) {
        if (gate == high) {
            return;
        }
        if (!high) {
            counted = elapsed(tick);
            gate = false;
            return;
        }
        gate = true;
        switch (mode) {
            case 0, 4 -> origin = tick - counted;
            case 2, 3 -> {
                if (nextCount != 0) {
                    count = nextCount;
                    nextCount = 0;
                }
                origin = tick + 1;
            }
            default -> {
                count = register;
                origin = tick + 1;
                triggered = true;
            }
        }
    }

    boolean gate() {
        return gate;
    }

    // ---- registers ---------------------------------------------------------------------------------------------------

    /** A control word for this counter. */
    void control(int value, long tick) {
        if ((value >>> 4 & 3) == RW_LATCH) {
            latchCount(tick);
            return;
        }
        rw = value >>> 4 & 3;
        mode = value >>> 1 & 7;
        if (mode > 5) {
            mode -= 4;
        }
        bcd = (value & 1) != 0;
        loaded = false;
        triggered = false;
        counted = 0;
        nextCount = 0;
        secondWrite = false;
        secondRead = false;
        latched = false;
        statusLatched = false;
    }

    /** Latches what is counted; again before it is read does nothing. */
    void latchCount(long tick) {
        if (!latched) {
            latched = true;
            latch = value(tick);
        }
    }

    void latchStatus(long tick) {
        if (!statusLatched) {
            statusLatched = true;
            boolean nullCount = !loaded || nextCount != 0 && tick < nextLoad || counts() && tick < origin
                    || isTriggered() && (!triggered || register != count);
            statusLatch = (output(tick) ? STATUS_OUT : 0) | (nullCount ? STATUS_NULL_COUNT : 0) | rw << 4 | mode << 1
                    | (bcd ? 1 : 0);
        }
    }

    int read(long tick) {
        if (statusLatched) {
            statusLatched = false;
            return statusLatch;
        }
        int value = latched ? latch : value(tick);
        boolean high = rw == RW_MSB || rw == RW_BOTH && secondRead;
        secondRead = rw == RW_BOTH && !secondRead;
        if (!secondRead) {
            latched = false;
        }
        return (high ? value >>> 8 : value) & 0xff;
    }

    void write(int value, long tick) {
        switch (rw) {
            case RW_LSB -> load(value, tick);
            case RW_MSB -> load(value << 8, tick);
            default -> {
                if (secondWrite) {
                    secondWrite = false;
                    load(firstByte | value << 8, tick);
                } else {
                    secondWrite = true;
                    firstByte = value;
                    if (mode == 0) {
                        // The first byte stops counting and OUT goes low.
                        loaded = false;
                    }
                }
            }
        }
    }

    private void load(int written, long tick) {
        int number = bcd ? fromBcd(written) : written;
        int full = number == 0 ? bcd ? 10_000 : 0x1_0000 : number;
        register = full;
        if (isTriggered()) {
            loaded = true;
        } else if (isPeriodic() && counts() && tick >= origin) {
            long elapsed = elapsed(tick);
            long cycle = origin + elapsed / count * count;
            boolean firstHalf = mode == 3 && elapsed % count < highTicks();
            nextCount = full;
            nextLoad = cycle + (firstHalf ? highTicks() : count);
        } else {
            count = full;
            origin = tick + 1;
            counted = 0;
            nextCount = 0;
            loaded = true;
        }
    }

    // ---- state -------------------------------------------------------------------------------------------------------

    @Override
    public String stateName() {
        return name;
    }

    @Override
    public void save(StateWriter out) {
        out.put("mode", mode).put("rw", rw).put("bcd", bcd).put("gate", gate).put("loaded", loaded);
        out.put("triggered", triggered).put("count", count).put("origin", origin).put("counted", counted);
        out.put("nextCount", nextCount).put("nextLoad", nextLoad).put("register", register);
        out.put("firstByte", firstByte).put("secondWrite", secondWrite).put("secondRead", secondRead);
        out.put("latched", latched).put("latch", latch);
        out.put("statusLatched", statusLatched).put("statusLatch", statusLatch);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        mode = in.getInt("mode", 0, 5);
        rw = in.getInt("rw", RW_LSB, RW_BOTH);
        bcd = in.getBoolean("bcd");
        gate = in.getBoolean("gate");
        loaded = in.getBoolean("loaded");
        triggered = in.getBoolean("triggered");
        count = in.getInt("count", 1, 0x1_0000);
        origin = in.getLong("origin");
        counted = in.getLong("counted");
        nextCount = in.getInt("nextCount", 0, 0x1_0000);
        nextLoad = in.getLong("nextLoad");
        register = in.getInt("register", 1, 0x1_0000);
        firstByte = in.getByte("firstByte");
        secondWrite = in.getBoolean("secondWrite");
        secondRead = in.getBoolean("secondRead");
        latched = in.getBoolean("latched");
        latch = in.getInt("latch", 0, 0xffff);
        statusLatched = in.getBoolean("statusLatched");
        statusLatch = in.getByte("statusLatch");
    }
}
