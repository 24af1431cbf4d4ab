package dev.xenolith.hypervisor.pv;

import static dev.xenolith.hypervisor.abi.ArchX86.FLAT_COMPAT_RING3_CS;
import static dev.xenolith.hypervisor.abi.ArchX86.FLAT_COMPAT_RING3_SS;
import static dev.xenolith.hypervisor.abi.ArchX86.FLAT_RING3_CS32;
import static dev.xenolith.hypervisor.abi.ArchX86.FLAT_RING3_CS64;
import static dev.xenolith.hypervisor.abi.ArchX86.FLAT_RING3_SS32;

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
import dev.xenolith.hypervisor.memory.GuestLinear;
import dev.xenolith.hypervisor.memory.SharedLayout;
import dev.xenolith.hypervisor.time.Charges;
import dev.xenolith.hypervisor.trace.TraceClass;
import dev.xenolith.hypervisor.trace.TraceEvent;

/**
 * Enters a guest's kernel: builds the frame that its entry points expect and continues there (create_bounce_frame of
 * xen/arch/x86/x86_64/entry.S). A frame that cannot be written, or a handler that does not exist, crashes the domain.
 *
 * <p>From low to high addresses the frame of a 64-bit guest holds RCX, R11, the error code if there is one, RIP, CS with the saved upcall mask in bit
 * 32, RFLAGS, RSP and SS. It begins below the kernel stack when user mode was interrupted, else below the present RSP, at a
 * multiple of 16 before the frame. That of a 32-bit guest is {@link CompatBounce}'s.
 */
public final class Bounce {
    private static final long CLEARED_FLAGS = Bits.RFLAGS_AC | Bits.RFLAGS_VM | Bits.RFLAGS_RF | Bits.RFLAGS_NT
            | Bits.RFLAGS_TF;
    static final int NO_ERROR_CODE = -1;
    private static final int MASK_SHIFT = 32;

    private final Domains domains;
    private final PhysicalMemory ram;
    private final ContextSwitch contexts;
    private final CompatBounce compat;
    private final byte[] frame = new byte[11 * 8];

    Bounce(Domains domains, ContextSwitch contexts) {
        this.domains = domains;
        this.ram = domains.memory.ram();
        this.contexts = contexts;
        compat = new CompatBounce(domains);
    }

    // ---- what is delivered -------------------------------------------------------------------------------------------

    /** An exception, through the trap table. */
    void exception(PvProcessor processor, Vcpu vcpu, int vector, int errorCode) {
        PvContext context = vcpu.pv();
        Processor p = processor.cpu;
        if (domains.trace.on(TraceClass.TRAP)) {
            domains.trace.record(TraceEvent.TRAP, p.index, vcpu.domain.domid, vcpu.id, vector, errorCode, p.rip);
        }
        if (context.trapAddress[vector] == 0) {
            domains.crash(vcpu.domain, "unhandled trap " + vector + ", error code 0x" + Integer.toHexString(errorCode)
                    + ": the guest has no handler for it");
            return;
        }
        boolean masks = (context.trapFlags[vector] & ArchX86.TrapInfo.FLAGS_MASK_EVENTS) != 0;
        enter(processor, vcpu, context.trapSelector[vector], context.trapAddress[vector],
                Vector.hasErrorCode(vector) ? errorCode : NO_ERROR_CODE, masks);
    }

    /**
     * The guest was about to continue with {@code cs} and {@code ss}, which cannot be loaded: it gets the fault (vector &lt;&lt; 16 |
     * error code) in a frame of the context that it was going to.
     */
    void returnFault(PvProcessor processor, Vcpu vcpu, int fault, int cs, long rip, int ss, long rsp) {
        PvContext context = vcpu.pv();
        int vector = fault >>> 16;
        if (context.trapAddress[vector] == 0) {
            domains.crash(vcpu.domain, "return to " + Integer.toHexString(cs) + ":0x" + Long.toHexString(rip)
                    + " faults, and the guest has no handler for trap " + vector);
            return;
        }
        boolean masks = (context.trapFlags[vector] & ArchX86.TrapInfo.FLAGS_MASK_EVENTS) != 0;
        enter(processor, vcpu, context.trapSelector[vector], context.trapAddress[vector],
                Vector.hasErrorCode(vector) ? fault & 0xffff : NO_ERROR_CODE, masks, cs, rip, ss, rsp);
    }

    /** A page fault: CR2 is in vcpu_info, and the error code says user or kernel as the guest sees it. */
    void pageFault(PvProcessor processor, Vcpu vcpu, long address, int errorCode) {
        if (vcpu.infoAddress >= 0) {
            SharedLayout layout = vcpu.domain.memory.sharedLayout();
            layout.write(ram, vcpu.infoAddress + layout.cr2, address);
        }
        int seen = vcpu.pv().kernelMode ? errorCode & ~Traps.PF_USER : errorCode | Traps.PF_USER;
        exception(processor, vcpu, Vector.PF, seen);
    }

    /** The event callback; events are masked while it runs. */
    void event(PvProcessor processor, Vcpu vcpu) {
        if (domains.trace.on(TraceClass.TRAP)) {
            domains.trace.record(TraceEvent.UPCALL, processor.cpu.index, vcpu.domain.domid, vcpu.id, processor.cpu.rip,
                    0, 0);
        }
        enter(processor, vcpu, vcpu.pv().eventSelector, vcpu.pv().eventCallback, NO_ERROR_CODE, true);
    }

    /** SYSCALL from user mode, or from 32-bit code of a kernel. Where it came from is known but for the segments: they are said to be flat. */
    void systemCall(PvProcessor processor, Vcpu vcpu) {
        PvContext context = vcpu.pv();
        Processor p = processor.cpu;
        boolean is64Bit = p.is64Bit();
        long handler = is64Bit ? context.syscallCallback : context.syscall32Callback;
        if (handler == 0) {
            // As on a processor with SYSCALL disabled. RCX and R11 are lost.
            p.rip -= 2;
            exception(processor, vcpu, Vector.UD, 0);
            return;
        }
        p.setRflags(p.rflags() & ~Bits.RFLAGS_DF);
        boolean compatGuest = vcpu.domain.memory.isCompat();
        int cs = compatGuest ? FLAT_COMPAT_RING3_CS : is64Bit ? FLAT_RING3_CS64 : FLAT_RING3_CS32;
        int ss = compatGuest ? FLAT_COMPAT_RING3_SS : FLAT_RING3_SS32;
        enter(processor, vcpu, is64Bit ? FLAT_RING3_CS64 : context.syscall32Selector, handler, NO_ERROR_CODE,
                is64Bit ? context.syscallMasksEvents : context.syscall32MasksEvents, cs,
                ContextSwitch.instructionPointer(p), ss, p.gpr[Processor.RSP]);
    }

    /** SYSENTER: where it came from is not known. */
    void sysenter(PvProcessor processor, Vcpu vcpu) {
        PvContext context = vcpu.pv();
        Processor p = processor.cpu;
        if (context.sysenterCallback == 0 || context.kernelMode) {
            p.rip -= 2;
            exception(processor, vcpu, Vector.GP, 0);
            return;
        }
        p.setRflags(p.rflags() & ~(Bits.RFLAGS_NT | Bits.RFLAGS_TF));
        enter(processor, vcpu, context.sysenterSelector, context.sysenterCallback, NO_ERROR_CODE,
                context.sysenterMasksEvents, 3, 0, FLAT_RING3_SS32, 0);
    }

    /** A non-maskable interrupt: vector 2 of the trap table. */
    void nmi(PvProcessor processor, Vcpu vcpu) {
        exception(processor, vcpu, Vector.NMI, 0);
    }

    /**
     * The failsafe callback: segment registers of the guest could not be loaded. {@code selectors} are those that it wanted; the
     * frame also holds DS, ES, FS and GS.
     */
    void failsafe(PvProcessor processor, Vcpu vcpu, int[] selectors) {
        PvContext context = vcpu.pv();
        Processor p = processor.cpu;
        if (context.failsafeCallback == 0) {
            domains.crash(vcpu.domain, "segment registers cannot be loaded, and there is no failsafe callback");
            return;
        }
        if (vcpu.domain.memory.isCompat()) {
            compat.failsafe(processor, vcpu, selectors, CompatBounce.Place.of(p));
            return;
        }
        long at = beginFrame(processor, vcpu, 11);
        if (at == 0) {
            return;
        }
        long flags = pushedFlags(ram, vcpu, p);
        long mask = upcallMask(ram, vcpu);
        Bytes.put64(frame, 0, p.gpr[Processor.RCX]);
        Bytes.put64(frame, 8, p.gpr[11]);
        Bytes.put64(frame, 16, selectors[Processor.DS]);
        Bytes.put64(frame, 24, selectors[Processor.ES]);
        Bytes.put64(frame, 32, selectors[Processor.FS]);
        Bytes.put64(frame, 40, selectors[Processor.GS]);
        Bytes.put64(frame, 48, p.rip);
        Bytes.put64(frame, 56, pushedCs(selectors[Processor.CS]) | mask << MASK_SHIFT);
        Bytes.put64(frame, 64, flags);
        Bytes.put64(frame, 72, interruptedRsp);
        Bytes.put64(frame, 80, selectors[Processor.SS]);
        finish(processor, vcpu, at, 11, FLAT_RING3_CS64, context.failsafeCallback,
                context.failsafeMasksEvents);
    }

    // ---- the frame ---------------------------------------------------------------------------------------------------

    /** Set by {@link #beginFrame}: RSP when the guest was interrupted, and whether its kernel was. */
    private long interruptedRsp;
    private boolean interruptedKernel;

    private void enter(PvProcessor processor, Vcpu vcpu, int selector, long handler, int errorCode,
            boolean maskEvents) {
        Processor p = processor.cpu;
        enter(processor, vcpu, selector, handler, errorCode, maskEvents, p.segmentSelector[Processor.CS],
                ContextSwitch.instructionPointer(p), p.segmentSelector[Processor.SS], p.gpr[Processor.RSP]);
    }

    private void enter(PvProcessor processor, Vcpu vcpu, int selector, long handler, int errorCode, boolean maskEvents,
            int cs, long rip, int ss, long rsp) {
        if (handler == 0) {
            domains.crash(vcpu.domain, "the guest has no entry point for an event");
            return;
        }
        if (vcpu.domain.memory.isCompat()) {
            compat.enter(processor, vcpu, selector, handler, errorCode, maskEvents,
                    new CompatBounce.Place(cs, rip, ss, rsp));
            return;
        }
        Processor p = processor.cpu;
        int words = errorCode == NO_ERROR_CODE ? 7 : 8;
        long at = beginFrame(processor, vcpu, words);
        if (at == 0) {
            return;
        }
        int i = 0;
        Bytes.put64(frame, i, p.gpr[Processor.RCX]);
        Bytes.put64(frame, i += 8, p.gpr[11]);
        if (errorCode != NO_ERROR_CODE) {
            Bytes.put64(frame, i += 8, errorCode & 0xffff_ffffL);
        }
        Bytes.put64(frame, i += 8, rip);
        Bytes.put64(frame, i += 8, pushedCs(cs) | upcallMask(ram, vcpu) << MASK_SHIFT);
        Bytes.put64(frame, i += 8, pushedFlags(ram, vcpu, p));
        Bytes.put64(frame, i += 8, rsp);
        Bytes.put64(frame, i + 8, ss);
        finish(processor, vcpu, at, words, selector, handler, maskEvents);
    }

    /** Enters kernel mode and returns the address of a frame of {@code words}; 0 if there can be none: the domain has crashed. */
    private long beginFrame(PvProcessor processor, Vcpu vcpu, int words) {
        Processor p = processor.cpu;
        PvContext context = vcpu.pv();
        domains.charge(Charges.BOUNCE);
        interruptedRsp = p.gpr[Processor.RSP];
        interruptedKernel = context.kernelMode;
        long stack = interruptedRsp;
        if (!context.kernelMode) {
            contexts.toggleMode(processor, vcpu);
            stack = context.kernelSp;
        }
        long at = (stack & ~0xfL) - words * 8L;
        if (!GuestLinear.isGuestAddress(at) || !GuestLinear.isGuestAddress(at + words * 8L - 1)) {
            domains.crash(vcpu.domain, "kernel stack at 0x" + Long.toHexString(stack) + " is not the guest's");
            return 0;
        }
        return at;
    }

    private void finish(PvProcessor processor, Vcpu vcpu, long at, int words, int selector, long handler,
            boolean maskEvents) {
        Processor p = processor.cpu;
        if (processor.memory.write(at, frame, 0, words * 8) != 0) {
            domains.crash(vcpu.domain, "page fault on the kernel stack at 0x" + Long.toHexString(at));
            return;
        }
        if (maskEvents && vcpu.infoAddress >= 0) {
            ram.write8(vcpu.infoAddress + Xen.VcpuInfo.EVTCHN_UPCALL_MASK, 1);
        }
        p.setRflags(enteredFlags(p));
        if (ContextSwitch.enterGuest(p, vcpu, selector | 3, handler, FLAT_RING3_SS32, at) != ContextSwitch.ENTERED) {
            domains.crash(vcpu.domain, "handler at " + Integer.toHexString(selector) + ":0x"
                    + Long.toHexString(handler) + " cannot be entered");
        }
    }

    /** CS as the guest sees it: RPL 3 from user mode, 0 from its kernel. */
    private long pushedCs(int selector) {
        return interruptedKernel ? selector & ~3 : selector;
    }

    /** RFLAGS of an entry point of the guest, which was interrupted with those of {@code p}. */
    static long enteredFlags(Processor p) {
        return p.rflags() & ~CLEARED_FLAGS | Bits.RFLAGS_IF;
    }

    static long upcallMask(PhysicalMemory ram, Vcpu vcpu) {
        return vcpu.infoAddress < 0 ? 1 : ram.read8(vcpu.infoAddress + Xen.VcpuInfo.EVTCHN_UPCALL_MASK);
    }

    /** RFLAGS with IF as the guest's upcall mask says, and IOPL if it has asked to see it. */
    static long pushedFlags(PhysicalMemory ram, Vcpu vcpu, Processor p) {
        long flags = p.rflags() & ~(Bits.RFLAGS_IF | Bits.RFLAGS_IOPL);
        if (upcallMask(ram, vcpu) == 0) {
            flags |= Bits.RFLAGS_IF;
        }
        if ((vcpu.domain.vmAssist & 1L << Xen.VMASST_TYPE_ARCHITECTURAL_IOPL) != 0) {
            flags |= (long) vcpu.pv().iopl << Bits.IOPL_SHIFT;
        }
        return flags;
    }
}
