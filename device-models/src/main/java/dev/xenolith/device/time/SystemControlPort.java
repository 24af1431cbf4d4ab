package dev.xenolith.device.time;

import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.Clock;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/**
 * Port 0x61, the NMI status and control register (82371SB, 2.5.8): GATE and OUT of the PIT's counter 2, the speaker switch, and
 * the refresh toggle that old software measures time with. No parity error and no channel check ever happens.
 */
public final class SystemControlPort implements ByteRegisters, Saveable {
    private static final int TIMER_COUNTER_2_ENABLE = 1;
    /** Speaker data, parity and IOCHK enables: bits that are only kept. */
    private static final int KEPT = 0x0e;
    private static final int REFRESH_CYCLE_TOGGLE = 1 << 4;
    private static final int TIMER_COUNTER_2_OUT = 1 << 5;
    /** Nanoseconds between refresh cycles: 18 ticks of the PIT. */
    private static final long REFRESH_PERIOD = 15_085;

    private final Clock clock;
    private final Pit pit;
    private int kept;

    public SystemControlPort(Clock clock, Pit pit) {
        this.clock = clock;
        this.pit = pit;
    }

    @Override
    public int readByte(int offset) {
        return kept | (pit.gate2() ? TIMER_COUNTER_2_ENABLE : 0)
                | ((clock.now() / REFRESH_PERIOD & 1) != 0 ? REFRESH_CYCLE_TOGGLE : 0)
                | (pit.output2() ? TIMER_COUNTER_2_OUT : 0);
    }

    @Override
    public void writeByte(int offset, int value) {
        kept = value & KEPT;
        pit.setGate2((value & TIMER_COUNTER_2_ENABLE) != 0);
    }

    @Override
    public String stateName() {
        return "systemControlPort";
    }

    @Override
    public void save(StateWriter out) {
        out.put("kept", kept);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        kept = in.getByte("kept") & KEPT;
    }
}
