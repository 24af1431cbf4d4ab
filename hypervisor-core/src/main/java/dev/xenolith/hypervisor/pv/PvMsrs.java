package dev.xenolith.hypervisor.pv;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.ControlRegisters;
import dev.xenolith.cpu.processor.Msrs;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Vector;
import dev.xenolith.hypervisor.abi.HypercallPage;
import dev.xenolith.hypervisor.console.LogLevel;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.memory.FrameTable;

/** Model-specific registers of a PV guest (read_msr and write_msr of emul-priv-op.c). */
final class PvMsrs {
    /** What Xen has in PAT: WB WT UC- UC WC WP UC UC. */
    private static final long PAT = 0x0000_0501_0007_0406L;
    private static final long APIC_BASE = 0xfee0_0800L;
    private static final long APIC_BASE_BSP = 1 << 8;
    private static final int MISC_ENABLE = 0x1a0;
    private static final int UCODE_WRITE = 0x79;
    /** BTS and PEBS are not available. */
    private static final long MISC_ENABLE_VALUE = 1 << 11 | 1 << 12;

    private final Domains domains;

    PvMsrs(Domains domains) {
        this.domains = domains;
    }

    /** RDMSR; false: #GP. */
    boolean read(Processor p, Vcpu vcpu) {
        int msr = (int) p.gpr[Processor.RCX];
        long value;
        switch (msr) {
            case Msrs.FS_BASE, Msrs.GS_BASE, Msrs.KERNEL_GS_BASE, Msrs.EFER, Msrs.TSC -> value = Msrs.read(p, msr);
            case Msrs.PAT -> value = PAT;
            case Msrs.APIC_BASE -> value = APIC_BASE | (vcpu.id == 0 ? APIC_BASE_BSP : 0);
            case PrivilegedOps.MSR_HYPERCALL_PAGE -> value = 0;
            case MISC_ENABLE -> {
                if (!p.model.isIntel()) {
                    return false;
                }
                value = MISC_ENABLE_VALUE;
            }
            default -> {
                // A kernel that has no #GP handler yet could not survive the fault.
                if (vcpu.pv().trapAddress[Vector.GP] != 0 || !Msrs.canRead(p, msr)) {
                    refuse(vcpu, "RDMSR", msr);
                    return false;
                }
                value = 0;
            }
        }
        p.gpr[Processor.RAX] = value & 0xffff_ffffL;
        p.gpr[Processor.RDX] = value >>> 32;
        return true;
    }

    /** WRMSR; false: #GP. */
    boolean write(Processor p, Vcpu vcpu) {
        int msr = (int) p.gpr[Processor.RCX];
        long value = p.gpr[Processor.RDX] << 32 | p.gpr[Processor.RAX] & 0xffff_ffffL;
        switch (msr) {
            case Msrs.FS_BASE, Msrs.GS_BASE, Msrs.KERNEL_GS_BASE -> {
                return ControlRegisters.isCanonical(p, value) && Msrs.write(p, msr, value);
            }
            case Msrs.EFER -> {
                return value == p.efer;
            }
            case UCODE_WRITE -> {
                // Microcode is the host's business; guests try it and go on.
                return true;
            }
            case MISC_ENABLE -> {
                return p.model.isIntel() && value == MISC_ENABLE_VALUE;
            }
            case PrivilegedOps.MSR_HYPERCALL_PAGE -> {
                return writeHypercallPage(vcpu, value);
            }
            default -> {
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
            domains.memory.ram().copyIn(HypercallPage.contents(), 0, mfn << PhysicalMemory.FRAME_SHIFT,
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
