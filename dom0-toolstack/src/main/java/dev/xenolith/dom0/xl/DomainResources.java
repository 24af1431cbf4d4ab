package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.config.CpuSelection;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * What domains may use of the host: memory, virtual CPUs, processors. Calls wait and fail as those of {@link Toolstack} do. What
 * is changed here a domain has again after a reboot, but for affinities and the limit of memory.
 */
public interface DomainResources {
    /**
     * Limits the memory of a domain (XEN_DOMCTL_max_mem); what it has above the limit it keeps.
     *
     * @param kibibytes positive, at least memory/target, or the call fails
     */
    void setMaxMemory(int domid, long kibibytes);

    /**
     * Asks a domain to use so much memory: writes memory/target, which its balloon driver follows, and limits it to that. Does
     * not wait for the balloon.
     *
     * @param kibibytes positive, at most memory/static-max, or the call fails
     */
    void setMemoryTarget(int domid, long kibibytes);

    /**
     * Asks a domain to bring {@code count} virtual CPUs up and take the others down (cpu/N/availability). Does not wait for it.
     *
     * @param count 1 to what the domain was made with, or the call fails
     */
    void setVcpus(int domid, int count);

    /**
     * Says where a virtual CPU may run and where it prefers to.
     *
     * @param hard null leaves it as it is
     * @param soft null leaves it as it is
     */
    void setAffinity(int domid, int vcpu, @Nullable CpuSelection hard, @Nullable CpuSelection soft);

    /**
     * Changes a domain's share of the processors; what is empty stays as it is.
     *
     * @param weight 1..65535, or the call fails
     * @param cap percent of one processor, 0 for none, at most 100 for each virtual CPU, or the call fails
     */
    void setScheduling(int domid, OptionalInt weight, OptionalInt cap);

    /** Returns how long a virtual CPU runs at least before another takes its processor, in microseconds; 0 for no limit. */
    int ratelimitMicros();

    /** Changes {@link #ratelimitMicros}: 0, or 100 to 500000, or the call fails. */
    void setRatelimitMicros(int micros);
}
