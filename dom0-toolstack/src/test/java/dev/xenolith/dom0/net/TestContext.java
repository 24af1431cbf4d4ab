package dev.xenolith.dom0.net;

import static org.assertj.core.api.Assertions.fail;

import dev.xenolith.hypervisor.operations.DomainHandle;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A machine thread without a machine: the test's own thread executes what is posted, and time, which is virtual, goes on to the
 * next timer when nothing has been posted for a moment of the host's time.
 */
public final class TestContext implements NetworkContext {
    private static final long MOMENT_MILLIS = 2;
    /** A test that takes longer than this hangs. */
    private static final long PATIENCE_SECONDS = 90;

    private final class Pending implements DomainHandle.Timer {
        final long deadline;
        final long sequence = timersMade++;
        final Runnable handler;
        boolean cancelled;

        Pending(long deadline, Runnable handler) {
            this.deadline = deadline;
            this.handler = handler;
        }

        @Override
        public void cancel() {
            cancelled = true;
            timers.remove(this);
        }
    }

    private final LinkedBlockingQueue<Runnable> posted = new LinkedBlockingQueue<>();
    private final PriorityQueue<Pending> timers = new PriorityQueue<>(
            (a, b) -> a.deadline != b.deadline
                    ? Long.compare(a.deadline, b.deadline)
                    : Long.compare(a.sequence, b.sequence));
    private final Thread owner = Thread.currentThread();
    private final RandomGenerator random;
    private long timersMade;
    private long now = 1_000_000_000L;

    /** @param seed of what must not be guessed */
    public TestContext(long seed) {
        this(new SplittableRandom(seed));
    }

    public TestContext(RandomGenerator random) {
        this.random = random;
    }

    @Override
    public long now() {
        assertOwner();
        return now;
    }

    @Override
    public DomainHandle.Timer at(long deadline, Runnable handler) {
        assertOwner();
        Pending timer = new Pending(deadline, handler);
        timers.add(timer);
        return timer;
    }

    @Override
    public void post(Runnable message) {
        posted.add(message);
    }

    @Override
    public void charge(long nanoseconds) {
        assertOwner();
        now += nanoseconds;
    }

    @Override
    public RandomGenerator random() {
        return random;
    }

    /** Timers that have not fired. */
    public int timerCount() {
        return timers.size();
    }

    private void assertOwner() {
        if (Thread.currentThread() != owner) {
            throw new AssertionError("not on the machine thread: " + Thread.currentThread());
        }
    }

    /** Lets time pass, whatever there is to do. */
    public void advance(long nanoseconds) {
        long end = now + nanoseconds;
        runPosted();
        while (!timers.isEmpty() && timers.peek().deadline <= end) {
            now = Math.max(now, timers.peek().deadline);
            fire();
            runPosted();
        }
        now = Math.max(now, end);
    }

    /** Does what there is to do until {@code done}. */
    public void runUntil(String what, BooleanSupplier done) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!done.getAsBoolean()) {
            if (System.nanoTime() > end) {
                fail("never: " + what);
            }
            if (!runPosted() && !fireDue()) {
                await();
            }
        }
    }

    /** Waits for the host until {@code done}, while time stands still. */
    public void waitUntil(String what, BooleanSupplier done) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!done.getAsBoolean()) {
            if (System.nanoTime() > end) {
                fail("never: " + what);
            }
            Runnable message = fireDue() ? null : poll();
            if (message != null) {
                message.run();
            }
        }
    }

    /** Does what is there until for a while of the host's time nothing comes any more; time goes on only for timers within {@code horizon} ns. */
    public void settle(long horizon) {
        long end = now + horizon;
        int idle = 0;
        while (idle < 20) {
            if (runPosted() || fireDue()) {
                idle = 0;
                continue;
            }
            Runnable message = poll();
            if (message != null) {
                message.run();
                idle = 0;
            } else if (!timers.isEmpty() && timers.peek().deadline <= end) {
                now = Math.max(now, timers.peek().deadline);
            } else {
                idle++;
            }
        }
    }

    private boolean runPosted() {
        boolean any = false;
        Runnable message;
        while ((message = posted.poll()) != null) {
            message.run();
            any = true;
        }
        return any;
    }

    private boolean fireDue() {
        if (timers.isEmpty() || timers.peek().deadline > now) {
            return false;
        }
        fire();
        return true;
    }

    private void fire() {
        timers.remove().handler.run();
    }

    private void await() {
        // A link's delays pass at once; whatever takes longer gives the host a moment.
        if (!timers.isEmpty() && timers.peek().deadline - now < 2_000_000) {
            now = timers.peek().deadline;
            return;
        }
        Runnable message = poll();
        if (message != null) {
            message.run();
        } else if (!timers.isEmpty()) {
            now = Math.max(now, timers.peek().deadline);
        }
    }

    private @Nullable Runnable poll() {
        try {
            return posted.poll(MOMENT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
