package dev.xenolith.dom0.xl;

import java.util.List;

/**
 * What {@code xl info} prints: dom0's uname, XEN_SYSCTL_physinfo, cputopoinfo, numainfo and the XENVER_* answers.
 *
 * @param uname of dom0
 * @param physical processors and memory
 * @param topology where each processor sits, by processor number
 * @param nodes the NUMA nodes, by node number
 * @param version the hypervisor about itself
 */
public record HostInfo(Uname uname, Physical physical, List<CpuTopology> topology, List<NumaNode> nodes,
        Version version) {
    /**
     * The four fields of uname(2) that xl prints.
     *
     * @param nodename host
     * @param release kernel release of dom0
     * @param version kernel version of dom0
     * @param machine x86_64
     */
    public record Uname(String nodename, String release, String version, String machine) {
    }

    /**
     * XEN_SYSCTL_physinfo (xen/include/public/sysctl.h).
     *
     * @param cpus processors online
     * @param maxCpuId the highest processor number
     * @param coresPerSocket cores per socket
     * @param threadsPerCore threads per core
     * @param cpuKhz frequency, kHz
     * @param hardwareCapabilities the eight words of hw_cap
     * @param virtualizationCapabilities such as pv, hvm, hap, gnttab-v1, in xl's order
     * @param totalKiB all memory that the hypervisor manages
     * @param freeKiB memory free for domains, outstanding claims not subtracted
     * @param outstandingKiB claimed but not yet allocated
     * @param sharingFreedKiB saved by page sharing
     * @param sharingUsedKiB used by shared pages
     * @param freeCpus processors in no cpupool
     */
    public record Physical(int cpus, int maxCpuId, int coresPerSocket, int threadsPerCore, long cpuKhz,
            List<Integer> hardwareCapabilities, List<String> virtualizationCapabilities, long totalKiB, long freeKiB,
            long outstandingKiB, long sharingFreedKiB, long sharingUsedKiB, int freeCpus) {
    }

    /** Where a processor sits. */
    public record CpuTopology(int core, int socket, int node) {
    }

    /**
     * One NUMA node.
     *
     * @param sizeKiB its memory
     * @param freeKiB of it free
     * @param distances to each node, by node number; 10 to itself
     */
    public record NumaNode(long sizeKiB, long freeKiB, List<Integer> distances) {
    }

    /**
     * The answers of HYPERVISOR_xen_version (xen/include/public/version.h); guests get the same ones.
     *
     * @param major 4
     * @param minor 17
     * @param extra XENVER_extraversion, such as ".7"
     * @param capabilities XENVER_capabilities
     * @param scheduler the name of the scheduler of Pool-0
     * @param pageSize bytes
     * @param virtStart XENVER_platform_parameters
     * @param changeset XENVER_changeset
     * @param commandLine what the host was started with
     * @param compiler XENVER_compile_info
     * @param compileBy XENVER_compile_info
     * @param compileDomain XENVER_compile_info
     * @param compileDate XENVER_compile_info
     * @param buildId XENVER_build_id in hex
     */
    public record Version(int major, int minor, String extra, String capabilities, String scheduler, int pageSize,
            long virtStart, String changeset, String commandLine, String compiler, String compileBy,
            String compileDomain, String compileDate, String buildId) {
    }
}
