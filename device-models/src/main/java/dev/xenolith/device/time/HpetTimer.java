package dev.xenolith.device.time;

import dev.xenolith.device.Clock;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/** One comparator of an HPET (IA-PC HPET 1.0a, 2.3.8 and 2.3.9). */
final class HpetTimer implements Saveable {
    private static final long INT_TYPE_CNF = 1 << 1;
    private static final long INT_ENB_CNF = 1 << 2;
    private static final long TYPE_CNF = 1 << 3;
    private static final long PER_INT_CAP = 1 << 4;
    private static final long SIZE_CAP = 1 << 5;
    private static final long VAL_SET_CNF = 1 << 6;
    private static final long MODE_32_CNF = 1 << 8;
    private static final int INT_ROUTE_SHIFT = 9;
    private static final int INT_ROUTE = 0x1f;
    private static final long WRITABLE = INT_TYPE_CNF | INT_ENB_CNF | TYPE_CNF | VAL_SET_CNF | MODE_32_CNF
            | INT_ROUTE << INT_ROUTE_SHIFT;
    private static final long CAPABILITIES = PER_INT_CAP | SIZE_CAP | Hpet.ROUTE_CAPABILITY << 32;

    final int index;
    private final Hpet hpet;
    private final Clock.Timer timer;
    private long configuration = CAPABILITIES;
    private long comparator = -1;
    private long period;

    HpetTimer(Hpet hpet, int index, Clock clock) {
        this.hpet = hpet;
        this.index = index;
        timer = clock.timer(this::expired);
    }

    long configuration() {
        return configuration;
    }

    /** A route that the timer cannot have reads back as 0 (2.3.8), and leads to input 0, which nothing listens to. */
    void configure(long value) {
        configuration = value & WRITABLE | CAPABILITIES;
        if ((Hpet.ROUTE_CAPABILITY >>> route() & 1) == 0) {
            configuration &= ~((long) INT_ROUTE << INT_ROUTE_SHIFT);
        }
        if (is32Bit()) {
            comparator &= 0xffff_ffffL;
            period &= 0xffff_ffffL;
        }
        arm();
    }

    boolean isLevel() { return (configuration & INT_TYPE_CNF) != 0; }

    boolean isInterruptEnabled() { return (configuration & INT_ENB_CNF) != 0; }

    private boolean isPeriodic() { return (configuration & TYPE_CNF) != 0; }

    private boolean is32Bit() {
        return (configuration & MODE_32_CNF) != 0;
    }

    int route() {
        return (int) (configuration >>> INT_ROUTE_SHIFT) & INT_ROUTE;
    }

    long comparator() {
        catchUp();
        return comparator;
    }

    /**
     * Writes bits {@code mask} of the comparator. In periodic mode that is the period; the comparator itself changes only if
     * TN_VAL_SET_CNF is set, which this clears.
     */
    void writeComparator(long value, long mask) {
        long width = is32Bit() ? 0xffff_ffffL : -1;
        if (!isPeriodic() || (configuration & VAL_SET_CNF) != 0) {
            comparator = (value & mask | comparator & ~mask) & width;
        }
        if (isPeriodic()) {
            period = (value & mask | period & ~mask) & width;
        }
        configuration &= ~VAL_SET_CNF;
        arm();
    }

    /** Ticks until the comparator matches next, as unsigned number; 0 if it does now. */
    private long distance() {
        long difference = comparator - hpet.counter();
        return is32Bit() ? difference & 0xffff_ffffL : difference;
    }

    /** Waits for the next match, if there is one in reach and it has an effect. */
    void arm() {
        boolean effective = isInterruptEnabled() || isLevel();
        if (!hpet.isEnabled() || !effective) {
            timer.cancel();
            return;
        }
        catchUp();
        long distance = distance();
        if (distance == 0) {
            // It has matched when it came here; next is a full turn.
            distance = is32Bit() ? 1L << 32 : -1;
        }
        timer.set(hpet.moment(distance));
    }

    /** A periodic comparator that was not waited for moves on to its next match that lies ahead. */
    private void catchUp() {
        if (isPeriodic() && period != 0 && hpet.isEnabled() && !timer.isArmed()) {
            long behind = behind();
            if (behind >= 0) {
                advance(behind / period + 1);
            }
        }
    }

    /** How many ticks the counter has gone past the comparator; negative while it is ahead. */
    private long behind() {
        long difference = hpet.counter() - comparator;
        return is32Bit() ? (int) difference : difference;
    }

    private void advance(long periods) {
        comparator += periods * period;
        if (is32Bit()) {
            comparator &= 0xffff_ffffL;
        }
    }

    private void expired() {
        if (isPeriodic() && period != 0) {
            advance(behind() / period + 1);
        }
        hpet.matched(this);
        arm();
    }

    @Override
    public String stateName() {
        return "timer" + index;
    }

    @Override
    public void save(StateWriter out) {
        out.put("configuration", configuration).put("comparator", comparator).put("period", period);
        out.put("deadline", timer);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        configuration = in.getLong("configuration") & WRITABLE | CAPABILITIES;
        if (route() >= 24) {
            throw new StateException("hpet.timer" + index + ": there is no route " + route());
        }
        comparator = in.getLong("comparator");
        period = in.getLong("period");
        in.get("deadline", timer);
    }
}
