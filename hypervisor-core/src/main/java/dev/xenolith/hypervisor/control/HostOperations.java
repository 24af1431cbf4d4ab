package dev.xenolith.hypervisor.control;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;

import dev.xenolith.hypervisor.console.Log;
import dev.xenolith.hypervisor.domain.Dispatcher;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.operations.CpuPolicy;
import dev.xenolith.hypervisor.operations.HostControl;
import dev.xenolith.hypervisor.schedule.Scheduler;
import dev.xenolith.hypervisor.trace.Trace;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.stream.IntStream;

/** Host-wide operations of one privileged domain; a handle that has gone stale gets empty answers. */
final class HostOperations implements HostControl {
    private static final long NANOS_PER_MICRO = 1000;
    /** XEN_SYSCTL_SCHED_RATELIMIT_MIN and _MAX, in microseconds. */
    private static final int LEAST_RATELIMIT = 100;
    private static final int MOST_RATELIMIT = 500_000;

    private final BooleanSupplier allowed;
    private final Version version;
    private final Log log;
    private final Trace trace;
    private final Memory memory;
    private final Dispatcher dispatcher;
    private final Scheduler scheduler;
    private final Function<CpuPolicy.Kind, CpuPolicy> policies;
    private final Processors processors;
    private final int domid;

    /** What {@code xl info} tells of the processors; fixed for the life of the machine. */
    record Processors(int count, long khz, int[] hardwareCapabilities, String scheduler) {
    }

    HostOperations(BooleanSupplier allowed, int domid, Version version, Log log, Trace trace, Memory memory,
            Dispatcher dispatcher, Function<CpuPolicy.Kind, CpuPolicy> policies, Processors processors) {
        this.allowed = allowed;
        this.domid = domid;
        this.version = version;
        this.log = log;
        this.trace = trace;
        this.memory = memory;
        this.dispatcher = dispatcher;
        this.scheduler = dispatcher.scheduler();
        this.policies = policies;
        this.processors = processors;
    }

    @Override
    public Version version() {
        return version;
    }

    @Override
    public PhysicalInfo physicalInfo() {
        return new PhysicalInfo(processors.count(), processors.count() - 1, processors.count(), 1, 1, processors.khz(),
                memory.totalFrames(), memory.freeFrames(), 0, memory.claimedFrames(), "pv gnttab-v1 gnttab-v2",
                processors.hardwareCapabilities().clone(),
                processors.scheduler());
    }

    @Override
    public int ratelimitMicros() {
        return (int) (scheduler.ratelimit() / NANOS_PER_MICRO);
    }

    @Override
    public int setRatelimitMicros(int micros) {
        if (!allowed.getAsBoolean()) {
            return -EPERM;
        }
        if (micros != 0 && (micros < LEAST_RATELIMIT || micros > MOST_RATELIMIT)) {
            return -EINVAL;
        }
        scheduler.setRatelimit(micros * NANOS_PER_MICRO);
        return 0;
    }

    @Override
    public String consoleRing(boolean clear) {
        return allowed.getAsBoolean() ? log.read(clear) : "";
    }

    @Override
    public ConsoleChunk readConsole(boolean incremental, int from, int most, boolean clear) {
        return allowed.getAsBoolean() ? log.read(incremental, from, most, clear) : new ConsoleChunk(new byte[0], from);
    }

    @Override
    public long[] idleTimes() {
        return IntStream.range(0, processors.count()).mapToLong(dispatcher::idleTime).toArray();
    }

    @Override
    public CpuPolicy cpuPolicy(CpuPolicy.Kind kind) {
        return policies.apply(kind);
    }

    @Override
    public void log(String line) {
        if (allowed.getAsBoolean()) {
            log.print("(d" + domid + ") " + line);
        }
    }

    @Override
    public TraceChunk trace(long position, int maxRecords) {
        if (!allowed.getAsBoolean()) {
            return new TraceChunk(new byte[0], position, 0);
        }
        Trace.Chunk chunk = trace.read(position, maxRecords);
        return new TraceChunk(chunk.records(), chunk.next(), chunk.lost());
    }

    @Override
    public void setTraceMask(int mask) {
        if (allowed.getAsBoolean()) {
            trace.setMask(mask);
        }
    }

    @Override
    public int traceMask() {
        return trace.mask();
    }
}
