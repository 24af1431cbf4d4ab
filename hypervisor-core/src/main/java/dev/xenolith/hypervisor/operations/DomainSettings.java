package dev.xenolith.hypervisor.operations;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a toolstack sets of other domains while it builds them, and seldom later (xen/include/public/domctl.h, memory.h). A domid that no
 * domain has gives -ESRCH, a caller without the privilege -EPERM.
 */
public interface DomainSettings {
    /** Gives the domain another handle. XEN_DOMCTL_setdomainhandle. */
    int setHandle(int domid, UUID handle);

    /** Moves the domain's wall clock by {@code seconds} against the host's. XEN_DOMCTL_settimeoffset. */
    int setTimeOffset(int domid, long seconds);

    /**
     * Whether breakpoints and single steps of the domain's kernel pause it and raise VIRQ_DEBUGGER. XEN_DOMCTL_setdebugging. -EINVAL
     * for the caller itself.
     */
    int setDebugging(int domid, boolean enable);

    /** Writes the hypercall stubs to frame {@code mfn}. XEN_DOMCTL_hypercall_init. -EINVAL: not the domain's; -EPERM: not writable. */
    int initHypercallPage(int domid, long mfn);

    /** How the domain's TSC is kept: what {@link #tsc} returns. The counter itself is always the processor's. */
    record Tsc(int mode, int kilohertz, int incarnation, long elapsedNanos) {
    }

    /**
     * XEN_DOMCTL_settscinfo: -EINVAL for an unknown mode and for the caller itself, -EOPNOTSUPP for what would need an emulated counter:
     * mode 1, or another frequency than the processor's.
     */
    int setTsc(int domid, Tsc tsc);

    /** XEN_DOMCTL_gettscinfo; null if there is no such domain. */
    @Nullable
    Tsc tsc(int domid);

    /** Has the domain get a global virtual interrupt instead of domain 0. XEN_DOMCTL_set_virq_handler. -EINVAL: not a global one. */
    int setVirqHandler(int domid, int virq);

    /** On which nodes, of which there is one, the domain's memory should be. XEN_DOMCTL_setnodeaffinity. -EINVAL: on none that exists. */
    int setNodeAffinity(int domid, long nodes);

    /** XEN_DOMCTL_getnodeaffinity; 0 if there is no such domain. */
    long nodeAffinity(int domid);

    /** Takes a vCPU, which goes down, back to how it was made. XEN_DOMCTL_setvcpucontext without a context. Preemptible. */
    int resetVcpu(int domid, int vcpu);

    /** Most frames that the domain's grant table may have: of entries, or of marks. XENMEM_acquire_resource. -ESRCH without a domain. */
    int maxGrantFrames(int domid, boolean status);

    /**
     * Machine frames {@code first} to {@code first + mfns.length} of the domain's grant table, which grows as far as needed, into
     * {@code mfns}. XENMEM_acquire_resource. -EINVAL: beyond the table's limit, or frames of marks of a table that has none.
     */
    int grantFrames(int domid, boolean status, long first, long[] mfns);

    /**
     * Reserves free memory for the domain until it has {@code pages} in all; 0 gives the claim up. XENMEM_claim_pages. -EINVAL: there is a
     * claim, or that is not more than it has or more than it may have; -ENOMEM: so much is not free.
     */
    int claim(int domid, long pages);
}
