package dev.xenolith.hypervisor.pv;

import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Stop;
import dev.xenolith.cpu.processor.Vector;
import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.PvContext;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.paging.DescriptorTables;

/**
 * Exceptions of PV guests (xen/arch/x86/traps.c): what the hypervisor handles itself, and what goes to the guest's kernel.
 */
final class Traps {
    /** Error-code bits of #PF. */
    static final int PF_PRESENT = 1;
    static final int PF_WRITE = 1 << 1;
    static final int PF_USER = 1 << 2;
    static final int PF_RESERVED = 1 << 3;
    static final int PF_FETCH = 1 << 4;
    /** Error-code bit of selector faults: the index is that of an IDT gate. */
    private static final int IDT_FAULT = 2;
    private static final int INT_LENGTH = 2;

    private final Domains domains;
    private final Bounce bounce;
    private final PrivilegedOps privileged;
    private TableWriteEmulation tableWrites = (processor, vcpu, address) -> false;

    Traps(Domains domains, Bounce bounce, PrivilegedOps privileged) {
        this.domains = domains;
        this.bounce = bounce;
        this.privileged = privileged;
    }

    void setTableWrites(TableWriteEmulation emulation) { tableWrites = emulation; }

    /** The loaded vCPU raised the exception that {@code stop} tells. */
    void exception(PvProcessor processor, Vcpu vcpu, Stop stop) {
        Processor p = processor.cpu;
        PvContext context = vcpu.pv();
        switch (stop.vector) {
            case Vector.PF -> pageFault(processor, vcpu, stop.address, stop.errorCode);
            case Vector.GP -> generalProtection(processor, vcpu, stop.errorCode);
            case Vector.UD -> {
                if (!privileged.emulateForcedCpuid(processor, vcpu)) {
                    bounce.exception(processor, vcpu, Vector.UD, 0);
                }
            }
            case Vector.NM -> {
                // CR0.TS is on only if the guest has set it: it gets the trap, with TS clear.
                if ((context.cr0 & Bits.CR0_TS) != 0) {
                    context.cr0 &= ~Bits.CR0_TS;
                    privileged.controlsChanged(processor, vcpu);
                }
                bounce.exception(processor, vcpu, Vector.NM, 0);
            }
            case Vector.DB -> {
                if (stopsForDebugger(vcpu)) {
                    p.dr[6] = Bits.DR6_FIXED;
                    return;
                }
                context.debug[6] |= p.dr[6] & (0xf | Bits.DR6_BS | Bits.DR6_BD);
                p.dr[6] = Bits.DR6_FIXED;
                bounce.exception(processor, vcpu, Vector.DB, 0);
            }
            case Vector.BP -> {
                if (!stopsForDebugger(vcpu)) {
                    bounce.exception(processor, vcpu, Vector.BP, 0);
                }
            }
            default -> {
                if (stop.software && stop.vector != Vector.OF) {
                    softwareInterrupt(processor, vcpu, stop.vector);
                } else {
                    bounce.exception(processor, vcpu, stop.vector, stop.errorCode);
                }
            }
        }
    }

    /** Breakpoints of a kernel that has a debugger attached are the debugger's (do_int3, do_debug). */
    private boolean stopsForDebugger(Vcpu vcpu) {
        if (!vcpu.domain.debugged || !vcpu.pv().kernelMode) {
            return false;
        }
        domains.pauseForDebugger(vcpu.domain);
        return true;
    }

    /** INT n with a gate that allows it, 0x80: RIP is after the instruction. */
    private void softwareInterrupt(PvProcessor processor, Vcpu vcpu, int vector) {
        PvContext context = vcpu.pv();
        if (context.trapAddress[vector] != 0 && mayRaise(context, vector)) {
            bounce.exception(processor, vcpu, vector, 0);
        } else {
            processor.cpu.rip -= INT_LENGTH;
            bounce.exception(processor, vcpu, Vector.GP, vector << 3 | IDT_FAULT);
        }
    }

    /** Whether the trap table lets the present mode raise {@code vector} by INT n (permit_softint). */
    private static boolean mayRaise(PvContext context, int vector) {
        int dpl = context.trapFlags[vector] & ArchX86.TrapInfo.FLAGS_DPL;
        return dpl >= (context.kernelMode ? 1 : 3);
    }

    private void generalProtection(PvProcessor processor, Vcpu vcpu, int errorCode) {
        if ((errorCode & IDT_FAULT) != 0) {
            // INT n: the guest has gates of its own.
            int vector = errorCode >>> 3 & 0xff;
            PvContext context = vcpu.pv();
            if (mayRaise(context, vector) && context.trapAddress[vector] != 0) {
                processor.cpu.rip += INT_LENGTH;
                bounce.exception(processor, vcpu, vector, 0);
                return;
            }
        } else if (errorCode == 0 && privileged.emulate(processor, vcpu)) {
            return;
        }
        bounce.exception(processor, vcpu, Vector.GP, errorCode);
    }

    private void pageFault(PvProcessor processor, Vcpu vcpu, long address, int errorCode) {
        long inLdt = address - DescriptorTables.ldtAddress(vcpu.id);
        if (inLdt >= 0 && inLdt < DescriptorTables.LDT_BYTES) {
            // The processor looked for a descriptor: LDT pages are mapped when first used.
            if (!vcpu.tables().mapLdtPage(inLdt)) {
                bounce.pageFault(processor, vcpu, vcpu.tables().ldtBase() + inLdt, errorCode & ~PF_PRESENT);
            }
            return;
        }
        boolean kernelStore = vcpu.pv().kernelMode
                && (errorCode & (PF_PRESENT | PF_WRITE | PF_RESERVED | PF_FETCH)) == (PF_PRESENT | PF_WRITE);
        if (kernelStore && (vcpu.domain.vmAssist & 1L << Xen.VMASST_TYPE_WRITABLE_PAGETABLES) != 0
                && tableWrites.emulate(processor, vcpu, address)) {
            return;
        }
        if (vcpu.domain.shutdownCode() >= 0) {
            return;
        }
        bounce.pageFault(processor, vcpu, address, errorCode);
    }

    /** A stop of a kind that no PV guest can cause. */
    void impossible(Vcpu vcpu, Stop.Kind kind) {
        domains.crash(vcpu.domain, "the processor stopped with " + kind);
    }
}
