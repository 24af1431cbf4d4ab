package dev.xenolith.hypervisor.control;

import dev.xenolith.hypervisor.domain.Vcpu;

/** Reads and writes whole vCPU states as a {@code vcpu_guest_context}; the PV code knows how. */
public interface VcpuContexts {
    /** XEN_DOMCTL_setvcpucontext. 0, -EINVAL, or -ERESTART: call again. */
    int set(Vcpu vcpu, byte[] context);

    /** XEN_DOMCTL_getvcpucontext of an initialised vCPU. */
    byte[] get(Vcpu vcpu);
}
