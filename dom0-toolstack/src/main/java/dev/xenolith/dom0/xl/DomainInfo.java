package dev.xenolith.dom0.xl;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One domain at one moment: what XEN_DOMCTL_getdomaininfo and xenstore tell together (xen/include/public/domctl.h).
 *
 * @param domid 0..0x7fef
 * @param name as in /local/domain/DOMID/name
 * @param uuid the handle; all zeroes for Domain-0
 * @param memoryKiB memory that the domain holds now
 * @param maxMemoryKiB its limit (max_memkb)
 * @param onlineVcpus virtual CPUs that are up
 * @param running one of its virtual CPUs is on a processor (XEN_DOMINF_running)
 * @param blocked all its virtual CPUs wait for an event (XEN_DOMINF_blocked)
 * @param paused the toolstack has paused it (XEN_DOMINF_paused)
 * @param dying it is being torn down (XEN_DOMINF_dying)
 * @param shutdownReason why it shut down, or null while it has not (XEN_DOMINF_shutdown)
 * @param cpupool the name of its cpupool
 * @param weight its weight with the scheduler of its pool
 * @param cap its cap, percent of one processor, 0 for none
 * @param cpuTimeNanos what its virtual CPUs have run, in ns
 * @param uptimeNanos machine time since it started, in ns; for Domain-0 since the host started
 */
public record DomainInfo(int domid, String name, UUID uuid, long memoryKiB, long maxMemoryKiB, int onlineVcpus,
        boolean running, boolean blocked, boolean paused, boolean dying, @Nullable ShutdownReason shutdownReason,
        String cpupool,
        int weight, int cap, long cpuTimeNanos, long uptimeNanos) {
}
