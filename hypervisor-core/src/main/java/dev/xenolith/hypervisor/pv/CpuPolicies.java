package dev.xenolith.hypervisor.pv;

import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.hypervisor.operations.CpuPolicy;
import java.util.ArrayList;
import java.util.List;

/** The CPU policies of this machine, listed as Xen lists them (x86_cpuid_copy_to_buffer). */
public final class CpuPolicies {
    /** Last leaves that Xen's policies have. */
    private static final int LAST_BASIC = 0xd;
    private static final int LAST_EXTENDED = 0x8000_0021;
    private static final int EXTENDED = 0x8000_0000;
    private static final int VIRIDIAN = 0x4000_0100;
    private static final int CACHES = 4;
    private static final int MOST_CACHES = 6;
    private static final int CACHE_TYPE = 0x1f;
    private static final int FEATURES = 7;
    private static final int MOST_FEATURES = 3;
    private static final int TOPOLOGY = 0xb;
    private static final int LEVELS = 2;
    private static final int XSTATE = 0xd;
    private static final int MOST_COMPONENTS = 63;

    private final Processor processor;

    /** Of a machine all of whose processors are like {@code processor}. */
    public CpuPolicies(Processor processor) {
        this.processor = processor;
    }

    /** What CPUID and the registers that go with it tell. */
    public CpuPolicy of(CpuPolicy.Kind kind) {
        List<CpuPolicy.Leaf> leaves = new ArrayList<>();
        int last = Math.min(read(kind, 0, 0)[0], LAST_BASIC);
        for (int leaf = 0; leaf <= last; leaf++) {
            switch (leaf) {
                case CACHES -> {
                    for (int i = 0; i < MOST_CACHES && (read(kind, leaf, i)[0] & CACHE_TYPE) != 0; i++) {
                        add(leaves, kind, leaf, i);
                    }
                }
                case FEATURES -> {
                    int most = Math.min(read(kind, leaf, 0)[0], MOST_FEATURES - 1);
                    for (int i = 0; i <= most; i++) {
                        add(leaves, kind, leaf, i);
                    }
                }
                case TOPOLOGY -> {
                    for (int i = 0; i < LEVELS; i++) {
                        add(leaves, kind, leaf, i);
                    }
                }
                case XSTATE -> addComponents(leaves, kind);
                default -> addPlain(leaves, kind, leaf);
            }
        }
        leaves.add(new CpuPolicy.Leaf(PvCpuid.XEN_FIRST, CpuPolicy.NO_SUBLEAF,
                kind == CpuPolicy.Kind.PV ? PvCpuid.XEN_LAST : 0, 0, 0, 0));
        leaves.add(new CpuPolicy.Leaf(VIRIDIAN, CpuPolicy.NO_SUBLEAF, 0, 0, 0, 0));
        int extended = read(kind, EXTENDED, 0)[0];
        for (int leaf = EXTENDED; leaf <= Math.min(extended, LAST_EXTENDED); leaf++) {
            addPlain(leaves, kind, leaf);
        }
        return new CpuPolicy(leaves,
                List.of(new CpuPolicy.Msr(PvMsrs.PLATFORM_INFO, PvMsrs.PLATFORM_CPUID_FAULTING)));
    }

    /** Leaf 0xd: its first two subleaves, and one for each state component. */
    private void addComponents(List<CpuPolicy.Leaf> leaves, CpuPolicy.Kind kind) {
        add(leaves, kind, XSTATE, 0);
        add(leaves, kind, XSTATE, 1);
        int[] first = read(kind, XSTATE, 0);
        long components = first[0] & 0xffff_ffffL | (long) first[3] << Integer.SIZE;
        for (int i = 2; i < MOST_COMPONENTS; i++) {
            if ((components >>> i & 1) != 0) {
                add(leaves, kind, XSTATE, i);
            }
        }
    }

    private void addPlain(List<CpuPolicy.Leaf> leaves, CpuPolicy.Kind kind, int leaf) {
        int[] r = read(kind, leaf, 0);
        leaves.add(new CpuPolicy.Leaf(leaf, CpuPolicy.NO_SUBLEAF, r[0], r[1], r[2], r[3]));
    }

    private void add(List<CpuPolicy.Leaf> leaves, CpuPolicy.Kind kind, int leaf, int subleaf) {
        int[] r = read(kind, leaf, subleaf);
        leaves.add(new CpuPolicy.Leaf(leaf, subleaf, r[0], r[1], r[2], r[3]));
    }

    private int[] read(CpuPolicy.Kind kind, int leaf, int subleaf) {
        int[] result = new int[4];
        PvCpuid.readStatic(processor, kind, leaf, subleaf, result);
        return result;
    }
}
