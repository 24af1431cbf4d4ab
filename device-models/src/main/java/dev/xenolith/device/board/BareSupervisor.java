package dev.xenolith.device.board;

import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Stop;
import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.device.ClockTimers;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Runs software that owns ring 0. A turn ends at the next deadline of a device, so that its interrupt comes at its moment. A
 * processor that waits for a start-up IPI is idle.
 */
final class BareSupervisor implements Supervisor {
    private final Machine machine;
    private final MachineClock clock;
    private final ClockTimers timers;
    private final AccessCharge charge;
    private final RunControl control;
    private final CompletableFuture<Outcome> outcome;
    private final long instructionLimit;
    private long milestone = Long.MAX_VALUE;
    private Runnable atMilestone = () -> {};
    private @Nullable Processor running;

    /**
     * @param charge in front of the machine's devices
     * @param control a debugger's, asked before each turn
     * @param instructionLimit instructions that all processors together may retire
     */
    BareSupervisor(Machine machine, AccessCharge charge, RunControl control, CompletableFuture<Outcome> outcome,
            long instructionLimit) {
        this.machine = machine;
        this.charge = charge;
        this.control = control;
        this.outcome = outcome;
        this.instructionLimit = instructionLimit;
        clock = machine.clock();
        timers = machine.timers();
        timers.onSooner(this::sooner);
    }

    /** Does {@code action} before the instruction with the number {@code retired}, counted from 0 over all processors. */
    void atInstruction(long retired, Runnable action) {
        milestone = retired;
        atMilestone = action;
    }

    /** A device's deadline has come nearer: who runs up to the old one must stop and look. */
    private void sooner() {
        Processor processor = running;
        if (processor != null) {
            processor.request();
        }
    }

    @Override
    public boolean turn(Processor processor, long budget) {
        if (outcome.isDone() || control.holds(processor)) {
            return false;
        }
        long retired = machine.retired();
        if (retired >= instructionLimit) {
            outcome.complete(Outcome.of(Outcome.Kind.INSTRUCTION_LIMIT));
            return false;
        }
        if (retired >= milestone) {
            milestone = Long.MAX_VALUE;
            atMilestone.run();
        }
        long now = clock.now();
        long end = Math.min(now + control.limit(processor, budget), timers.nextDeadline());
        running = processor;
        charge.turn(processor, Math.min(end, processor.apic.nextDeadline()));
        boolean steps = control.steps(processor);
        long before = processor.retired;
        Stop stop = steps
                ? processor.debugger.step()
                : processor.run(Math.clamp(end - now, 1, Math.min(instructionLimit, milestone) - retired));
        charge.turn(null, Long.MAX_VALUE);
        running = null;
        machine.settle();
        timers.expire();
        if (steps && processor.retired != before && stop.kind != Stop.Kind.DEBUG && stop.kind != Stop.Kind.SHUTDOWN) {
            control.stepped(processor);
        }
        return switch (stop.kind) {
            case BUDGET, REQUEST -> true;
            // What it did before may have woken another, whose turn has been.
            case HALTED -> processor.retired != before;
            case DEBUG -> {
                control.debugStop(processor);
                yield true;
            }
            case SHUTDOWN -> {
                control.shutdown(processor, () -> outcome
                        .complete(new Outcome(Outcome.Kind.TRIPLE_FAULT, 0, RegisterDump.of(processor))));
                yield false;
            }
            default -> throw new IllegalStateException("a bare processor stopped with " + stop.kind);
        };
    }

    @Override
    public boolean contain(Processor processor, Throwable bug) {
        return false;
    }
}
