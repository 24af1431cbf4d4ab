package dev.xenolith.dom0.net;

import dev.xenolith.device.Clock;
import dev.xenolith.device.board.ClockMode;
import dev.xenolith.device.board.Machine;
import dev.xenolith.hypervisor.operations.DomainHandle;
import java.security.SecureRandom;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.random.RandomGenerator;

/** The network's context beside a bare machine, which has no domains: handlers run between the turns of its processors. */
final class BoardContext implements NetworkContext {
    /** A handler that waits for its time. */
    private static final class Waiting implements DomainHandle.Timer {
        final long deadline;
        final long sequence;
        final Runnable handler;
        boolean cancelled;

        Waiting(long deadline, long sequence, Runnable handler) {
            this.deadline = deadline;
            this.sequence = sequence;
            this.handler = handler;
        }

        @Override
        public void cancel() {
            cancelled = true;
        }
    }

    private final Machine machine;
    private final Clock.Timer timer;
    private final RandomGenerator random;
    private final PriorityQueue<Waiting> waiting = new PriorityQueue<>(
            Comparator.<Waiting>comparingLong(each -> each.deadline).thenComparingLong(each -> each.sequence));
    private long sequence;

    BoardContext(Machine machine) {
        this.machine = machine;
        timer = machine.timers().timer(this::expire);
        random = machine.configuration().clockMode() == ClockMode.REAL ? new SecureRandom() : machine.random("network");
    }

    @Override
    public long now() {
        return machine.clock().now();
    }

    @Override
    public DomainHandle.Timer at(long deadline, Runnable handler) {
        Waiting added = new Waiting(deadline, sequence++, handler);
        waiting.add(added);
        arm();
        return added;
    }

    private void arm() {
        Waiting first = waiting.peek();
        while (first != null && first.cancelled) {
            waiting.poll();
            first = waiting.peek();
        }
        timer.set(first == null ? Clock.NEVER : first.deadline);
    }

    private void expire() {
        for (Waiting first = waiting.peek(); first != null
                && (first.cancelled || first.deadline <= now()); first = waiting
                        .peek()) {
            waiting.poll();
            if (!first.cancelled) {
                first.handler.run();
            }
        }
        arm();
    }

    @Override
    public void post(Runnable message) {
        machine.post(message);
    }

    @Override
    public void charge(long nanoseconds) {
        machine.clock().advance(nanoseconds);
    }

    @Override
    public RandomGenerator random() {
        return random;
    }
}
