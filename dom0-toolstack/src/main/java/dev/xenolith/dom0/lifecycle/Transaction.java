package dev.xenolith.dom0.lifecycle;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A list of named steps, each with an undo, done one after the other as handlers of a domain. When a step fails, the undos of all
 * steps begun, the failed one's included, run in reverse order; then the transaction reports the failure. Undos must therefore
 * cope with a step that did only half its work, and cannot fail.
 *
 * <p>A step is called until it says that it is done, so that long ones never hold up the machine. A step that waits for something
 * else returns {@link Progress#WAIT} and calls {@link #resume} later.
 */
final class Transaction {
    private static final Logger LOG = LoggerFactory.getLogger(Transaction.class);

    /** What a call of a step came to. */
    enum Progress {
        /** The step is complete. */
        DONE,
        /** Call again soon. */
        MORE,
        /** Call again after {@link Transaction#resume}. */
        WAIT
    }

    /** A bounded piece of work. Any exception fails the transaction. */
    @FunctionalInterface
    interface Work {
        Progress run() throws Exception;
    }

    private record Step(String name, Work work, Work undo) {
    }

    /** Consulted before each step by its name; a test makes the step fail by answering true. */
    private final Predicate<String> failureInjected;
    private final Consumer<Runnable> scheduler;
    private final List<Step> steps = new ArrayList<>();
    private final Deque<Step> begun = new ArrayDeque<>();
    private final Consumer<@Nullable Exception> outcome;
    private int position;
    private @Nullable Exception failure;

    /**
     * @param scheduler runs a piece of work soon, on the domain's vCPU
     * @param outcome told once, with the failure after everything has been undone, or with null on success
     */
    Transaction(Consumer<Runnable> scheduler, Predicate<String> failureInjected,
            Consumer<@Nullable Exception> outcome) {
        this.scheduler = scheduler;
        this.failureInjected = failureInjected;
        this.outcome = outcome;
    }

    /** Adds a step; {@code undo} may be called whether or not {@code work} got anywhere. */
    Transaction step(String name, Work work, Work undo) {
        steps.add(new Step(name, work, undo));
        return this;
    }

    /** Adds a step that leaves nothing to undo. */
    Transaction step(String name, Work work) {
        return step(name, work, () -> Progress.DONE);
    }

    void start() {
        scheduler.accept(this::forward);
    }

    /** Goes on after a step, or its undo, has returned {@link Progress#WAIT}. */
    void resume() {
        scheduler.accept(failure == null ? this::forward : this::backward);
    }

    private void forward() {
        if (position == steps.size()) {
            outcome.accept(null);
            return;
        }
        Step step = steps.get(position);
        if (begun.peek() != step) {
            begun.push(step);
        }
        try {
            if (failureInjected.test(step.name())) {
                throw new IllegalStateException("failure injected at step '" + step.name() + "'");
            }
            switch (step.work().run()) {
                case DONE -> {
                    position++;
                    scheduler.accept(this::forward);
                }
                case MORE -> scheduler.accept(this::forward);
                case WAIT -> {
                    // resume() goes on.
                }
            }
        } catch (Exception e) {
            failure = e;
            scheduler.accept(this::backward);
        }
    }

    private void backward() {
        Step step = begun.peek();
        if (step == null) {
            outcome.accept(failure);
            return;
        }
        Progress progress;
        try {
            progress = step.undo().run();
        } catch (Exception e) {
            LOG.error("BUG: undoing step '{}' failed", step.name(), e);
            progress = Progress.DONE;
        }
        if (progress == Progress.DONE) {
            begun.pop();
        }
        if (progress != Progress.WAIT) {
            scheduler.accept(this::backward);
        }
    }
}
