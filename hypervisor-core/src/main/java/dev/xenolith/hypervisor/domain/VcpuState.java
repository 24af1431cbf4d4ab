package dev.xenolith.hypervisor.domain;

/**
 * What the domain layer asks of those who load vCPUs onto processors ({@code pv}): to keep a processor that holds a vCPU in step
 * with changes made from outside.
 */
public interface VcpuState {
    /** The vCPU's root tables changed, or its translations must be forgotten. */
    void rootChanged(Vcpu vcpu);

    /** The vCPU's LDT changed. */
    void ldtChanged(Vcpu vcpu);

    /** Writes registers that a processor holds back to {@link Vcpu#pv}, and leaves them there. */
    void unload(Vcpu vcpu);

    /** The vCPU will not run again: no processor holds anything of it any more. */
    void retire(Vcpu vcpu);

    /** Logs the registers, stack and code of a vCPU, as Xen does when a domain crashes. */
    void dump(Vcpu vcpu);
}
