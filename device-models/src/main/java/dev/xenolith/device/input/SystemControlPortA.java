package dev.xenolith.device.input;

import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/** Port 0x92 (82371SB, 2.5.9): the fast A20 gate, whose bit is only kept, and the fast reset. */
public final class SystemControlPortA implements ByteRegisters, Saveable {
    private static final int FAST_INIT = 1;
    private static final int FAST_A20 = 1 << 1;

    private final Runnable reset;
    private int value = FAST_A20;

    /** @param reset what a rising FAST_INIT does */
    public SystemControlPortA(Runnable reset) {
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
    }
}
