package dev.xenolith.hypervisor.operations;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Control over other domains, for the domain that holds the privilege (xen/include/public/domctl.h, memory.h). Operations over
 * a guest-controlled count are preemptible: they return {@link #AGAIN} when they want to be called again with the same
 * arguments, so that a long one never holds the machine.
 */
public interface DomainControl extends DomainSettings {
    /** "Not finished: call again with the same arguments": -ERESTART, which no other failure returns. */
    int AGAIN = -85;

    /**
     * What a new domain is made with (XEN_DOMCTL_createdomain).
     *
     * @param maxEventChannels the highest event channel port
     * @param maxGrantVersion latest version of grant table that it may choose, 1 or 2
     * @param privileged whether it may do what domain 0 may; no flag of the ABI says so
     */
    record Creation(UUID handle, boolean hvm, int maxVcpus, int maxEventChannels, int maxGrantFrames,
            int maxMaptrackFrames, int maxGrantVersion, boolean privileged) {
        /** Of a domain without privilege. */
        public Creation(UUID handle, boolean hvm, int maxVcpus, int maxEventChannels, int maxGrantFrames,
                int maxMaptrackFrames, int maxGrantVersion) {
            this(handle, hvm, maxVcpus, maxEventChannels, maxGrantFrames, maxMaptrackFrames, maxGrantVersion, false);
        }
    }

    /** Makes an empty, paused domain. Returns its domid. */
    int create(Creation creation);

    /** As {@link #create(Creation)}, with a domid that is chosen; -EEXIST if there is such a domain. */
    int create(int domid, Creation creation);

    /**
     * Makes an empty, paused Java domain: one vCPU that runs the handlers which are given to its {@link #handle}. It has no
     * privilege. Returns its domid, -EEXIST if {@code domid} is taken.
     *
     * @param domid the domid it is to have, so that what was granted to one before it is granted to it too; 0 for any
     */
    int createJava(int domid, Creation creation);

    /** The door of a Java domain, for those who give it its handlers; null if there is no such domain, or it runs a guest. */
    @Nullable
    DomainHandle handle(int domid);

    /** Limits the domain's memory, in KiB. XEN_DOMCTL_max_mem. */
    int setMaxMemory(int domid, long kibibytes);

    /**
     * Tells a PV domain that its pseudo-physical memory is RAM from 0 to {@code kibibytes}, of which it may not have all.
     * XENMEM_set_memory_map.
     */
    int setMemoryMapLimit(int domid, long kibibytes);

    /**
     * Allocates frames to the domain until {@code target.length} are there, filling {@code target} from index {@code done}.
     * Returns the new number done (call again while less than the length) or -ENOMEM. XENMEM_populate_physmap.
     */
    int populate(int domid, long[] target, int done);

    /** Records in the M2P table that machine frame {@code mfn} is pseudo-physical frame {@code pfn}. MMU_MACHPHYS_UPDATE. */
    int setMachineToPhysical(int domid, long mfn, long pfn);

    /**
     * Maps frames of the domain, writable. While mapped they hold a writable type, so they cannot become page tables.
     *
     * @throws OperationException -ESRCH, -EINVAL when a frame is not the domain's, -EBUSY when its type forbids writing
     */
    SharedPage mapForeign(int domid, long... mfns) throws OperationException;

    /** The shared info frame of a PV domain, to be named in its start info. Returns the MFN. */
    long sharedInfoFrame(int domid);

    /**
     * Makes an empty PV domain one of {@code bits}, 64 (as it is made) or 32: its kernel then runs in ring 1 on PAE page tables, and its
     * structures have their 32-bit layout. XEN_DOMCTL_set_address_size. 0; -ESRCH; -EINVAL for other widths; -EACCES if the domain has
     * memory already; -ENOMEM.
     */
    int setAddressSize(int domid, int bits);

    /** 32 or 64; -ESRCH. XEN_DOMCTL_get_address_size. */
    int addressSize(int domid);

    /**
     * Pins {@code mfn} of the domain as the root of an address space: a level-4 table, of 32-bit domains a level-3 table.
     * MMUEXT_PIN_L4_TABLE, MMUEXT_PIN_L3_TABLE. Preemptible.
     */
    int pinRoot(int domid, long mfn);

    /**
     * Sets up grant entry {@code reference} of the domain so that {@code grantee} may map {@code frame} (a PFN of an HVM domain,
     * an MFN of a PV one): what xc_dom_gnttab_seed does for the console and xenstore pages.
     */
    int seedGrant(int domid, int reference, int grantee, long frame);

    /**
     * Sets a vCPU's initial state: a {@code vcpu_guest_context} of 5168 bytes, of 32-bit domains one of 2800 bytes (another size is
     * -EINVAL). XEN_DOMCTL_setvcpucontext.
     */
    int setVcpuContext(int domid, int vcpu, byte[] context);

    /** Reads a vCPU's state as a {@code vcpu_guest_context}, or null if there is none. */
    byte @Nullable [] vcpuContext(int domid, int vcpu);

    /** Counts as a toolstack pause; the domain runs again when as many {@link #unpause} have come. -E2BIG after 255. */
    int pause(int domid);

    int unpause(int domid);

    /** Ends a domain by force. Preemptible; returns 0 once nothing is left but what others still map. XEN_DOMCTL_destroydomain. */
    int destroy(int domid);

    /** Marks the domain shut down with an SHUTDOWN_* reason, as if it had said so itself. SCHEDOP_remote_shutdown. */
    int shutdown(int domid, int reason);

    /**
     * Lets a domain that has shut down go on where it was. XEN_DOMCTL_resumedomain. -EINVAL if it has not shut down.
     *
     * @param cancelled the SCHEDOP_shutdown of vCPU 0 returns 1, which tells a kernel with the note SUSPEND_CANCEL that its suspend did
     *     not take place and nothing has changed (what libxc's xc_domain_resume does before it resumes); -EINVAL if the reason was not
     *     SHUTDOWN_suspend
     */
    int resume(int domid, boolean cancelled);

    /**
     * Takes from a PV domain that has suspended itself (SHUTDOWN_suspend) what it had set up with the hypervisor: its ports, the vCPUs'
     * registered areas and timers, as if it had been restored from a saved image. To be followed by new rings and a {@link #resume} that is not
     * cancelled. 0; {@link #AGAIN}; -EINVAL.
     */
    int resetInterfaces(int domid);

    /**
     * Sends a vCPU one of Domctl.SENDTRIGGER_*. XEN_DOMCTL_sendtrigger. -ESRCH if there is no such vCPU; for PV domains -EINVAL for
     * buttons, -ENOSYS for all else but NMIs.
     */
    int sendTrigger(int domid, int trigger, int vcpu);

    /**
     * Lists frames of a domain, in an order that stays the same while it is paused. XEN_DOMCTL_getmemlist.
     *
     * @param after the last MFN that a call before this one listed, -1 to begin
     * @param mfns filled with machine frame numbers
     * @param pfns filled with their pseudo-physical frame numbers, -1 for a frame without one; of the same length
     * @return how many are listed, less than the length at the end; -EINVAL if {@code after} is not the domain's
     */
    int memoryList(int domid, long after, long[] mfns, long[] pfns);

    /**
     * Copies one frame of a domain, whatever it is used as, to {@code target} from {@code offset} on: a foreign mapping for reading,
     * and its end. 0, or -EINVAL if the frame is not the domain's.
     */
    int copyFrame(int domid, long mfn, byte[] target, int offset);

    /** Scheduler weight and cap of a credit2 domain. XEN_DOMCTL_scheduler_op. */
    int setSchedulerParameters(int domid, int weight, int cap);

    /** Scheduler weight and cap of a domain, null if there is no such domain. XEN_DOMCTL_scheduler_op. */
    @Nullable
    SchedulerParameters schedulerParameters(int domid);

    /** Hard and soft affinity as processor masks. XEN_DOMCTL_setvcpuaffinity. */
    int setAffinity(int domid, int vcpu, long hard, long soft);

    @Nullable
    DomainInfo info(int domid);

    /** All domains in ascending order of domid. XEN_SYSCTL_getdomaininfolist. */
    List<DomainInfo> list();

    /** State of one vCPU, or null if there is no such vCPU. XEN_DOMCTL_getvcpuinfo. */
    @Nullable
    VcpuInfo vcpu(int domid, int vcpu);

    /**
     * A domain's share of the processors under credit2.
     *
     * @param weight 1..65535
     * @param cap percent of one processor, 0 for none
     */
    record SchedulerParameters(int weight, int cap) {
    }

    /** What XEN_DOMCTL_getdomaininfo tells; {@code outstandingPages} are claimed and not allocated yet. */
    record DomainInfo(int domid, UUID handle, long pages, long maxPages, int onlineVcpus, int maxVcpus, boolean running,
            boolean blocked, boolean paused, boolean shutdown, boolean dying, boolean hvm, int shutdownReason,
            long cpuTimeNs, boolean debugged, long outstandingPages) {
    }

    /** What XEN_DOMCTL_getvcpuinfo tells, with affinities; {@code processor} is where it runs or last ran. */
    record VcpuInfo(int vcpu, boolean online, boolean blocked, boolean running, int processor, long cpuTimeNs,
            long hardAffinity,
            long softAffinity) {
    }
}
