package dev.xenolith.device.time;

import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.Clock;
import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import java.util.List;

/**
 * The 8254 programmable interval timer (Intel 231164, "8254 Programmable Interval Timer"): three counters at 1.193182 MHz, their
 * data at offsets 0 to 2, the control word at 3. OUT of counter 0 is an interrupt line; GATE of counter 2 is switched by system
 * control port B, see {@link SystemControlPort}.
 */
public final class Pit implements ByteRegisters, Saveable {
    /** Hertz. */
    public static final long FREQUENCY = 1_193_182;

    private static final int CONTROL = 3;
    private static final int SELECT_SHIFT = 6;
    private static final int READ_BACK = 3;
    private static final int READ_BACK_NO_COUNT = 1 << 5;
    private static final int READ_BACK_NO_STATUS = 1 << 4;
    private static final int COUNTER_2 = 2;

    private final Clock clock;
    private final InterruptLine out0;
    private final Clock.Timer rise;
    private final Frequency frequency = new Frequency(FREQUENCY);
    private final List<PitCounter> counters = List.of(new PitCounter("counter0", true),
            new PitCounter("counter1", true), new PitCounter("counter2", false));

    /** @param out0 OUT of counter 0 */
    public Pit(Clock clock, InterruptLine out0) {
        this.clock = clock;
        this.out0 = out0;
        rise = clock.timer(this::rises);
    }

    private long tick() {
        return frequency.ticks(clock.now());
    }

    /**
     * OUT of counter 0 rises: only that edge interrupts, so the falling one, which mode 2 has one tick before, is shown together
     * with it.
     */
    private void rises() {
        out0.set(false);
        out0.set(counters.getFirst().output(tick()));
        arm();
    }

    private void arm() {
        long tick = counters.getFirst().nextRise(tick());
        rise.set(tick == PitCounter.NEVER ? Clock.NEVER : frequency.nanoseconds(tick));
    }

    /** OUT of counter 2, which drives the speaker. */
    public boolean output2() {
        return counters.get(COUNTER_2).output(tick());
    }

    /** GATE of counter 2. */
    public boolean gate2() {
        return counters.get(COUNTER_2).gate();
    }

    public void setGate2(boolean high) {
        counters.get(COUNTER_2).setGate(high, tick());
    }

    @Override
    public int readByte(int offset) {
        // The control word cannot be read: the bus floats.
        return offset == CONTROL ? 0xff : counters.get(offset).read(tick());
    }

    @Override
    public void writeByte(int offset, int value) {
        long tick = tick();
        if (offset != CONTROL) {
            counters.get(offset).write(value, tick);
        } else if (value >>> SELECT_SHIFT == READ_BACK) {
            readBack(value, tick);
            return;
        } else {
            counters.get(value >>> SELECT_SHIFT).control(value, tick);
        }
        out0.set(counters.getFirst().output(tick));
        arm();
    }

    private void readBack(int value, long tick) {
        for (int i = 0; i < counters.size(); i++) {
            if ((value & 2 << i) != 0) {
                if ((value & READ_BACK_NO_COUNT) == 0) {
                    counters.get(i).latchCount(tick);
                }
                if ((value & READ_BACK_NO_STATUS) == 0) {
                    counters.get(i).latchStatus(tick);
                }
            }
        }
    }

    @Override
    public String stateName() {
        return "pit";
    }

    @Override
    public void save(StateWriter out) {
        counters.forEach(out::put);
        out.put("rise", rise);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        for (PitCounter counter : counters) {
            in.get(counter);
        }
        in.get("rise", rise);
    }
}
