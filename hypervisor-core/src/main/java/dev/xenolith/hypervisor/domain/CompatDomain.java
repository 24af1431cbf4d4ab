package dev.xenolith.hypervisor.domain;

import static dev.xenolith.hypervisor.abi.Errno.ENOMEM;

import dev.xenolith.hypervisor.paging.DescriptorTables;
import java.util.Objects;

/** What a domain of 32 bits has that another has not (switch_compat of xen/arch/x86/pv/domain.c). */
final class CompatDomain {
    private static final int RESERVED_GDT_PAGE = 14;

    private CompatDomain() {
    }

    /** Makes {@code domain}, a PV domain without memory, one of 32 bits. 0 or -ENOMEM: nothing has changed. */
    static int make(Domains domains, Domain domain, int gdtFrame) {
        if (!domains.memory.m2p().takeCompat(domains.memory)) {
            return -ENOMEM;
        }
        for (Vcpu vcpu : domain.vcpus) {
            if (!vcpu.tables().provideCompatL4()) {
                giveBack(domains, domain);
                return -ENOMEM;
            }
        }
        DescriptorTables descriptors = Objects.requireNonNull(domain.descriptors);
        for (Vcpu vcpu : domain.vcpus) {
            descriptors.setReservedGdtPage(vcpu.id, RESERVED_GDT_PAGE, gdtFrame);
        }
        domain.memory.setCompat();
        return 0;
    }

    /** Gives back what {@link #make} took, if this is such a domain; no processor holds its vCPUs, and no page table is left. */
    static void release(Domains domains, Domain domain) {
        if (domain.memory.isCompat()) {
            giveBack(domains, domain);
        }
    }

    private static void giveBack(Domains domains, Domain domain) {
        domains.memory.m2p().giveCompat(domains.memory);
        for (Vcpu vcpu : domain.vcpus) {
            vcpu.tables().releaseCompatL4();
        }
    }
}
