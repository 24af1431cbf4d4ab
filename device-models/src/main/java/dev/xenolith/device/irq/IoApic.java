package dev.xenolith.device.irq;

import dev.xenolith.cpu.apic.ApicBus;
import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import java.util.Arrays;

/**
 * An I/O APIC: 24 inputs, each with a redirection entry (Intel 290566, "82093AA I/O Advanced Programmable Interrupt Controller"),
 * in version 0x20, which has the EOI register for software that suppresses the broadcast of local APICs (82801, 13.5.3).
 */
public final class IoApic implements MmioDevice, Saveable {
    /** Inputs. */
    public static final int PINS = 24;
    /** Bytes of the register window. */
    public static final int WINDOW_SIZE = 0x1000;

    /** Memory-mapped registers. */
    public static final int IOREGSEL = 0x00;
    public static final int IOWIN = 0x10;
    public static final int EOIR = 0x40;
    /** Registers behind IOREGSEL and IOWIN. */
    public static final int IOAPICID = 0x00;
    public static final int IOAPICVER = 0x01;
    public static final int IOAPICARB = 0x02;
    public static final int IOREDTBL = 0x10;

    private static final int VERSION = 0x20;
    private static final int ID_SHIFT = 24;
    private static final int ID_MASK = 0xf;

    private static final int VECTOR = 0xff;
    private static final int DELIVERY_MODE_SHIFT = 8;
    private static final long DESTINATION_LOGICAL = 1 << 11;
    private static final long DELIVERY_STATUS = 1 << 12;
    private static final long REMOTE_IRR = 1 << 14;
    private static final long LEVEL = 1 << 15;
    private static final long MASKED = 1 << 16;
    private static final int DESTINATION_SHIFT = 56;
    private static final long WRITABLE = 0xff00_0000_0001_ffffL & ~(DELIVERY_STATUS | REMOTE_IRR);
    private static final int BROADCAST = 0xff;

    private final ApicBus bus;
    private final long[] redirection = new long[PINS];
    /** Levels of the inputs. */
    private int lines;
    private int id;
    private int select;

    /** Its messages go over {@code bus}; the caller connects {@link #endOfInterrupt} to it. */
    public IoApic(ApicBus bus) {
        this.bus = bus;
        reset();
    }

    /** The state after power-up: every input masked. Levels stay. */
    public void reset() {
        Arrays.fill(redirection, MASKED);
        id = 0;
        select = 0;
    }

    // ---- inputs ------------------------------------------------------------------------------------------------------

    /** The wire of input {@code pin}, 0 to 23. */
    public InterruptLine input(int pin) {
        if (pin < 0 || pin >= PINS) {
            throw new IllegalArgumentException("I/O APIC input " + pin);
        }
        return asserted -> setLine(pin, asserted);
    }

    private void setLine(int pin, boolean asserted) {
        int bit = 1 << pin;
        boolean edge = asserted && (lines & bit) == 0;
        lines = asserted ? lines | bit : lines & ~bit;
        if ((redirection[pin] & LEVEL) != 0) {
            serveLevel(pin);
        } else if (edge && (redirection[pin] & MASKED) == 0) {
            // An edge at a masked input is lost.
            send(redirection[pin]);
        }
    }

    /** Sends a level-triggered interrupt unless one is on its way or in service already. */
    private void serveLevel(int pin) {
        long entry = redirection[pin];
        if ((lines >>> pin & 1) != 0 && (entry & (LEVEL | MASKED | REMOTE_IRR)) == LEVEL) {
            redirection[pin] = entry | REMOTE_IRR;
            send(entry);
        }
    }

    private void send(long entry) {
        int destination = (int) (entry >>> DESTINATION_SHIFT);
        int mode = (int) entry >>> DELIVERY_MODE_SHIFT & 7;
        bus.send(destination == BROADCAST ? -1 : destination, (entry & DESTINATION_LOGICAL) != 0, mode,
                (int) entry & VECTOR, (entry & LEVEL) != 0);
    }

    /** A local APIC has ended a level-triggered interrupt {@code vector}: by its broadcast, or through EOIR. */
    public void endOfInterrupt(int vector) {
        for (int pin = 0; pin < PINS; pin++) {
            if ((redirection[pin] & (VECTOR | LEVEL | REMOTE_IRR)) == (vector | LEVEL | REMOTE_IRR)) {
                redirection[pin] &= ~REMOTE_IRR;
                serveLevel(pin);
            }
        }
    }

    // ---- registers ---------------------------------------------------------------------------------------------------

    /** Registers are 32 bits wide at multiples of 16; smaller reads give a part, what is between reads as zero. */
    @Override
    public long read(long offset, int size) {
        int register = (int) offset & 0xff & ~3;
        long value = switch (register) {
            case IOREGSEL -> select;
            case IOWIN -> readIndirect();
            default -> 0;
        };
        return value >>> ((int) offset & 3) * 8;
    }

    /** Only aligned writes of 32 bits (of 64 the lower half), and of a byte to IOREGSEL and EOIR, do anything. */
    @Override
    public void write(long offset, int size, long value) {
        int register = (int) offset & 0xff;
        switch (register) {
            case IOREGSEL -> select = (int) value & 0xff;
            case IOWIN -> {
                if (size >= 4) {
                    writeIndirect((int) value);
                }
            }
            case EOIR -> endOfInterrupt((int) value & VECTOR);
            default -> {
                // Reserved.
            }
        }
    }

    private long readIndirect() {
        int index = select - IOREDTBL;
        if (index >= 0 && index < 2 * PINS) {
            return redirection[index >>> 1] >>> (index & 1) * 32 & 0xffff_ffffL;
        }
        return switch (select) {
            case IOAPICID, IOAPICARB -> (long) id << ID_SHIFT;
            case IOAPICVER -> VERSION | PINS - 1 << 16;
            default -> 0xffff_ffffL;
        };
    }

    private void writeIndirect(int value) {
        int index = select - IOREDTBL;
        if (index >= 0 && index < 2 * PINS) {
            writeRedirection(index >>> 1, (index & 1) != 0, value);
        } else if (select == IOAPICID) {
            id = value >>> ID_SHIFT & ID_MASK;
        }
    }

    private void writeRedirection(int pin, boolean upper, int value) {
        long entry = redirection[pin];
        long written = upper
                ? entry & 0xffff_ffffL | (long) value << 32
                : entry & 0xffff_ffff_0000_0000L | value & 0xffff_ffffL;
        long changed = written & WRITABLE | entry & ~WRITABLE;
        if ((changed & LEVEL) == 0) {
            // Remote IRR has no meaning for edges; software clears a stuck one by way of edge mode.
            changed &= ~REMOTE_IRR;
        }
        redirection[pin] = changed;
        serveLevel(pin);
    }

    // ---- state -------------------------------------------------------------------------------------------------------

    @Override
    public String stateName() {
        return "ioapic";
    }

    @Override
    public void save(StateWriter out) {
        out.put("redirection", redirection).put("lines", lines).put("id", id).put("select", select);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.get("redirection", redirection);
        lines = in.getInt("lines", 0, (1 << PINS) - 1);
        id = in.getInt("id", 0, ID_MASK);
        select = in.getByte("select");
    }
}
