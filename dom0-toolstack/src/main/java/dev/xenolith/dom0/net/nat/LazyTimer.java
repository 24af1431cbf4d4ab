package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.NetworkContext;
import dev.xenolith.hypervisor.operations.DomainHandle;
import org.jspecify.annotations.Nullable;

/**
 * A timer that is set far more often than it fires, as those of TCP are: putting it off or clearing it costs nothing, for the
 * timer behind it is left as it is, and looks at the deadline when it fires.
 */
final class LazyTimer {
    private static final long NEVER = Long.MAX_VALUE;

    private final NetworkContext context;
    private final Runnable handler;
    private long deadline = NEVER;
    private long scheduled = NEVER;
    private DomainHandle.@Nullable Timer timer;

    LazyTimer(NetworkContext context, Runnable handler) {
        this.context = context;
        this.handler = handler;
    }

    boolean isSet() { return deadline != NEVER; }

    /** Fires {@code delay} ns from now, in place of any earlier setting. */
    void set(long delay) {
        deadline = context.now() + delay;
        if (deadline < scheduled) {
            schedule();
        }
    }

    void clear() {
        deadline = NEVER;
    }

    /** Clears it and forgets the timer behind it too. */
    void cancel() {
        clear();
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
        scheduled = NEVER;
    }

    private void schedule() {
        if (timer != null) {
            timer.cancel();
        }
        scheduled = deadline;
        timer = context.at(deadline, this::fired);
    }

    private void fired() {
        timer = null;
        scheduled = NEVER;
        if (deadline == NEVER) {
            return;
        }
        if (context.now() < deadline) {
            schedule();
        } else {
            deadline = NEVER;
            handler.run();
        }
    }
}
