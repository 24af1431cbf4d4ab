package dev.xenolith.hypervisor.pv;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.ControlRegisters;
import dev.xenolith.cpu.processor.Msrs;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Vector;
import dev.xenolith.hypervisor.abi.HypercallPage;
import dev.xenolith.hypervisor.console.LogLevel;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.memory.FrameTable;

/** Model-specific registers of a PV guest (xen/arch/x86/msr.c, read_msr and write_msr of emul-priv-op.c). */
final class PvMsrs {
    /** What Xen has in PAT: WB WT UC- UC WC WP UC UC. */
    private static final long PAT = 0x0000_0501_0007_0406L;
    private static final long APIC_BASE = 0xfee0_0800L;
    private static final long APIC_BASE_BSP = 1 << 8;
    private static final int FEATURE_CONTROL = 0x3a;
    private static final long FEATURE_CONTROL_LOCK = 1;
    private static final int SPEC_CTRL = 0x48;
    private static final int PRED_CMD = 0x49;
    /** IBRS, STIBP, SSBD. */
    private static final long SPEC_CTRL_BITS = 7;
    private static final long PRED_CMD_IBPB = 1;
    private static final int UCODE_WRITE = 0x79;
    /** IA32_BIOS_SIGN_ID of Intel, PATCH_LEVEL of AMD. */
    private static final int UCODE_REVISION = 0x8b;
    static final int PLATFORM_INFO = 0xce;
    static final long PLATFORM_CPUID_FAULTING = 1L << 31;
    private static final int ARCH_CAPABILITIES = 0x10a;
    private static final long CPUID_FAULTING = 1;
    /** IA32_MISC_ENABLE: performance monitoring and MONITOR are not to be had, BTS and PEBS absent, xTPR messages disabled. */
    private static final long MISC_ENABLE_CLEAR = 1 << 7 | 1 << 18;
    private static final long MISC_ENABLE_SET = 1 << 11 | 1 << 12 | 1 << 23;
    private static final long EFER_LONG_MODE = Bits.EFER_LME | Bits.EFER_LMA;
    private static final long HWCR_TSC_FREQUENCY = 1 << 24;
    private static final int MCG_CAP = 0x179;
    private static final int MCG_STATUS = 0x17a;
    private static final int MCI_FIRST = 0x400;
    private static final int MCI_REGISTERS = 4;
    /** Machine-check banks of a guest, in which nothing is ever found. */
    private static final int BANKS = 2;
    /** MCG_TES_P and MCG_SER_P, on Intel's. */
    private static final long MCG_CAP_INTEL = 1 << 11 | 1 << 24;
    private static final int DE_CFG = 0xc001_1029;
    private static final long DE_CFG_LFENCE_SERIALISES = 1 << 1;

    private final Domains domains;

    PvMsrs(Domains domains) {
        this.domains = domains;
    }

    /** RDMSR; false: #GP. */
    boolean read(Processor p, Vcpu vcpu) {
        int msr = (int) p.gpr[Processor.RCX];
        long value;
        if (has(p, msr) && !isBaseOfCompat(vcpu, msr)) {
            value = value(p, vcpu, msr);
        } else if (vcpu.pv().trapAddress[Vector.GP] == 0 && Msrs.canRead(p, msr)) {
            // A kernel that has no #GP handler yet could not survive the fault.
            value = 0;
        } else {
            refuse(vcpu, "RDMSR", msr);
            return false;
        }
        p.gpr[Processor.RAX] = value & 0xffff_ffffL;
        p.gpr[Processor.RDX] = value >>> 32;
        return true;
    }

    /** Segment bases are 64-bit registers: 32-bit guests have descriptors only. */
    private static boolean isBaseOfCompat(Vcpu vcpu, int msr) {
        return vcpu.domain.memory.isCompat()
                && (msr == Msrs.FS_BASE || msr == Msrs.GS_BASE || msr == Msrs.KERNEL_GS_BASE);
    }

    /** Whether a PV guest on {@code p} can read a register. */
    private static boolean has(Processor p, int msr) {
        boolean intel = p.model.isIntel();
        return switch (msr) {
            case Msrs.FS_BASE, Msrs.GS_BASE, Msrs.KERNEL_GS_BASE, Msrs.EFER, Msrs.TSC, Msrs.PAT, Msrs.APIC_BASE,
                    PrivilegedOps.MSR_HYPERCALL_PAGE, UCODE_REVISION, MCG_CAP, MCG_STATUS ->
                true;
            case Msrs.TSC_AUX -> p.model.has("rdtscp") || p.model.has("rdpid");
            case FEATURE_CONTROL, PLATFORM_INFO, Msrs.MISC_FEATURES_ENABLES, Msrs.MISC_ENABLE -> intel;
            case SPEC_CTRL -> hasSpecCtrl(p);
            case ARCH_CAPABILITIES -> p.model.has("arch_capabilities");
            case Msrs.HWCR, DE_CFG -> !intel;
            default -> isBank(msr);
        };
    }

    private static long value(Processor p, Vcpu vcpu, int msr) {
        return switch (msr) {
            case PrivilegedOps.MSR_HYPERCALL_PAGE -> 0;
            case Msrs.EFER -> vcpu.domain.memory.isCompat() ? p.efer & ~EFER_LONG_MODE : p.efer;
            case Msrs.PAT -> PAT;
            case Msrs.APIC_BASE -> APIC_BASE | (vcpu.id == 0 ? APIC_BASE_BSP : 0);
            case FEATURE_CONTROL -> FEATURE_CONTROL_LOCK;
            case PLATFORM_INFO -> PLATFORM_CPUID_FAULTING;
            case Msrs.MISC_FEATURES_ENABLES -> vcpu.pv().cpuidFaulting ? CPUID_FAULTING : 0;
            case Msrs.MISC_ENABLE -> miscEnable(p);
            case SPEC_CTRL -> vcpu.pv().specCtrl;
            case Msrs.HWCR -> HWCR_TSC_FREQUENCY;
            case DE_CFG -> DE_CFG_LFENCE_SERIALISES;
            case MCG_CAP -> BANKS | (p.model.isIntel() ? MCG_CAP_INTEL : 0);
            case MCG_STATUS -> 0;
            default -> isBank(msr) ? (msr % MCI_REGISTERS == 0 ? -1L : 0) : Msrs.read(p, msr);
        };
    }

    /** Whether a register is one of a machine-check bank: CTL, STATUS, ADDR, MISC (xen/arch/x86/cpu/mcheck/vmce.c). */
    private static boolean isBank(int msr) {
        return msr >= MCI_FIRST && msr < MCI_FIRST + BANKS * MCI_REGISTERS;
    }

    private static long miscEnable(Processor p) {
        return Msrs.read(p, Msrs.MISC_ENABLE) & ~MISC_ENABLE_CLEAR | MISC_ENABLE_SET;
    }

    private static boolean hasSpecCtrl(Processor p) {
        return p.model.has("spec_ctrl") || p.model.has("ibrs");
    }

    /** WRMSR; false: #GP. */
    boolean write(Processor p, Vcpu vcpu) {
        int msr = (int) p.gpr[Processor.RCX];
        long value = p.gpr[Processor.RDX] << 32 | p.gpr[Processor.RAX] & 0xffff_ffffL;
        boolean intel = p.model.isIntel();
        switch (msr) {
            case Msrs.FS_BASE, Msrs.GS_BASE, Msrs.KERNEL_GS_BASE -> {
                return !isBaseOfCompat(vcpu, msr) && ControlRegisters.isCanonical(p, value)
                        && Msrs.write(p, msr, value);
            }
            case Msrs.EFER -> {
                return value == value(p, vcpu, msr);
            }
            case Msrs.TSC_AUX -> {
                return has(p, msr) && Msrs.write(p, msr, value);
            }
            case UCODE_WRITE -> {
                // Microcode is the host's business; guests try it and go on.
                return true;
            }
            case UCODE_REVISION -> {
                // Read-only, but Intel has software write zero before it reads.
                return intel && value == 0;
            }
            case SPEC_CTRL -> {
                if (!hasSpecCtrl(p) || (value & ~SPEC_CTRL_BITS) != 0) {
                    return false;
                }
                vcpu.pv().specCtrl = value;
                return true;
            }
            case PRED_CMD -> {
                // There are no predictions to forget.
                return (hasSpecCtrl(p) || p.model.has("ibpb")) && (value & ~PRED_CMD_IBPB) == 0;
            }
            case Msrs.MISC_FEATURES_ENABLES -> {
                if (!intel || (value & ~CPUID_FAULTING) != 0) {
                    return false;
                }
                vcpu.pv().cpuidFaulting = value != 0;
                return true;
            }
            case Msrs.MISC_ENABLE -> {
                return intel && value == miscEnable(p);
            }
            case DE_CFG -> {
                return !intel;
            }
            case PrivilegedOps.MSR_HYPERCALL_PAGE -> {
                return writeHypercallPage(vcpu, value);
            }
            default -> {
                if (msr == MCG_STATUS || isBank(msr)) {
                    // Controls are fixed; what is clear can only be cleared.
                    return isBank(msr) && msr % MCI_REGISTERS == 0 || value == 0;
                }
                refuse(vcpu, "WRMSR", msr);
                return false;
            }
        }
    }

    /** Fills the guest's frame with hypercall stubs; bits 0 to 11 are the number of the page, of which there is one. */
    private boolean writeHypercallPage(Vcpu vcpu, long value) {
        long mfn = value >>> PhysicalMemory.FRAME_SHIFT;
        if ((value & 0xfff) != 0 || !domains.memory.get(mfn, vcpu.domain.memory)) {
            return false;
        }
        boolean writable = domains.types.get((int) mfn, FrameTable.WRITABLE);
        if (writable) {
            byte[] stubs = vcpu.domain.memory.isCompat() ? HypercallPage.compatContents() : HypercallPage.contents();
            domains.memory.ram().copyIn(stubs, 0, mfn << PhysicalMemory.FRAME_SHIFT,
                    HypercallPage.SIZE);
            domains.types.put((int) mfn);
        }
        domains.memory.put((int) mfn);
        return writable;
    }

    private void refuse(Vcpu vcpu, String operation, int msr) {
        if (domains.log.wantsGuest(LogLevel.WARNING)) {
            domains.log.guest(LogLevel.WARNING,
                    vcpu + " " + operation + " 0x" + Integer.toHexString(msr) + " unimplemented");
        }
    }
}
