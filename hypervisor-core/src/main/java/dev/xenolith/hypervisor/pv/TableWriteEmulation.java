package dev.xenolith.hypervisor.pv;

import dev.xenolith.hypervisor.domain.Vcpu;

/** The writable-pagetables assist: a guest kernel's store to a page table that it has mapped read-only. */
@FunctionalInterface
public interface TableWriteEmulation {
    /**
     * The loaded vCPU's kernel faulted while storing to {@code address}, which is mapped read-only. Performs the instruction if it
     * is a store to an L1 table that may be made. Returns false if the fault is the guest's own.
     */
    boolean emulate(PvProcessor processor, Vcpu vcpu, long address);
}
