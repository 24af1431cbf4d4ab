package dev.xenolith.hypervisor.pv;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.PvContext;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.time.Charges;

/**
 * Enters the kernel of a 32-bit guest, in ring 1 (compat_create_bounce_frame of xen/arch/x86/x86_64/compat/entry.S).
 *
 * <p>From low to high addresses the frame holds the error code if there is one, EIP, CS with the saved upcall mask in bits 16 to 23,
 * EFLAGS, and, as the processor itself has it, ESP and SS if user mode was interrupted. It begins below the kernel stack then, else below
 * the present ESP.
 */
final class CompatBounce {
    private static final int WORD = Integer.BYTES;
    private static final int MASK_SHIFT = 16;
    /** Bit of a selector that says ring 2 or 3. */
    private static final int USER_RING = 2;
    private static final int MOST_WORDS = 9;

    /** Where the guest was interrupted. EIP and ESP are offsets in CS and SS. */
    record Place(int cs, long eip, int ss, long esp) {
        /** Where the processor is. */
        static Place of(Processor p) {
            return new Place(p.segmentSelector[Processor.CS], ContextSwitch.instructionPointer(p),
                    p.segmentSelector[Processor.SS], p.gpr[Processor.RSP]);
        }

        boolean isUser() { return (cs & USER_RING) != 0; }
    }

    private final Domains domains;
    private final PhysicalMemory ram;
    private final byte[] frame = new byte[MOST_WORDS * WORD];
    private int length;

    CompatBounce(Domains domains) {
        this.domains = domains;
        ram = domains.memory.ram();
    }

    /** Delivers an event or exception to {@code selector:handler}; {@code errorCode} is -1 if there is none. */
    void enter(PvProcessor processor, Vcpu vcpu, int selector, long handler, int errorCode, boolean maskEvents,
            Place from) {
        length = 0;
        if (errorCode != Bounce.NO_ERROR_CODE) {
            push(errorCode);
        }
        pushPlace(processor.cpu, vcpu, from);
        finish(processor, vcpu, selector, handler, maskEvents, from);
    }

    /** The failsafe callback: below EIP the frame holds DS, ES, FS and GS. */
    void failsafe(PvProcessor processor, Vcpu vcpu, int[] selectors, Place from) {
        PvContext context = vcpu.pv();
        length = 0;
        push(selectors[Processor.DS]);
        push(selectors[Processor.ES]);
        push(selectors[Processor.FS]);
        push(selectors[Processor.GS]);
        pushPlace(processor.cpu, vcpu, from);
        finish(processor, vcpu, context.failsafeSelector, context.failsafeCallback, context.failsafeMasksEvents, from);
    }

    /** Adds the next higher word. */
    private void push(long word) {
        Bytes.put32(frame, length, (int) word);
        length += WORD;
    }

    private void pushPlace(Processor p, Vcpu vcpu, Place from) {
        push(from.eip);
        push(from.cs | Bounce.upcallMask(ram, vcpu) << MASK_SHIFT);
        push(Bounce.pushedFlags(ram, vcpu, p));
        if (from.isUser()) {
            push(from.esp);
            push(from.ss);
        }
    }

    private void finish(PvProcessor processor, Vcpu vcpu, int selector, long handler, boolean maskEvents, Place from) {
        Processor p = processor.cpu;
        PvContext context = vcpu.pv();
        domains.charge(Charges.BOUNCE);
        long at = (from.isUser() ? context.kernelSp : from.esp) - length & 0xffff_ffffL;
        int ss = from.isUser() ? context.kernelSs : from.ss;
        p.setRflags(Bounce.enteredFlags(p));
        if (ContextSwitch.enterGuest(p, vcpu, selector, handler, ss, at) != ContextSwitch.ENTERED) {
            domains.crash(vcpu.domain, "handler at " + Integer.toHexString(selector) + ":0x" + Long.toHexString(handler)
                    + " cannot be entered on stack " + Integer.toHexString(ss) + ":0x" + Long.toHexString(at));
            return;
        }
        context.kernelMode = p.cpl == ContextSwitch.COMPAT_KERNEL_RING;
        long linear = p.segmentBase[Processor.SS] + at & 0xffff_ffffL;
        if (processor.memory.write(linear, frame, 0, length) != 0) {
            domains.crash(vcpu.domain, "page fault on the kernel stack at 0x" + Long.toHexString(linear));
            return;
        }
        if (maskEvents && vcpu.infoAddress >= 0) {
            ram.write8(vcpu.infoAddress + Xen.VcpuInfo.EVTCHN_UPCALL_MASK, 1);
        }
    }
}
