package dev.xenolith.device.time;

import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.Clock;
import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/**
 * The MC146818 real-time clock and its 128 bytes of CMOS RAM (Motorola, "MC146818 Real-Time Clock Plus RAM"), behind an index and a
 * data register (82371SB, 2.5.7). The century is in byte 0x32.
 *
 * <p>Flags are found when register C is read, so that a clock whose interrupts are off costs nothing. The daylight saving bit is
 * kept and does nothing; there is no square wave to be seen.
 */
public final class Rtc implements ByteRegisters, Saveable {
    /** Registers. */
    public static final int REGISTER_A = 0x0a;
    public static final int REGISTER_B = 0x0b;
    public static final int REGISTER_C = 0x0c;
    public static final int REGISTER_D = 0x0d;

    private static final int SIZE = 128;
    private static final int SECONDS_ALARM = 1;
    private static final int MINUTES_ALARM = 3;
    private static final int HOURS_ALARM = 5;
    /** From this value on an alarm register matches anything. */
    private static final int DONT_CARE = 0xc0;

    private static final int A_UIP = 1 << 7;
    private static final int A_DV = 7 << 4;
    private static final int A_DV_RESET = 6 << 4;
    private static final int A_DV_32768_HZ = 2 << 4;
    private static final int A_RS = 15;
    private static final int A_RS_1024_HZ = 6;
    private static final int B_SET = 1 << 7;
    private static final int B_UIE = 1 << 4;
    private static final int B_INTERRUPTS = 7 << 4;
    private static final int B_DM = 1 << 2;
    private static final int B_24_HOURS = 1 << 1;
    private static final int C_IRQF = 1 << 7;
    private static final int C_PF = 1 << 6;
    private static final int C_AF = 1 << 5;
    private static final int C_UF = 1 << 4;
    private static final int D_VRT = 1 << 7;

    private static final long SECOND = 1_000_000_000;
    private static final long DAY = 86_400;
    /** tBUC and tUC of the data sheet: UIP is set 244 us before an update, which takes 1984 us. */
    private static final long UPDATE_IN_PROGRESS = (244 + 1984) * 1000L;

    private final Clock clock;
    private final InterruptLine irq;
    private final Clock.Timer event;
    private final Frequency oscillator = new Frequency(32_768);
    private final byte[] ram = new byte[SIZE];
    private int index;
    private int flags;
    /** Moment of an update's end, and the time in seconds since 1970 that it brought; meaningful while the clock runs. */
    private long anchor;
    private long anchorSeconds;
    /** Flags are known up to this moment. */
    private long seen;

    /**
     * @param seconds time at the clock's present moment, since 1970
     * @param irq IRQ, low until an enabled flag is set and register C has not been read
     */
    public Rtc(Clock clock, long seconds, InterruptLine irq) {
        this.clock = clock;
        this.irq = irq;
        event = clock.timer(this::changed);
        anchor = clock.now();
        anchorSeconds = seconds;
        seen = clock.now();
        ram[REGISTER_A] = A_DV_32768_HZ | A_RS_1024_HZ;
        ram[REGISTER_B] = B_24_HOURS;
    }

    /** Sets a byte of RAM as firmware would; not for the clock's own registers. */
    public void setRam(int register, int value) {
        if (register <= REGISTER_D || register >= SIZE) {
            throw new IllegalArgumentException("CMOS byte " + register);
        }
        ram[register] = (byte) value;
    }

    private boolean isBinary() { return (ram[REGISTER_B] & B_DM) != 0; }

    private boolean is24Hours() {
        return (ram[REGISTER_B] & B_24_HOURS) != 0;
    }

    /** Whether the divider chain runs; if not there are neither updates nor periodic interrupts. */
    private boolean isDividing() {
        return (ram[REGISTER_A] & A_DV) == A_DV_32768_HZ;
    }

    private boolean isUpdating() { return isDividing() && (ram[REGISTER_B] & B_SET) == 0; }

    /** The time in seconds since 1970 as of {@code moment}; only while the clock runs. */
    private long secondsAt(long moment) {
        return anchorSeconds + Math.floorDiv(moment - anchor, SECOND);
    }

    private long nextUpdate(long moment) {
        return anchor + (Math.floorDiv(moment - anchor, SECOND) + 1) * SECOND;
    }

    // ---- flags -------------------------------------------------------------------------------------------------------

    /** Sets the flags of what has happened since {@link #seen}. */
    private void lookForEvents() {
        long now = clock.now();
        long half = periodicTicks();
        if (half != 0 && oscillator.ticks(now) / half != oscillator.ticks(seen) / half) {
            flags |= C_PF;
        }
        if (isUpdating()) {
            long before = secondsAt(seen);
            long after = secondsAt(now);
            if (after != before) {
                flags |= C_UF;
                if (secondsToAlarm(before) <= after - before) {
                    flags |= C_AF;
                }
            }
        }
        seen = now;
    }

    /** Ticks of the oscillator between periodic interrupts, 0 for none (table 3). */
    private long periodicTicks() {
        int rate = ram[REGISTER_A] & A_RS;
        if (rate == 0 || !isDividing()) {
            return 0;
        }
        return 1L << (rate < 3 ? rate + 7 : rate) - 1;
    }

    /** Seconds from {@code seconds} to the first later one at which the alarm matches; more than a day if none does. */
    private long secondsToAlarm(long seconds) {
        long at = seconds + 1;
        while (at <= seconds + DAY) {
            int ofDay = (int) Math.floorMod(at, DAY);
            if (!matches(HOURS_ALARM, ofDay / 3600)) {
                at += 3600 - ofDay % 3600;
            } else if (!matches(MINUTES_ALARM, ofDay / 60 % 60)) {
                at += 60 - ofDay % 60;
            } else if (!matches(SECONDS_ALARM, ofDay % 60)) {
                at++;
            } else {
                return at - seconds;
            }
        }
        return DAY + 1;
    }

    private boolean matches(int register, int value) {
        byte alarm = ram[register];
        if ((alarm & 0xff) >= DONT_CARE) {
            return true;
        }
        return value == (register == HOURS_ALARM
                ? RtcTime.decodeHour(alarm, isBinary(), is24Hours())
                : RtcTime.decode(alarm, isBinary()));
    }

    /** Something happened, or is enabled now: drives the line and waits for the next event that would. */
    private void changed() {
        lookForEvents();
        int enabled = ram[REGISTER_B] & B_INTERRUPTS;
        boolean asks = (flags & enabled) != 0;
        irq.set(asks);
        event.set(asks ? Clock.NEVER : nextEvent(enabled));
    }

    private long nextEvent(int enabled) {
        long next = Clock.NEVER;
        long ticks = periodicTicks();
        if ((enabled & C_PF) != 0 && ticks != 0) {
            next = oscillator.nanoseconds((oscillator.ticks(seen) / ticks + 1) * ticks);
        }
        if (isUpdating()) {
            if ((enabled & C_UF) != 0) {
                next = Math.min(next, nextUpdate(seen));
            }
            if ((enabled & C_AF) != 0) {
                long wait = secondsToAlarm(secondsAt(seen));
                if (wait <= DAY) {
                    next = Math.min(next, nextUpdate(seen) + (wait - 1) * SECOND);
                }
            }
        }
        return next;
    }

    // ---- registers ---------------------------------------------------------------------------------------------------

    /** Offset 0, the index, cannot be read; offset 1 is the data. */
    @Override
    public int readByte(int offset) {
        return offset == 0 ? 0xff : readRegister(index);
    }

    /** Bit 7 of the index masks NMIs, of which there are none. */
    @Override
    public void writeByte(int offset, int value) {
        if (offset == 0) {
            index = value & SIZE - 1;
        } else {
            writeRegister(index, value);
        }
    }

    private int readRegister(int register) {
        if (RtcTime.isTime(register) && isUpdating()) {
            RtcTime.store(secondsAt(clock.now()), ram, isBinary(), is24Hours());
        }
        return switch (register) {
            case REGISTER_A -> ram[register] | (isUpdateInProgress() ? A_UIP : 0);
            case REGISTER_C -> readFlags();
            case REGISTER_D -> D_VRT;
            default -> ram[register] & 0xff;
        };
    }

    private boolean isUpdateInProgress() {
        return isUpdating() && nextUpdate(clock.now()) - clock.now() <= UPDATE_IN_PROGRESS;
    }

    private int readFlags() {
        lookForEvents();
        int value = flags | ((flags & ram[REGISTER_B] & B_INTERRUPTS) != 0 ? C_IRQF : 0);
        flags = 0;
        changed();
        return value;
    }

    private void writeRegister(int register, int value) {
        lookForEvents();
        switch (register) {
            case REGISTER_A -> writeA(value & ~A_UIP);
            case REGISTER_B -> writeB(value);
            case REGISTER_C, REGISTER_D -> {
                // Read-only.
            }
            default -> {
                if (RtcTime.isTime(register) && isUpdating()) {
                    // Written between two updates, the others stay what they are.
                    long now = clock.now();
                    RtcTime.store(secondsAt(now), ram, isBinary(), is24Hours());
                    ram[register] = (byte) value;
                    startFrom(now - Math.floorMod(now - anchor, SECOND));
                } else {
                    ram[register] = (byte) value;
                }
            }
        }
        changed();
    }

    /** The clock shows what the time registers say, with an update having ended at {@code moment}. */
    private void startFrom(long moment) {
        anchorSeconds = RtcTime.load(ram, isBinary(), is24Hours(), anchorSeconds);
        anchor = moment;
    }

    private void freeze() {
        RtcTime.store(secondsAt(clock.now()), ram, isBinary(), is24Hours());
    }

    private void writeA(int value) {
        boolean ran = isUpdating();
        boolean wasReset = (ram[REGISTER_A] & A_DV) >= A_DV_RESET;
        if (ran && (value & A_DV) != A_DV_32768_HZ) {
            freeze();
        }
        boolean divided = isDividing();
        ram[REGISTER_A] = (byte) value;
        if (!divided && isDividing()) {
            // Half a second after the divider's reset is removed comes the first update.
            long sinceUpdate = wasReset ? SECOND / 2 : 0;
            startFrom(clock.now() - sinceUpdate);
        }
    }

    private void writeB(int value) {
        boolean ran = isUpdating();
        boolean set = (value & B_SET) != 0;
        if (ran && set) {
            freeze();
        }
        ram[REGISTER_B] = (byte) (set ? value & ~B_UIE : value);
        if (!ran && isUpdating()) {
            long now = clock.now();
            startFrom(now - Math.floorMod(now - anchor, SECOND));
        }
    }

    // ---- state -------------------------------------------------------------------------------------------------------

    @Override
    public String stateName() {
        return "rtc";
    }

    @Override
    public void save(StateWriter out) {
        out.put("ram", ram).put("index", index).put("flags", flags).put("anchor", anchor);
        out.put("anchorSeconds", anchorSeconds).put("seen", seen).put("event", event);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.get("ram", ram);
        index = in.getInt("index", 0, SIZE - 1);
        flags = in.getByte("flags");
        anchor = in.getLong("anchor");
        anchorSeconds = in.getLong("anchorSeconds");
        seen = in.getLong("seen");
        in.get("event", event);
    }
}
