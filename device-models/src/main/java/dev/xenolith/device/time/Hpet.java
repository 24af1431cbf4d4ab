package dev.xenolith.device.time;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.device.Clock;
import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import java.util.List;

/**
 * High precision event timers (Intel, "IA-PC HPET Specification", 1.0a): a 64-bit main counter at 100 MHz and three comparators,
 * all of them periodic-capable and 64 bits wide. With legacy replacement timers 0 and 1 take the places of PIT and RTC, whose
 * wires therefore lead through here. Delivery by FSB messages is not offered.
 */
public final class Hpet implements MmioDevice, Saveable {
    /** Bytes of the register window. */
    public static final int WINDOW_SIZE = 0x400;
    /** GCAP_ID as the ACPI table repeats it in its lower half: revision 1, three timers, 64 bits, legacy route, Intel. */
    public static final int EVENT_TIMER_BLOCK_ID = 0x8086_a201;

    /** Registers. */
    public static final int GCAP_ID = 0x000;
    public static final int GEN_CONF = 0x010;
    public static final int GINTR_STS = 0x020;
    public static final int MAIN_CNT = 0x0f0;
    public static final int TIM_CONF = 0x100;
    public static final int TIM_COMP = 0x108;
    /** Distance between the registers of one timer and of the next. */
    public static final int TIM_STRIDE = 0x20;

    /** Inputs of the I/O APIC that timers can be routed to. */
    static final long ROUTE_CAPABILITY = 0x00f0_0000;

    private static final int TIMERS = 3;
    /** Nanoseconds of a tick, and the same in femtoseconds. */
    private static final int TICK = 10;
    private static final long COUNTER_CLK_PERIOD = TICK * 1_000_000L;
    private static final long ENABLE_CNF = 1;
    private static final long LEG_RT_CNF = 1 << 1;

    private final Clock clock;
    private final List<InterruptLine> routes;
    private final InterruptLine irq0;
    private final InterruptLine irq8;
    private final HpetTimer[] timers = new HpetTimer[TIMERS];
    private long configuration;
    /** The main counter while it is halted, or what is added to the clock's ticks while it runs. */
    private long counterBase;
    private int status;
    private boolean pitAsks;
    private boolean rtcAsks;

    /**
     * @param routes inputs 0 to 23 of the I/O APIC
     * @param irq0 where the PIT's interrupt goes
     * @param irq8 where the RTC's interrupt goes
     */
    public Hpet(Clock clock, List<InterruptLine> routes, InterruptLine irq0, InterruptLine irq8) {
        this.clock = clock;
        this.routes = List.copyOf(routes);
        this.irq0 = irq0;
        this.irq8 = irq8;
        for (int i = 0; i < TIMERS; i++) {
            timers[i] = new HpetTimer(this, i, clock);
        }
    }

    // ---- wires -------------------------------------------------------------------------------------------------------

    /** Where the PIT's output 0 leads to: {@code irq0} unless timer 0 has its place. */
    public InterruptLine pitInput() {
        return asserted -> {
            pitAsks = asserted;
            if (!isLegacy()) {
                irq0.set(asserted);
            }
        };
    }

    /** Where the RTC's IRQ leads to: {@code irq8} unless timer 1 has its place. */
    public InterruptLine rtcInput() {
        return asserted -> {
            rtcAsks = asserted;
            if (!isLegacy()) {
                irq8.set(asserted);
            }
        };
    }

    private boolean isLegacy() { return (configuration & LEG_RT_CNF) != 0; }

    private InterruptLine line(HpetTimer timer) {
        if (isLegacy() && timer.index < 2) {
            return timer.index == 0 ? irq0 : irq8;
        }
        return routes.get(timer.route());
    }

    /** A comparator has matched. */
    void matched(HpetTimer timer) {
        if (timer.isLevel()) {
            status |= 1 << timer.index;
            line(timer).set(timer.isInterruptEnabled());
        } else if (timer.isInterruptEnabled()) {
            // Active until the next one, for an 8259A wants its input high until it is acknowledged.
            line(timer).set(false);
            line(timer).set(true);
        }
    }

    // ---- counter -----------------------------------------------------------------------------------------------------

    boolean isEnabled() { return (configuration & ENABLE_CNF) != 0; }

    long counter() {
        return isEnabled() ? clock.now() / TICK + counterBase : counterBase;
    }

    /** The moment at which the running counter will be {@code ticks} ahead of now; never if that is out of reach. */
    long moment(long ticks) {
        long now = clock.now() / TICK;
        return ticks < 0 || ticks > Long.MAX_VALUE / TICK - now ? Clock.NEVER : (now + ticks) * TICK;
    }

    // ---- registers ---------------------------------------------------------------------------------------------------

    /** Registers are 64 bits wide and are read in halves or whole; a narrower read gives a part. */
    @Override
    public long read(long offset, int size) {
        return readRegister((int) offset & ~7) >>> ((int) offset & 7) * 8;
    }

    private long readRegister(int register) {
        int index = (register - TIM_CONF) / TIM_STRIDE;
        if (register >= TIM_CONF && index < TIMERS) {
            return switch ((register - TIM_CONF) % TIM_STRIDE) {
                case 0 -> timers[index].configuration();
                case TIM_COMP - TIM_CONF -> timers[index].comparator();
                default -> 0;
            };
        }
        return switch (register) {
            case GCAP_ID -> COUNTER_CLK_PERIOD << 32 | EVENT_TIMER_BLOCK_ID & 0xffff_ffffL;
            case GEN_CONF -> configuration;
            case GINTR_STS -> status;
            case MAIN_CNT -> counter();
            default -> 0;
        };
    }

    /** Aligned writes of 4 or 8 bytes; others do nothing (2.3.1). */
    @Override
    public void write(long offset, int size, long value) {
        int at = (int) offset;
        if (size < 4 || (at & size - 1) != 0) {
            return;
        }
        int register = at & ~7;
        int shift = (at & 7) * 8;
        long mask = size == 8 ? -1 : 0xffff_ffffL << shift;
        long written = size == 8 ? value : value << shift;
        int index = (register - TIM_CONF) / TIM_STRIDE;
        if (register >= TIM_CONF && index < TIMERS) {
            switch ((register - TIM_CONF) % TIM_STRIDE) {
                case 0 -> configureTimer(timers[index], written & mask | timers[index].configuration() & ~mask);
                case TIM_COMP - TIM_CONF -> timers[index].writeComparator(written, mask);
                default -> {
                    // The FSB route, which is not offered.
                }
            }
            return;
        }
        switch (register) {
            case GEN_CONF -> configure(written & mask | configuration & ~mask);
            case GINTR_STS -> clearStatus((int) (written & mask));
            case MAIN_CNT -> {
                if (!isEnabled()) {
                    counterBase = written & mask | counterBase & ~mask;
                }
            }
            default -> {
                // Read-only or reserved.
            }
        }
    }

    private void configureTimer(HpetTimer timer, long value) {
        InterruptLine before = line(timer);
        timer.configure(value);
        InterruptLine after = line(timer);
        boolean asserted = timer.isLevel() && timer.isInterruptEnabled() && (status >>> timer.index & 1) != 0;
        if (before != after || !asserted) {
            before.set(false);
        }
        if (asserted) {
            after.set(true);
        }
    }

    private void configure(long value) {
        long counter = counter();
        long changed = configuration ^ value;
        if ((changed & LEG_RT_CNF) != 0) {
            for (HpetTimer timer : timers) {
                line(timer).set(false);
            }
        }
        configuration = value & (ENABLE_CNF | LEG_RT_CNF);
        if ((changed & LEG_RT_CNF) != 0) {
            irq0.set(!isLegacy() && pitAsks);
            irq8.set(!isLegacy() && rtcAsks);
        }
        counterBase = isEnabled() ? counter - clock.now() / TICK : counter;
        for (HpetTimer timer : timers) {
            timer.arm();
        }
    }

    private void clearStatus(int written) {
        int cleared = status & written;
        status &= ~written;
        for (HpetTimer timer : timers) {
            if ((cleared >>> timer.index & 1) != 0) {
                line(timer).set(false);
            }
        }
    }

    // ---- state -------------------------------------------------------------------------------------------------------

    @Override
    public String stateName() {
        return "hpet";
    }

    @Override
    public void save(StateWriter out) {
        out.put("configuration", configuration).put("counterBase", counterBase).put("status", status);
        out.put("pitAsks", pitAsks).put("rtcAsks", rtcAsks);
        for (HpetTimer timer : timers) {
            out.put(timer);
        }
    }

    @Override
    public void restore(StateReader in) throws StateException {
        configuration = in.getLong("configuration") & (ENABLE_CNF | LEG_RT_CNF);
        counterBase = in.getLong("counterBase");
        status = in.getInt("status", 0, (1 << TIMERS) - 1);
        pitAsks = in.getBoolean("pitAsks");
        rtcAsks = in.getBoolean("rtcAsks");
        for (HpetTimer timer : timers) {
            in.get(timer);
        }
    }
}
