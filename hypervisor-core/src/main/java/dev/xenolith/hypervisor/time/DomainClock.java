package dev.xenolith.hypervisor.time;

/** The clock of one domain: nanoseconds since the machine was started, without the time that the domain was paused. */
public final class DomainClock {
    private long offset;
    private long stoppedAt = -1;

    /** The domain's time at machine time {@code machineNow}. */
    public long at(long machineNow) {
        return (stoppedAt >= 0 ? stoppedAt : machineNow) - offset;
    }

    /** Machine time at which the domain's time is {@code domainTime}, if it is not stopped until then; saturates. */
    public long toMachine(long domainTime) {
        long machine = domainTime + offset;
        return machine < 0 && domainTime > 0 ? Long.MAX_VALUE : machine;
    }

    /** Nanoseconds that the domain's clock is behind the machine's. */
    public long offset() {
        return offset;
    }

    public boolean isStopped() { return stoppedAt >= 0; }

    /** Stops the clock; does nothing if it is stopped. */
    public void stop(long machineNow) {
        if (stoppedAt < 0) {
            stoppedAt = machineNow;
        }
    }

    /** Lets the clock go on from where it was stopped. */
    public void resume(long machineNow) {
        if (stoppedAt >= 0) {
            offset += machineNow - stoppedAt;
            stoppedAt = -1;
        }
    }
}
