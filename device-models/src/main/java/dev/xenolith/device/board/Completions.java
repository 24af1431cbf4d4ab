package dev.xenolith.device.board;

import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Host work that devices and dom0 hand to other threads (files, sockets), and the moment its result appears in the machine.
 *
 * <p>With a virtual clock a result appears exactly its modelled latency after submission: if the host is late, the machine waits
 * for it there, and if the host is early, nothing shows before. With a real clock it appears when it is there.
 */
final class Completions {
    private static final class Work<T> implements Runnable {
        final long due;
        final long sequence;
        final Callable<T> task;
        final Machine.Completion<? super T> completion;
        volatile boolean finished;
        @Nullable
        T result;
        @Nullable
        Exception failure;
        private final Completions owner;

        Work(Completions owner, long due, long sequence, Callable<T> task, Machine.Completion<? super T> completion) {
            this.owner = owner;
            this.due = due;
            this.sequence = sequence;
            this.task = task;
            this.completion = completion;
        }

        @Override
        public void run() {
            try {
                result = task.call();
            } catch (Exception e) {
                failure = e;
            } catch (Throwable t) {
                // Such as memory that ran out: who waits must hear of it, with a virtual clock that is the whole machine.
                failure = new ExecutionException(t.toString(), t);
            }
            finished = true;
            owner.finished(this);
        }

        void deliver() {
            completion.completed(result, failure);
        }
    }

    private final ExecutorService threads = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("host-io-", 0).factory());
    private final PriorityQueue<Work<?>> pending = new PriorityQueue<>(
            Comparator.<Work<?>>comparingLong(w -> w.due).thenComparingLong(w -> w.sequence));
    private final Inbox inbox;
    private final ClockMode mode;
    private final Thread machineThread;
    private long sequence;

    Completions(Inbox inbox, ClockMode mode, Thread machineThread) {
        this.inbox = inbox;
        this.mode = mode;
        this.machineThread = machineThread;
    }

    <T> void submit(long due, Callable<T> task, Machine.Completion<? super T> completion) {
        Work<T> work = new Work<>(this, due, sequence++, task, completion);
        if (mode == ClockMode.VIRTUAL) {
            pending.add(work);
        }
        threads.execute(work);
    }

    private void finished(Work<?> work) {
        if (mode == ClockMode.VIRTUAL) {
            LockSupport.unpark(machineThread);
        } else {
            inbox.post(work::deliver);
        }
    }

    /** Machine time of the earliest result to come, or Long.MAX_VALUE. */
    long nextDue() {
        Work<?> first = pending.peek();
        return first == null ? Long.MAX_VALUE : first.due;
    }

    /** Delivers everything due at {@code now}, waiting for the host where it is late. */
    void deliverDue(long now) {
        while (true) {
            Work<?> first = pending.peek();
            if (first == null || first.due > now) {
                return;
            }
            while (!first.finished) {
                LockSupport.park(this);
            }
            pending.poll();
            first.deliver();
        }
    }

    void close() {
        threads.shutdownNow();
    }
}
