package dev.xenolith.hypervisor.time;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The timers of one processor, a binary heap by deadline and, for equal deadlines, by the order in which they were set. The
 * earliest deadline is kept armed in the processor's local APIC timer.
 */
public final class TimerQueue {
    /** Arms the local APIC timer of the queue's processor. */
    @FunctionalInterface
    public interface Alarm {
        /** Asks for a timer interrupt at machine time {@code deadline} in ns; Long.MAX_VALUE for none. */
        void arm(long deadline);
    }

    /** Something to do at a machine time. Belongs to at most one queue at a time. */
    public abstract static class Timer {
        private long deadline = Long.MAX_VALUE;
        private long order;
        private int position = -1;
        private @Nullable TimerQueue queue;

        /** Called once when the deadline has passed; the timer is no longer set then and may be set again. */
        protected abstract void expired(long now);

        public final boolean isSet() { return queue != null; }

        /** Machine time at which it expires; Long.MAX_VALUE if it is not set. */
        public final long deadline() {
            return deadline;
        }

        /** Forgets the deadline; does nothing if the timer is not set. */
        public final void stop() {
            if (queue != null) {
                queue.remove(this);
            }
        }
    }

    private static final long NOT_ARMED = -1;

    private final Alarm alarm;
    private Timer[] heap = new Timer[16];
    private int size;
    private long nextOrder;
    private long armed = NOT_ARMED;

    public TimerQueue(Alarm alarm) {
        this.alarm = alarm;
    }

    /** Sets {@code timer} to expire at {@code deadline}, on this processor, whatever it was set to before. */
    public void set(Timer timer, long deadline) {
        if (timer.queue == this) {
            removeQuietly(timer);
        } else {
            timer.stop();
        }
        timer.deadline = deadline;
        timer.order = nextOrder++;
        timer.queue = this;
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, size * 2);
        }
        siftUp(size++, timer);
        rearm();
    }

    /** Earliest deadline, Long.MAX_VALUE if there is none. */
    public long next() {
        return size == 0 ? Long.MAX_VALUE : heap[0].deadline;
    }

    /** Lets every timer expire whose deadline is at or before {@code now}, then arms the next one. Call on the timer interrupt. */
    public void expire(long now) {
        while (size > 0 && heap[0].deadline <= now) {
            Timer timer = heap[0];
            removeQuietly(timer);
            timer.expired(now);
        }
        // The alarm went off, or is about to for a timer that has been stopped since.
        armed = NOT_ARMED;
        rearm();
    }

    private void remove(Timer timer) {
        removeQuietly(timer);
        rearm();
    }

    private void removeQuietly(Timer timer) {
        int at = timer.position;
        Timer last = heap[--size];
        heap[size] = null;
        if (last != timer) {
            if (at > 0 && before(last, heap[(at - 1) >>> 1])) {
                siftUp(at, last);
            } else {
                siftDown(at, last);
            }
        }
        timer.queue = null;
        timer.position = -1;
        timer.deadline = Long.MAX_VALUE;
    }

    private void rearm() {
        long next = next();
        if (next != armed) {
            armed = next;
            alarm.arm(next);
        }
    }

    private void siftUp(int at, Timer timer) {
        int i = at;
        while (i > 0) {
            int parent = (i - 1) >>> 1;
            if (!before(timer, heap[parent])) {
                break;
            }
            place(i, heap[parent]);
            i = parent;
        }
        place(i, timer);
    }

    private void siftDown(int at, Timer timer) {
        int i = at;
        while (true) {
            int child = 2 * i + 1;
            if (child >= size) {
                break;
            }
            if (child + 1 < size && before(heap[child + 1], heap[child])) {
                child++;
            }
            if (!before(heap[child], timer)) {
                break;
            }
            place(i, heap[child]);
            i = child;
        }
        place(i, timer);
    }

    private void place(int i, Timer timer) {
        heap[i] = timer;
        timer.position = i;
    }

    private static boolean before(Timer a, Timer b) {
        return a.deadline != b.deadline ? a.deadline < b.deadline : a.order < b.order;
    }
}
