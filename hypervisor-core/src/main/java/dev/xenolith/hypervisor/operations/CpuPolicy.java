package dev.xenolith.hypervisor.operations;

import java.util.List;
import java.util.Optional;

/**
 * What CPUID and some model-specific registers tell (x86_cpu_policy of xen/include/xen/lib/x86): each leaf that there is, in
 * ascending order of leaf and subleaf, without what depends on the state of one processor.
 */
public record CpuPolicy(List<Leaf> leaves, List<Msr> msrs) {
    /** Whose view it is. */
    public enum Kind {
        /** The hardware's own, which is the hypervisor's too. */
        HOST,
        /** A PV guest's. All have the same. */
        PV
    }

    /** {@link Leaf#subleaf} of a leaf that has none (XEN_CPUID_NO_SUBLEAF). */
    public static final int NO_SUBLEAF = -1;

    /** One leaf of CPUID. */
    public record Leaf(int leaf, int subleaf, int a, int b, int c, int d) {
    }

    /** One model-specific register. */
    public record Msr(int index, long value) {
    }

    /** Copies the lists. */
    public CpuPolicy {
        leaves = List.copyOf(leaves);
        msrs = List.copyOf(msrs);
    }

    /** The leaf with these numbers; {@link #NO_SUBLEAF} for one without subleaves. */
    public Optional<Leaf> leaf(int leaf, int subleaf) {
        return leaves.stream().filter(l -> l.leaf == leaf && l.subleaf == subleaf).findFirst();
    }
}
