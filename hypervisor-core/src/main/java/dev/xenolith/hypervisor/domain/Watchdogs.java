package dev.xenolith.hypervisor.domain;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOSPC;

import dev.xenolith.hypervisor.time.TimerQueue;

/**
 * The watchdogs of one domain (domain_watchdog in xen/common/sched/core.c): a guest that does not set them anew in time has hung, and
 * is shut down for that reason.
 */
final class Watchdogs {
    /** NR_DOMAIN_WATCHDOG_TIMERS. */
    private static final int COUNT = 2;
    private static final long SECOND = 1_000_000_000L;

    private final Runnable bark;
    private final Watchdog[] watchdogs = {new Watchdog(), new Watchdog()};

    private final class Watchdog extends TimerQueue.Timer {
        private boolean used;

        @Override
        protected void expired(long now) {
            bark.run();
        }
    }

    /** {@code bark} is done each time that one runs out. */
    Watchdogs(Runnable bark) {
        this.bark = bark;
    }

    /**
     * SCHEDOP_watchdog. Id 0 takes a free one into use and returns its id, 1 or 2, or -ENOSPC. Another id sets that one anew, or lets
     * it go with {@code seconds} 0; it returns 0, or -EINVAL if it is not in use. Both numbers are unsigned.
     *
     * @param now machine time in ns
     */
    int set(int id, int seconds, TimerQueue timers, long now) {
        if (Integer.compareUnsigned(id, COUNT) > 0) {
            return -EINVAL;
        }
        long deadline = now + Integer.toUnsignedLong(seconds) * SECOND;
        if (id == 0) {
            for (int i = 0; i < COUNT; i++) {
                if (!watchdogs[i].used) {
                    watchdogs[i].used = true;
                    timers.set(watchdogs[i], deadline);
                    return i + 1;
                }
            }
            return -ENOSPC;
        }
        Watchdog watchdog = watchdogs[id - 1];
        if (!watchdog.used) {
            return -EINVAL;
        }
        if (seconds == 0) {
            watchdog.used = false;
            watchdog.stop();
        } else {
            timers.set(watchdog, deadline);
        }
        return 0;
    }

    /** Stops all of them. */
    void stop() {
        for (Watchdog watchdog : watchdogs) {
            watchdog.stop();
        }
    }
}
