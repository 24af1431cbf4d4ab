package dev.xenolith.hypervisor.domain;

import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.hypervisor.memory.Preempt;
import dev.xenolith.hypervisor.time.Charges;

/**
 * Says when long operations stop to go on later: when the processor's turn is over or it has been asked to schedule. Charges
 * each element. The state belongs to the processor whose turn it is.
 */
public final class Preemption implements Preempt {
    /** Decides instead, in tests: stopping at every k-th question must not change results. */
    @FunctionalInterface
    public interface Hook {
        boolean stopHere();
    }

    private final MachineClock clock;
    private final Dispatcher dispatcher;
    private Hook hook = () -> false;
    private int processor;
    private long turnEnd = Long.MAX_VALUE;

    Preemption(MachineClock clock, Dispatcher dispatcher) {
        this.clock = clock;
        this.dispatcher = dispatcher;
    }

    /** The turn of {@code processor} begins; it lasts until machine time {@code end}. */
    public void beginTurn(int processor, long end) {
        this.processor = processor;
        turnEnd = end;
    }

    public void setHook(Hook hook) { this.hook = hook; }

    @Override
    public boolean check() {
        clock.advance(Charges.ELEMENT);
        return clock.now() >= turnEnd || dispatcher.scheduleRequested(processor) || hook.stopHere();
    }
}
