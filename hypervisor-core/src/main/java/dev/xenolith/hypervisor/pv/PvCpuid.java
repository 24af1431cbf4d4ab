package dev.xenolith.hypervisor.pv;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.Cpuid;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.hypervisor.console.XenVersion;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.operations.CpuPolicy;

/**
 * CPUID as a PV guest sees it: the processor's, without what a guest in ring 3 cannot use, and the hypervisor's own leaves
 * (xen/arch/x86/cpuid.c, xen/include/public/arch-x86/cpuid.h).
 */
final class PvCpuid {
    static final int XEN_FIRST = 0x4000_0000;
    static final int XEN_LAST = XEN_FIRST + 5;
    private static final int FEATURES = 1;
    private static final int MONITOR = 5;
    private static final int POWER = 6;
    private static final int STRUCTURED_FEATURES = 7;
    private static final int PERFORMANCE_MONITORING = 0xa;
    private static final int TOPOLOGY = 0xb;
    private static final int STATE_COMPONENTS = 0xd;
    /** XSAVES and XRSTORS are for CPL 0, where no PV guest is. */
    private static final int XSAVES = 1 << 3;
    private static final int EXTENDED_FEATURES = 0x8000_0001;
    private static final int ADDRESS_WIDTHS = 0x8000_0008;
    private static final int LINEAR_BITS = 48;
    /** Protection keys are for kernels that have CR4. */
    private static final int PKRU_COMPONENT = 9;
    private static final int PKRU = 1 << PKRU_COMPONENT;
    private static final int SVM = 0x8000_000a;
    /** DTES64 MONITOR DSCPL VMX SMX EIST TM2 SDBG XTPR PDCM PCID X2APIC TSC-deadline. */
    private static final int HIDDEN_1_ECX = bits(2, 3, 4, 5, 6, 7, 8, 11, 14, 15, 17, 21, 24);
    /** VME PSE MTRR PGE PSE36 DS ACPI TM PBE. */
    private static final int HIDDEN_1_EDX = bits(1, 3, 12, 13, 17, 21, 22, 29, 31);
    private static final int OSXSAVE = 1 << 27;
    private static final int HYPERVISOR = 1 << 31;
    /** TSC-adjust SMEP INVPCID SMAP. */
    private static final int HIDDEN_7_EBX = bits(1, 7, 10, 20);
    /** UMIP PKU OSPKE LA57. */
    private static final int HIDDEN_7_ECX = bits(2, 3, 4, 16);
    /** SVM EXTAPIC SKINIT WDT MWAITX. */
    private static final int HIDDEN_EXTENDED_ECX = bits(2, 3, 12, 13, 29);
    /** VME PSE MTRR PGE PSE36 1GB-pages. */
    private static final int HIDDEN_EXTENDED_EDX = bits(1, 3, 12, 13, 17, 26);
    private static final int SYSCALL = 1 << 11;
    private static final int LONG_MODE = 1 << 29;
    private static final int APIC_ID_SHIFT = 24;
    private static final int APIC_ID_MASK = (1 << APIC_ID_SHIFT) - 1;
    /** Leaf 0x40000002 ECX: MMU_PT_UPDATE_PRESERVE_AD. */
    private static final int PRESERVE_AD = 1;
    /** Leaf 0x40000003: the TSC is the same on all processors; RDTSCP is there. */
    private static final int TSC_SAFE = 1 << 1;
    private static final int TSC_RDTSCP = 1 << 2;

    private PvCpuid() {
    }

    private static int bits(int... numbers) {
        int mask = 0;
        for (int number : numbers) {
            mask |= 1 << number;
        }
        return mask;
    }

    /**
     * EAX, EBX, ECX, EDX of a leaf for {@code vcpu}, which is loaded on {@code p}.
     *
     * @param frames of the machine, which tell how wide its addresses are: kernels choose the version of their grant table by that
     * @param enlightened whether the guest's kernel asked by the forced-emulation prefix. It then finds OSXSAVE as the hypervisor has
     *            it, before it has set its own CR4: kernels take this for the sign that they may use XSAVE at all
     */
    static void read(Processor p, Vcpu vcpu, long frames, boolean enlightened, int leaf, int subleaf, int[] result) {
        if (leaf >= XEN_FIRST && leaf < XEN_FIRST + 0x100) {
            readXen(p, frames, leaf, subleaf, result);
            return;
        }
        readMasked(p, leaf, subleaf, result);
        switch (leaf) {
            case FEATURES -> {
                result[1] = result[1] & APIC_ID_MASK | 2 * vcpu.id << APIC_ID_SHIFT;
                result[2] = result[2] & ~OSXSAVE | (osxsave(p, vcpu, enlightened) ? OSXSAVE : 0);
            }
            case TOPOLOGY -> result[3] = 2 * vcpu.id;
            case EXTENDED_FEATURES -> {
                if (vcpu.domain.memory.isCompat()) {
                    // No long mode, and Intel has SYSCALL only there.
                    result[3] &= ~(LONG_MODE | (p.model.isIntel() ? SYSCALL : 0));
                }
            }
            default -> {
            }
        }
    }

    /** A leaf of the processor without what no PV guest may use, whatever its vCPU. */
    private static void readMasked(Processor p, int leaf, int subleaf, int[] result) {
        Cpuid.read(p, leaf, subleaf, result);
        switch (leaf) {
            case FEATURES -> {
                result[2] = result[2] & ~HIDDEN_1_ECX | HYPERVISOR;
                result[3] &= ~HIDDEN_1_EDX;
            }
            case MONITOR, POWER, PERFORMANCE_MONITORING, SVM -> java.util.Arrays.fill(result, 0);
            case STRUCTURED_FEATURES -> {
                if (subleaf == 0) {
                    result[1] &= ~HIDDEN_7_EBX;
                    result[2] &= ~HIDDEN_7_ECX;
                }
            }
            case STATE_COMPONENTS -> {
                switch (subleaf) {
                    case 0 -> {
                        result[0] &= ~PKRU;
                        result[2] = Cpuid.stateBytes(result[0]);
                    }
                    case 1 -> result[0] &= ~XSAVES;
                    case PKRU_COMPONENT -> java.util.Arrays.fill(result, 0);
                    default -> {
                    }
                }
            }
            case ADDRESS_WIDTHS -> result[0] = result[0] & ~0xff00 | LINEAR_BITS << 8;
            case EXTENDED_FEATURES -> {
                result[2] &= ~HIDDEN_EXTENDED_ECX;
                result[3] = result[3] & ~HIDDEN_EXTENDED_EDX | SYSCALL;
            }
            default -> {
            }
        }
    }

    /** A leaf as {@code kind} has it, without what depends on the state of a processor or vCPU; {@code p} is any processor. */
    static void readStatic(Processor p, CpuPolicy.Kind kind, int leaf, int subleaf, int[] result) {
        if (kind == CpuPolicy.Kind.PV) {
            readMasked(p, leaf, subleaf, result);
        } else {
            Cpuid.read(p, leaf, subleaf, result);
        }
        switch (leaf) {
            case FEATURES -> {
                result[1] &= APIC_ID_MASK;
                result[2] &= ~OSXSAVE;
            }
            case TOPOLOGY -> result[3] = 0;
            case STATE_COMPONENTS -> {
                if (subleaf <= 1) {
                    result[1] = 0;
                }
            }
            default -> {
            }
        }
    }

    private static boolean osxsave(Processor p, Vcpu vcpu, boolean enlightened) {
        return (vcpu.pv().cr4 & Bits.CR4_OSXSAVE) != 0 || enlightened && p.model.has("xsave");
    }

    private static void readXen(Processor p, long frames, int leaf, int subleaf, int[] result) {
        java.util.Arrays.fill(result, 0);
        switch (leaf - XEN_FIRST) {
            case 0 -> {
                result[0] = XEN_LAST;
                result[1] = 0x566e_6558; // "XenVMMXenVMM"
                result[2] = 0x6558_4d4d;
                result[3] = 0x4d4d_566e;
            }
            case 1 -> result[0] = XenVersion.MAJOR << 16 | XenVersion.MINOR;
            case 2 -> {
                result[0] = 1;
                result[1] = PrivilegedOps.MSR_HYPERCALL_PAGE;
                result[2] = PRESERVE_AD;
            }
            case 3 -> readTsc(p, subleaf, result);
            case 5 -> result[1] = Long.SIZE - Long.numberOfLeadingZeros(frames - 1) + PhysicalMemory.FRAME_SHIFT;
            default -> {
            }
        }
    }

    private static void readTsc(Processor p, int subleaf, int[] result) {
        int kilohertz = (int) p.model.tscScale().kilohertz();
        if (subleaf == 0) {
            result[0] = TSC_SAFE | (p.model.has("rdtscp") ? TSC_RDTSCP : 0);
            result[2] = kilohertz;
        } else if (subleaf == 2) {
            result[0] = kilohertz;
        }
    }
}
