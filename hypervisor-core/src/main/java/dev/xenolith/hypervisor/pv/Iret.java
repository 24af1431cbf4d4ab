package dev.xenolith.hypervisor.pv;

import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.hypervisor.abi.ArchX86.IretContext;
import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.PvContext;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.paging.VcpuTables;
import dev.xenolith.hypervisor.trace.TraceClass;
import dev.xenolith.hypervisor.trace.TraceEvent;

/** The iret hypercall: how a guest's kernel returns to where it was entered from (xen/arch/x86/pv/iret.c, do_iret). */
public final class Iret {
    private final Domains domains;
    private final ContextSwitch contexts;
    private final Bounce bounce;
    private final CompatIret compat;
    private final byte[] frame = new byte[IretContext.SIZE];

    Iret(Domains domains, ContextSwitch contexts, Bounce bounce) {
        this.domains = domains;
        this.contexts = contexts;
        this.bounce = bounce;
        compat = new CompatIret(domains, bounce);
    }

    /** Returns as the iret_context at RSP says. A frame that cannot be obeyed crashes the domain. */
    public void execute(PvProcessor processor, Vcpu vcpu) {
        if (vcpu.domain.memory.isCompat()) {
            compat.execute(processor, vcpu);
            return;
        }
        Processor p = processor.cpu;
        PvContext context = vcpu.pv();
        if (processor.memory.read(p.gpr[Processor.RSP], frame, 0, frame.length) != 0) {
            domains.crash(vcpu.domain, "iret: fault while reading the frame at 0x"
                    + Long.toHexString(p.gpr[Processor.RSP]));
            return;
        }
        int cs = (int) Bytes.get64(frame, IretContext.CS) & 0xffff;
        long rflags = Bytes.get64(frame, IretContext.RFLAGS);
        long flags = Bytes.get64(frame, IretContext.FLAGS);
        long rip = Bytes.get64(frame, IretContext.RIP);
        if ((cs & 3) == 3) {
            if (vcpu.tables().userRoot() == VcpuTables.NO_TABLE) {
                domains.crash(vcpu.domain, "iret to user mode without user page tables");
                return;
            }
            contexts.toggleMode(processor, vcpu);
        }
        if ((vcpu.domain.vmAssist & 1L << Xen.VMASST_TYPE_ARCHITECTURAL_IOPL) != 0) {
            context.iopl = (int) (rflags >>> Bits.IOPL_SHIFT) & 3;
        }
        p.setRflags(rflags & ~(Bits.RFLAGS_IOPL | Bits.RFLAGS_VM) | Bits.RFLAGS_IF);
        p.gpr[Processor.RAX] = Bytes.get64(frame, IretContext.RAX);
        if ((flags & ArchX86.VGCF_IN_SYSCALL) == 0) {
            p.gpr[Processor.RCX] = Bytes.get64(frame, IretContext.RCX);
            p.gpr[11] = Bytes.get64(frame, IretContext.R11);
        } else {
            // As SYSRET leaves them.
            p.gpr[Processor.RCX] = rip;
            p.gpr[11] = p.rflags();
        }
        if (vcpu.infoAddress >= 0) {
            domains.memory.ram().write8(vcpu.infoAddress + Xen.VcpuInfo.EVTCHN_UPCALL_MASK,
                    (rflags & Bits.RFLAGS_IF) != 0 ? 0 : 1);
        }
        // Whoever handled an NMI is done when it returns.
        context.nmiActive = false;
        if (domains.trace.on(TraceClass.TRAP)) {
            domains.trace.record(TraceEvent.IRET, p.index, vcpu.domain.domid, vcpu.id, rip, cs, 0);
        }
        int ss = (int) Bytes.get64(frame, IretContext.SS) & 0xffff;
        int fault = ContextSwitch.enterGuest(p, vcpu, cs | 3, rip, ss | 3, Bytes.get64(frame, IretContext.RSP));
        if (fault != ContextSwitch.ENTERED) {
            bounce.returnFault(processor, vcpu, fault, cs | 3, rip, ss | 3,
                    Bytes.get64(frame, IretContext.RSP));
        }
    }
}
