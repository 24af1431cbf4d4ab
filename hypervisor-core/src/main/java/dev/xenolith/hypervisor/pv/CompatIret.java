package dev.xenolith.hypervisor.pv;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Vector;
import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.PvContext;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.trace.TraceClass;
import dev.xenolith.hypervisor.trace.TraceEvent;

/**
 * The iret hypercall of a 32-bit guest (xen/arch/x86/pv/iret.c, compat_iret). At ESP are EAX, EIP, CS, EFLAGS and, for a return to ring 2
 * or 3, ESP and SS; for one to virtual-8086 mode ES, DS, FS and GS follow.
 */
final class CompatIret {
    private static final int EIP = 4;
    private static final int CS = 8;
    private static final int EFLAGS = 12;
    private static final int ESP = 16;
    private static final int SS = 20;
    private static final int INNER_SIZE = 16;
    private static final int OUTER_SIZE = 24;
    private static final int VM86_SIZE = 40;

    private final Domains domains;
    private final PhysicalMemory ram;
    private final Bounce bounce;
    private final byte[] frame = new byte[VM86_SIZE];

    CompatIret(Domains domains, Bounce bounce) {
        this.domains = domains;
        ram = domains.memory.ram();
        this.bounce = bounce;
    }

    /** Returns as the frame at ESP says. One that cannot be obeyed crashes the domain. */
    void execute(PvProcessor processor, Vcpu vcpu) {
        Processor p = processor.cpu;
        PvContext context = vcpu.pv();
        long esp = p.gpr[Processor.RSP] & 0xffff_ffffL;
        if (!read(processor, vcpu, esp, INNER_SIZE)) {
            return;
        }
        int cs = Bytes.get16(frame, CS);
        int ring = cs & 3;
        long eflags = Bytes.get32(frame, EFLAGS) & 0xffff_ffffL;
        boolean vm86 = (eflags & Bits.RFLAGS_VM) != 0;
        if (!vm86 && ring == 0) {
            domains.crash(vcpu.domain, "iret to ring 0: CS " + Integer.toHexString(cs));
            return;
        }
        if ((vm86 || ring > 1) && !read(processor, vcpu, esp, vm86 ? VM86_SIZE : OUTER_SIZE)) {
            return;
        }
        if ((vcpu.domain.vmAssist & 1L << Xen.VMASST_TYPE_ARCHITECTURAL_IOPL) != 0) {
            context.iopl = (int) (eflags >>> Bits.IOPL_SHIFT) & 3;
        }
        p.gpr[Processor.RAX] = Bytes.get32(frame, 0) & 0xffff_ffffL;
        p.setRflags(eflags & ~(Bits.RFLAGS_IOPL | Bits.RFLAGS_VM) | Bits.RFLAGS_IF);
        boolean masks = (eflags & Bits.RFLAGS_IF) == 0;
        if (vm86) {
            masks |= refuseVm86(processor, vcpu);
        } else {
            returnTo(processor, vcpu, cs, ring == 1 ? esp + INNER_SIZE : Bytes.get32(frame, ESP) & 0xffff_ffffL,
                    ring == 1 ? p.segmentSelector[Processor.SS] : Bytes.get16(frame, SS), masks);
        }
        // What the faults of returning have masked stays so.
        if (vm86 && vcpu.infoAddress >= 0) {
            ram.write8(vcpu.infoAddress + Xen.VcpuInfo.EVTCHN_UPCALL_MASK, masks ? 1 : 0);
        }
        context.nmiActive = false;
    }

    private boolean read(PvProcessor processor, Vcpu vcpu, long esp, int size) {
        if (processor.memory.read(esp, frame, 0, size) == 0) {
            return true;
        }
        domains.crash(vcpu.domain, "iret: fault while reading the frame at 0x" + Long.toHexString(esp));
        return false;
    }

    private void returnTo(PvProcessor processor, Vcpu vcpu, int cs, long esp, int ss, boolean masks) {
        Processor p = processor.cpu;
        if (vcpu.infoAddress >= 0) {
            ram.write8(vcpu.infoAddress + Xen.VcpuInfo.EVTCHN_UPCALL_MASK, masks ? 1 : 0);
        }
        long eip = Bytes.get32(frame, EIP) & 0xffff_ffffL;
        if (domains.trace.on(TraceClass.TRAP)) {
            domains.trace.record(TraceEvent.IRET, p.index, vcpu.domain.domid, vcpu.id, eip, cs, 0);
        }
        int fault = ContextSwitch.enterGuest(p, vcpu, cs, eip, ss, esp);
        if (fault == ContextSwitch.ENTERED) {
            vcpu.pv().kernelMode = p.cpl == ContextSwitch.COMPAT_KERNEL_RING;
        } else {
            bounce.returnFault(processor, vcpu, fault, cs, eip, ss, esp);
        }
    }

    /**
     * There is no virtual-8086 mode under a 64-bit hypervisor: the guest gets #GP as if its first instruction had faulted, with the frame on
     * its kernel stack and an error code in place of EAX. Returns whether the handler wants events masked.
     */
    private boolean refuseVm86(PvProcessor processor, Vcpu vcpu) {
        Processor p = processor.cpu;
        PvContext context = vcpu.pv();
        Bytes.put32(frame, 0, 0);
        long at = context.kernelSp - VM86_SIZE & 0xffff_ffffL;
        if (context.trapAddress[Vector.GP] == 0 || processor.memory.write(at, frame, 0, VM86_SIZE) != 0) {
            domains.crash(vcpu.domain, "iret to virtual-8086 mode, and #GP cannot be delivered");
            return false;
        }
        p.setRflags(Bounce.enteredFlags(p));
        if (ContextSwitch.enterGuest(p, vcpu, context.trapSelector[Vector.GP], context.trapAddress[Vector.GP],
                context.kernelSs,
                at) != ContextSwitch.ENTERED) {
            domains.crash(vcpu.domain, "the handler of #GP cannot be entered");
        }
        context.kernelMode = p.cpl == ContextSwitch.COMPAT_KERNEL_RING;
        return (context.trapFlags[Vector.GP] & ArchX86.TrapInfo.FLAGS_MASK_EVENTS) != 0;
    }
}
