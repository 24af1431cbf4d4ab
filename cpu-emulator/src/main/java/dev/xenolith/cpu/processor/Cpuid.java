package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.apic.LocalApic;

/** CPUID: the model's leaves, and what depends on the processor's state (SDM 2A CPUID). */
public final class Cpuid {
    /** The highest basic leaf while IA32_MISC_ENABLE limits it. */
    private static final int LIMIT = 2;
    private static final int MONITOR = 1 << 3;
    private static final int APIC = 1 << 9;
    private static final int X2APIC_ID_LEAF = 0xb;
    private static final int XSAVE_LEAF = 0xd;
    private static final int OSXSAVE = 1 << 27;
    private static final int STRUCTURED_FEATURES = 7;
    private static final int EXTENDED_FEATURES = 0x8000_0001;
    private static final int NX = 1 << 20;
    private static final int OSPKE = 1 << 4;
    private static final int PKRU_COMPONENT = 9;
    private static final int THREAD_LEVEL = 1 << 8;
    private static final int CORE_LEVEL = 2 << 8;

    private Cpuid() {}

    static void execute(Processor p) {
        int[] result = new int[4];
        read(p, (int) p.gpr[Processor.RAX], (int) p.gpr[Processor.RCX], result);
        p.gpr[Processor.RAX] = result[0] & 0xffff_ffffL;
        p.gpr[Processor.RBX] = result[1] & 0xffff_ffffL;
        p.gpr[Processor.RCX] = result[2] & 0xffff_ffffL;
        p.gpr[Processor.RDX] = result[3] & 0xffff_ffffL;
    }

    /** EAX, EBX, ECX and EDX of a leaf on this processor into {@code result}; for a hypervisor too. */
    public static void read(Processor p, int leaf, int subleaf, int[] result) {
        boolean limited = Msrs.limitsCpuid(p);
        int asked = limited && leaf > LIMIT ? LIMIT : leaf;
        p.model.cpuid(asked, subleaf, result);
        switch (asked) {
            case 0 -> {
                if (limited) {
                    result[0] = LIMIT;
                }
            }
            case 1 -> {
                if (!Msrs.hasMonitor(p)) {
                    result[2] &= ~MONITOR;
                }
                result[1] |= p.apic.id() << 24;
                if ((p.cr4 & Bits.CR4_OSXSAVE) != 0) {
                    result[2] |= OSXSAVE;
                }
                if ((p.apic.baseMsr() & LocalApic.BASE_ENABLE) == 0) {
                    result[3] &= ~APIC;
                }
            }
            case STRUCTURED_FEATURES -> {
                if (subleaf == 0 && (p.cr4 & Bits.CR4_PKE) != 0) {
                    result[2] |= OSPKE;
                }
            }
            case X2APIC_ID_LEAF -> {
                // One thread per core; which processors share a package is for the machine to say later.
                result[0] = subleaf == 1 ? 8 : 0;
                result[1] = subleaf == 0 || subleaf == 1 ? 1 : 0;
                result[2] = subleaf & 0xff | (subleaf == 0 ? THREAD_LEVEL : subleaf == 1 ? CORE_LEVEL : 0);
                result[3] = p.apic.id();
            }
            case XSAVE_LEAF -> {
                if (p.model.has("xsave")) {
                    stateComponents(p, subleaf, result);
                }
            }
            case EXTENDED_FEATURES -> {
                if (!Msrs.hasExecuteDisable(p)) {
                    result[3] &= ~NX;
                }
            }
            default -> {
            }
        }
    }

    /** Leaf 0xD: sizes by what XCR0 enables; subleaf 1 has its features from the model (SDM 2A CPUID, SDM 1 13.2). */
    private static void stateComponents(Processor p, int subleaf, int[] result) {
        long supported = SaveArea.supported(p);
        switch (subleaf) {
            case 0 -> {
                result[0] = (int) supported;
                result[1] = SaveArea.standardBytes(p.xcr0);
                result[2] = SaveArea.standardBytes(supported);
            }
            case 1 -> result[1] = p.model.has("xsavec") ? SaveArea.compactedBytes(p.xcr0) : 0;
            case 2 -> {
                if ((supported & SaveArea.AVX) != 0) {
                    result[0] = SaveArea.AVX_BYTES;
                    result[1] = SaveArea.AVX_OFFSET;
                }
            }
            case PKRU_COMPONENT -> {
                if ((supported & SaveArea.PKRU) != 0) {
                    result[0] = SaveArea.PKRU_BYTES;
                    result[1] = SaveArea.PKRU_OFFSET;
                }
            }
            default -> {
            }
        }
    }

    /** Bytes of an XSAVE area in the standard format with these state components. */
    public static int stateBytes(long components) {
        return SaveArea.standardBytes(components);
    }
}
