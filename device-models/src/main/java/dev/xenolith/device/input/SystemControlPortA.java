package dev.xenolith.device.input;

import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/** Port 0x92 (82371SB, 2.5.9): the fast A20 gate and the fast reset. */
public final class SystemControlPortA implements ByteRegisters, Saveable {
    private static final int FAST_INIT = 1;
    private static final int FAST_A20 = 1 << 1;

    private final InterruptLine a20;
    private final Runnable reset;
    private int value;

    /**
     * @param a20 opens the A20 gate while it is asserted, whatever the keyboard controller says; after reset it is not
     * @param reset what a rising FAST_INIT does
     */
    public SystemControlPortA(InterruptLine a20, Runnable reset) {
        this.a20 = a20;
        this.reset = reset;
    }

    @Override
    public int readByte(int offset) {
        return value;
    }

    @Override
    public void writeByte(int offset, int written) {
        boolean rises = (written & ~value & FAST_INIT) != 0;
        value = written & (FAST_INIT | FAST_A20);
        a20.set((value & FAST_A20) != 0);
        if (rises) {
            reset.run();
        }
    }

    @Override
    public String stateName() {
        return "systemControlPortA";
    }

    @Override
    public void save(StateWriter out) {
        out.put("value", value);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        value = in.getInt("value", 0, 3);
        a20.set((value & FAST_A20) != 0);
    }
}
