package dev.xenolith.device.board;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The one way into the machine for other threads: a queue of messages that the machine thread drains between quanta. Any thread
 * may post; a post wakes a parked machine and asks a running processor to stop at its next block boundary.
 */
final class Inbox {
    private final ConcurrentLinkedQueue<Runnable> messages = new ConcurrentLinkedQueue<>();
    /** Set by posters, looked at by the machine thread between quanta; the posting order is the queue's. */
    private volatile boolean posted;
    private volatile @Nullable Thread owner;

    void ownedBy(Thread machineThread) {
        owner = machineThread;
    }

    void post(Runnable message) {
        messages.add(message);
        posted = true;
        LockSupport.unpark(owner);
    }

    boolean isEmpty() { return !posted; }

    /** The oldest message, or null when there is none. Machine thread only. */
    @Nullable
    Runnable poll() {
        Runnable message = messages.poll();
        if (message == null && posted) {
            posted = false;
            // A poster may have come between the poll and the reset.
            message = messages.poll();
        }
        return message;
    }

    /** Parks the machine thread until somebody posts or {@code nanoseconds} of host time have passed. */
    void await(long nanoseconds) {
        if (!posted) {
            LockSupport.parkNanos(this, nanoseconds);
        }
    }
}
