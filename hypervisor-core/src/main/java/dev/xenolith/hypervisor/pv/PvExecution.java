package dev.xenolith.hypervisor.pv;

import dev.xenolith.cpu.decode.OpcodeTable;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Stop;
import dev.xenolith.cpu.processor.Vector;
import dev.xenolith.hypervisor.abi.HypercallPage;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.domain.DebugSession;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.PvContext;
import dev.xenolith.hypervisor.domain.Vcpu;

/**
 * Runs PV vCPUs on hosted processors: before each entry pending events are delivered, after each stop the cause is dealt with.
 * A processor leaves the loop when its time is up or it has been asked to schedule.
 */
public final class PvExecution {
    /** What a stopped processor needs from above. */
    public interface Handler {
        /** The loaded vCPU's kernel executed SYSCALL, or INT 0x82 in ring 1: the hypercall that its registers say. */
        void hypercall(PvProcessor processor, Vcpu vcpu);

        /** The processor took {@code vector} for the hypervisor itself. */
        void interrupt(Processor processor, int vector);

        /** Called after each run with the machine's clock up to date. */
        void ran();
    }

    private final Domains domains;
    private final PhysicalMemory ram;
    private final ContextSwitch contexts;
    private final PvTime time;
    private final Bounce bounce;
    private final Traps traps;
    private final Iret iret;
    private final Handler handler;

    public PvExecution(Domains domains, ContextSwitch contexts, PvTime time, OpcodeTable opcodes, Handler handler) {
        this.domains = domains;
        this.ram = domains.memory.ram();
        this.contexts = contexts;
        this.time = time;
        this.handler = handler;
        bounce = new Bounce(domains, contexts);
        contexts.setBounce(bounce);
        traps = new Traps(domains, bounce, new PrivilegedOps(domains, contexts, bounce, opcodes));
        iret = new Iret(domains, contexts, bounce);
    }

    /** Connects the writable-pagetables assist. */
    public void setTableWrites(TableWriteEmulation emulation) {
        traps.setTableWrites(emulation);
    }

    public Iret iret() {
        return iret;
    }

    public PvTime time() {
        return time;
    }

    public ContextSwitch contexts() {
        return contexts;
    }

    /** {@code vcpu} has been given processor {@code index}. */
    public void enter(Vcpu vcpu, int index) {
        contexts.load(vcpu, index);
        time.entered(vcpu);
    }

    /**
     * Runs {@code vcpu}, which {@link #enter} has put on processor {@code index}, until machine time {@code end} at most. Returns
     * false if the processor was asked to give up its turn.
     */
    public boolean run(Vcpu vcpu, int index, long end) {
        PvProcessor processor = contexts.load(vcpu, index);
        Processor p = processor.cpu;
        DebugSession debug = vcpu.domain.debug();
        DebugSession.prepare(debug, p);
        boolean compat = vcpu.domain.memory.isCompat();
        while (vcpu.isRunnable() && !domains.dispatcher.scheduleRequested(index)) {
            long left = end - domains.now();
            if (left <= 0) {
                return true;
            }
            boolean steps = debug != null && debug.steps(vcpu);
            if (!steps && deliver(processor, vcpu)) {
                continue;
            }
            long rip = p.rip;
            long retired = p.retired;
            Stop stop = debug == null ? p.run(left) : debug.run(vcpu, p, left);
            handler.ran();
            if (compat) {
                // A 32-bit kernel can enter its user mode by itself.
                vcpu.pv().kernelMode = p.cpl == ContextSwitch.COMPAT_KERNEL_RING;
            }
            switch (stop.kind) {
                case BUDGET -> {
                    // The loop ends with the time, or the clock has been corrected.
                }
                case REQUEST -> {
                    return false;
                }
                case INTERRUPT -> handler.interrupt(p, stop.vector);
                case NMI -> domains.log.warning("NMI on CPU" + index + " without a cause, ignored");
                case EXCEPTION -> {
                    if (compat && stop.software && stop.vector == HypercallPage.VECTOR) {
                        // Its gate is for ring 1 only.
                        handler.hypercall(processor, vcpu);
                    } else {
                        traps.exception(processor, vcpu, stop);
                    }
                }
                case ENTRY -> entry(processor, vcpu, stop);
                case DEBUG -> debugStop(vcpu, stop);
                default -> traps.impossible(vcpu, stop.kind);
            }
            if (debug != null && steps && (p.retired != retired || p.rip != rip)) {
                debug.stepped(vcpu, p.rip);
            }
        }
        return true;
    }

    private void debugStop(Vcpu vcpu, Stop stop) {
        DebugSession debug = vcpu.domain.debug();
        if (debug == null) {
            traps.impossible(vcpu, stop.kind);
        } else {
            debug.debugStop(vcpu, stop);
        }
    }

    private void entry(PvProcessor processor, Vcpu vcpu, Stop stop) {
        if (stop.sysenter) {
            bounce.sysenter(processor, vcpu);
        } else if (vcpu.pv().kernelMode && processor.cpu.is64Bit()) {
            // SYSCALL tells nobody which segments it comes from: all return on Xen's.
            ContextSwitch.enterFlat(processor.cpu, processor.cpu.rip, processor.cpu.gpr[Processor.RSP]);
            handler.hypercall(processor, vcpu);
        } else {
            bounce.systemCall(processor, vcpu);
        }
    }

    /** Delivers an NMI or an event upcall if one is due; returns whether the state of the vCPU must be looked at again. */
    private boolean deliver(PvProcessor processor, Vcpu vcpu) {
        PvContext context = vcpu.pv();
        if (context.nmiPending && !context.nmiActive && context.trapAddress[Vector.NMI] != 0) {
            context.nmiPending = false;
            context.nmiActive = true;
            bounce.nmi(processor, vcpu);
            return true;
        }
        long info = vcpu.infoAddress;
        if (info >= 0 && ram.read8(info + Xen.VcpuInfo.EVTCHN_UPCALL_PENDING) != 0
                && ram.read8(info + Xen.VcpuInfo.EVTCHN_UPCALL_MASK) == 0) {
            bounce.event(processor, vcpu);
            return true;
        }
        return false;
    }
}
