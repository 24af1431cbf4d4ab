package dev.xenolith.cpu.processor;

/**
 * Far transfers in IA-32e mode: jumps, calls, returns, IRET, software interrupts, and the fast system calls (SDM 3A 5.8, 6.12;
 * SDM 2). RIP is the next instruction's while they execute; all memory is checked before a register changes.
 */
public final class ControlTransfer {
    private static final int RPL = 3;
    /** What IRET can load at any privilege, by operand size; IF, IOPL, VIF and VIP are added by privilege. */
    private static final long IRET_FLAGS_16 = Bits.RFLAGS_STATUS | Bits.RFLAGS_TF | Bits.RFLAGS_DF | Bits.RFLAGS_NT;
    private static final long IRET_FLAGS = IRET_FLAGS_16 | Bits.RFLAGS_RF | Bits.RFLAGS_AC | Bits.RFLAGS_ID;

    private ControlTransfer() {}

    // ---- software interrupts -----------------------------------------------------------------------------------------

    /** INT n. */
    public static void softwareInterrupt(Processor p, long vector, int length) {
        softwareInterrupt(p, (int) vector & 0xff, length, true);
    }

    /** INT3. */
    public static void breakpoint(Processor p, int length) {
        softwareInterrupt(p, Vector.BP, length, true);
    }

    /** INTO: #OF as a trap if {@code overflow}, 0 or 1. */
    public static void overflow(Processor p, long overflow, int length) {
        if (overflow != 0) {
            softwareInterrupt(p, Vector.OF, length, true);
        }
    }

    /** INT1: #DB as a trap, without the check of the gate's DPL (SDM 2 INT1). */
    public static void icebp(Processor p, int length) {
        softwareInterrupt(p, Vector.DB, length, false);
    }

    private static void softwareInterrupt(Processor p, int vector, int length, boolean checkDpl) {
        if (!p.hosted) {
            Delivery.software(p, vector, checkDpl);
        } else if (checkDpl && p.vectorDpl[vector] < p.cpl) {
            throw p.raise(Vector.GP, vector << 3 | Vector.ERROR_IDT);
        } else {
            p.stopForException(vector, 0, true, length);
        }
    }

    /** The #DB trap after an instruction that began with RFLAGS.TF set. */
    public static void singleStepTrap(Processor p) {
        p.dr[6] |= Bits.DR6_BS | p.pendingDebug;
        p.pendingDebug = 0;
        debugTrap(p);
    }

    /** #DB after an instruction; DR6 says why. False if the run is over. */
    static boolean debugTrap(Processor p) {
        if (p.hosted) {
            p.stopForException(Vector.DB, 0, false, 0);
            return false;
        }
        return Delivery.exception(p, Vector.DB, 0, true);
    }

    // ---- SYSCALL and SYSENTER ----------------------------------------------------------------------------------------

    public static void syscall(Processor p) {
        boolean allowed = (p.efer & Bits.EFER_SCE) != 0 && (p.is64Bit() || !p.model.isIntel());
        if (!allowed) {
            throw p.raise(Vector.UD, 0);
        }
        long flags = p.rflags() & ~Bits.RFLAGS_RF;
        p.gpr[Processor.RCX] = p.is64Bit() ? p.rip : p.rip & 0xffff_ffffL;
        p.gpr[11] = flags;
        if (p.hosted) {
            p.stop.sysenter = false;
            p.stop(Stop.Kind.ENTRY);
            return;
        }
        long target = p.is64Bit() ? p.msr.lstar : p.msr.cstar;
        int selector = (int) (p.msr.star >>> 32) & 0xfffc;
        p.rip = target;
        setFlatCode(p, selector, 0, Segment.CODE_64);
        setFlatStack(p, selector + 8 & 0xffff, 0);
        p.cpl = 0;
        p.setRflags(flags & ~p.msr.fmask);
        p.updateContext();
    }

    public static void sysret(Processor p, int bits) {
        if ((p.efer & Bits.EFER_SCE) == 0 || !p.is64Bit() && p.model.isIntel()) {
            throw p.raise(Vector.UD, 0);
        }
        Segmentation.requireRing0(p);
        long target = p.gpr[Processor.RCX];
        int base = (int) (p.msr.star >>> 48);
        if (bits == 64) {
            if (!ControlRegisters.isCanonical(p, target)) {
                throw p.raise(Vector.GP, 0);
            }
            setFlatCode(p, base + 16 & 0xffff | RPL, 3, Segment.CODE_64);
        } else {
            target &= 0xffff_ffffL;
            setFlatCode(p, base | RPL, 3, Segment.CODE_64 & ~Segment.LONG | Segment.DEFAULT_32);
        }
        p.rip = target;
        setFlatStack(p, base + 8 & 0xffff | RPL, 3);
        p.cpl = 3;
        p.setRflags(p.gpr[11] & ~(Bits.RFLAGS_RF | Bits.RFLAGS_VM));
        p.updateContext();
    }

    public static void sysenter(Processor p) {
        if (!p.model.isIntel()) {
            // AMD has SYSENTER only outside long mode (APM 3 SYSENTER).
            throw p.raise(Vector.UD, 0);
        }
        int selector = (int) p.msr.sysenterCs & 0xfffc;
        if (selector == 0) {
            throw p.raise(Vector.GP, 0);
        }
        if (p.hosted) {
            p.stop.sysenter = true;
            p.stop(Stop.Kind.ENTRY);
            return;
        }
        p.rip = p.msr.sysenterEip;
        p.gpr[Processor.RSP] = p.msr.sysenterEsp;
        setFlatCode(p, selector, 0, Segment.CODE_64);
        setFlatStack(p, selector + 8 & 0xffff, 0);
        p.cpl = 0;
        p.setSystemFlags(p.rflagsSystem & ~(Bits.RFLAGS_VM | Bits.RFLAGS_IF));
        p.updateContext();
    }

    public static void sysexit(Processor p, int bits) {
        Segmentation.requireRing0(p);
        if (!p.model.isIntel()) {
            throw p.raise(Vector.UD, 0);
        }
        int selector = (int) p.msr.sysenterCs & 0xfffc;
        if (selector == 0) {
            throw p.raise(Vector.GP, 0);
        }
        long target = p.gpr[Processor.RDX];
        long stack = p.gpr[Processor.RCX];
        if (bits == 64) {
            if (!ControlRegisters.isCanonical(p, target) || !ControlRegisters.isCanonical(p, stack)) {
                throw p.raise(Vector.GP, 0);
            }
            setFlatCode(p, selector + 32 & 0xffff | RPL, 3, Segment.CODE_64);
            setFlatStack(p, selector + 40 & 0xffff | RPL, 3);
        } else {
            target &= 0xffff_ffffL;
            stack &= 0xffff_ffffL;
            setFlatCode(p, selector + 16 & 0xffff | RPL, 3, Segment.CODE_64 & ~Segment.LONG | Segment.DEFAULT_32);
            setFlatStack(p, selector + 24 & 0xffff | RPL, 3);
        }
        p.rip = target;
        p.gpr[Processor.RSP] = stack;
        p.cpl = 3;
        p.updateContext();
    }

    private static void setFlatCode(Processor p, int selector, int dpl, int attributes) {
        p.segmentSelector[Processor.CS] = selector;
        p.segmentBase[Processor.CS] = 0;
        p.segmentLimit[Processor.CS] = 0xffff_ffffL;
        p.segmentAttributes[Processor.CS] = attributes | dpl << Segment.DPL_SHIFT;
    }

    private static void setFlatStack(Processor p, int selector, int dpl) {
        p.segmentSelector[Processor.SS] = selector;
        p.segmentBase[Processor.SS] = 0;
        p.segmentLimit[Processor.SS] = 0xffff_ffffL;
        p.segmentAttributes[Processor.SS] = Segment.DATA | dpl << Segment.DPL_SHIFT;
    }

    // ---- far jump and call -------------------------------------------------------------------------------------------

    public static void jumpFar(Processor p, long selectorValue, long offset, int bits) {
        int selector = (int) selectorValue & 0xffff;
        long descriptor = readTarget(p, selector);
        if ((Segment.attributes(descriptor) & Segment.NON_SYSTEM) == 0) {
            CallGate gate = readGate(p, selector, descriptor);
            int attributes = Segment.attributes(gate.code);
            checkDirect(p, gate.selector & ~RPL, attributes);
            enterCode(p, gate.selector & ~RPL | p.cpl, gate.code, gate.offset);
        } else {
            checkDirect(p, selector, Segment.attributes(descriptor));
            long target = checkOffset(p, descriptor, offset, bits);
            enterCode(p, selector & ~RPL | p.cpl, descriptor, target);
        }
        p.updateContext();
    }

    public static void callFar(Processor p, long selectorValue, long offset, int bits) {
        int selector = (int) selectorValue & 0xffff;
        long descriptor = readTarget(p, selector);
        if ((Segment.attributes(descriptor) & Segment.NON_SYSTEM) == 0) {
            callGate(p, readGate(p, selector, descriptor));
        } else {
            checkDirect(p, selector, Segment.attributes(descriptor));
            long target = checkOffset(p, descriptor, offset, bits);
            long stack = pushPair(p, bits, p.segmentSelector[Processor.CS], p.rip);
            enterCode(p, selector & ~RPL | p.cpl, descriptor, target);
            setStackPointer(p, stack);
        }
        p.updateContext();
    }

    private static long readTarget(Processor p, int selector) {
        if (Segmentation.isNull(selector)) {
            throw p.raise(Vector.GP, 0);
        }
        return Segmentation.readDescriptor(p, selector);
    }

    /** Rules for a transfer to code without a change of privilege (SDM 3A 5.8.1.1). */
    private static void checkDirect(Processor p, int selector, int attributes) {
        int dpl = Segment.dpl(attributes);
        boolean allowed = Segment.isConforming(attributes)
                ? dpl <= p.cpl
                : dpl == p.cpl && (selector & RPL) <= p.cpl;
        if (!Segment.isCode(attributes) || !allowed) {
            throw Segmentation.fault(p, Vector.GP, selector);
        }
        checkCode(p, selector, attributes);
    }

    private static void checkCode(Processor p, int selector, int attributes) {
        if ((attributes & (Segment.LONG | Segment.DEFAULT_32)) == (Segment.LONG | Segment.DEFAULT_32)) {
            throw Segmentation.fault(p, Vector.GP, selector);
        }
        if ((attributes & Segment.PRESENT) == 0) {
            throw Segmentation.fault(p, Vector.NP, selector);
        }
    }

    /** The offset within the target segment: canonical for 64-bit code, within the limit otherwise. */
    private static long checkOffset(Processor p, long descriptor, long offset, int bits) {
        if ((Segment.attributes(descriptor) & Segment.LONG) != 0) {
            long target = bits == 64 ? offset : bits == 32 ? offset & 0xffff_ffffL : offset & 0xffff;
            if (!ControlRegisters.isCanonical(p, target)) {
                throw p.raise(Vector.GP, 0);
            }
            return target;
        }
        long target = bits == 16 ? offset & 0xffff : offset & 0xffff_ffffL;
        if (target > Segment.limit(descriptor)) {
            throw p.raise(Vector.GP, 0);
        }
        return target;
    }

    /** Loads CS and RIP; RIP is linear, so a base counts outside 64-bit code. */
    private static void enterCode(Processor p, int selector, long descriptor, long target) {
        long marked = Segmentation.markAccessed(p, selector, descriptor);
        Segmentation.set(p, Processor.CS, selector, marked);
        boolean is64Bit = (Segment.attributes(marked) & Segment.LONG) != 0;
        p.rip = is64Bit ? target : target + p.segmentBase[Processor.CS] & 0xffff_ffffL;
    }

    // ---- call gates (SDM 3A 5.8.3.1: in IA-32e mode only 64-bit ones) ------------------------------------------------

    /** A call gate with the descriptor of its target. */
    private record CallGate(int selector, long offset, long code) {}

    private static CallGate readGate(Processor p, int selector, long low) {
        int attributes = Segment.attributes(low);
        long address = Segmentation.descriptorAddress(p, selector, 16);
        if ((attributes & Segment.TYPE) != Segment.TYPE_CALL_GATE || address == -1) {
            throw Segmentation.fault(p, Vector.GP, selector);
        }
        long high = p.loadSystem(address + 8, 8);
        int dpl = Segment.dpl(attributes);
        if (dpl < p.cpl || dpl < (selector & RPL) || (high >>> 40 & 0x1f) != 0) {
            throw Segmentation.fault(p, Vector.GP, selector);
        }
        if ((attributes & Segment.PRESENT) == 0) {
            throw Segmentation.fault(p, Vector.NP, selector);
        }
        int codeSelector = (int) (low >>> 16) & 0xffff;
        long code = readTarget(p, codeSelector);
        int codeAttributes = Segment.attributes(code);
        boolean is64Bit = (codeAttributes & (Segment.LONG | Segment.DEFAULT_32)) == Segment.LONG;
        if (!Segment.isCode(codeAttributes) || Segment.dpl(codeAttributes) > p.cpl || !is64Bit) {
            throw Segmentation.fault(p, Vector.GP, codeSelector);
        }
        checkCode(p, codeSelector, codeAttributes);
        long offset = low & 0xffff | low >>> 32 & 0xffff_0000L | high << 32;
        if (!ControlRegisters.isCanonical(p, offset)) {
            throw p.raise(Vector.GP, 0);
        }
        return new CallGate(codeSelector, offset, code);
    }

    private static void callGate(Processor p, CallGate gate) {
        int attributes = Segment.attributes(gate.code);
        int dpl = Segment.dpl(attributes);
        if (Segment.isConforming(attributes) || dpl == p.cpl) {
            long stack = pushPair(p, 64, p.segmentSelector[Processor.CS], p.rip);
            enterCode(p, gate.selector & ~RPL | p.cpl, gate.code, gate.offset);
            setStackPointer(p, stack);
            return;
        }
        if (p.hosted) {
            // Ring 0 belongs to the hypervisor, which offers no gates; inner rings have no stacks without a TSS.
            throw Segmentation.fault(p, Vector.GP, gate.selector);
        }
        long top = Delivery.ringStack(p, dpl, 0);
        int privilege = Delivery.privilege(p, dpl);
        for (int i = 1; i <= 4; i++) {
            p.probeSystem(top - 8 * i, 8, privilege);
        }
        p.storeSystem(top - 8, 8, p.segmentSelector[Processor.SS], privilege);
        p.storeSystem(top - 16, 8, p.gpr[Processor.RSP], privilege);
        p.storeSystem(top - 24, 8, p.segmentSelector[Processor.CS], privilege);
        p.storeSystem(top - 32, 8, p.rip, privilege);
        enterCode(p, gate.selector & ~RPL | dpl, gate.code, gate.offset);
        p.cpl = dpl;
        Segmentation.setNullStack(p, dpl);
        p.gpr[Processor.RSP] = top - 32;
    }

    // ---- far return and IRET -----------------------------------------------------------------------------------------

    public static void returnFar(Processor p, long release, int bits) {
        int bytes = bits / 8;
        long stack = p.gpr[Processor.RSP];
        long offset = pop(p, stack, bytes);
        int selector = (int) pop(p, stack + bytes, bytes) & 0xffff;
        long descriptor = readReturnCode(p, selector);
        long target = checkOffset(p, descriptor, offset, bits);
        stack += 2L * bytes + (release & 0xffff);
        if ((selector & RPL) == p.cpl) {
            enterCode(p, selector, descriptor, target);
            setStackPointer(p, stack);
        } else {
            long newStack = pop(p, stack, bytes);
            int newSs = (int) pop(p, stack + bytes, bytes) & 0xffff;
            returnOutward(p, selector, descriptor, target, newSs, newStack + (release & 0xffff), bits);
        }
        p.updateContext();
    }

    public static void iret(Processor p, int bits) {
        if ((p.rflagsSystem & Bits.RFLAGS_NT) != 0) {
            // There is no task switch to return from in IA-32e mode (SDM 2 IRET).
            throw p.raise(Vector.GP, 0);
        }
        int bytes = bits / 8;
        long stack = p.gpr[Processor.RSP];
        long offset = pop(p, stack, bytes);
        int selector = (int) pop(p, stack + bytes, bytes) & 0xffff;
        long flags = pop(p, stack + 2 * bytes, bytes);
        long descriptor = readReturnCode(p, selector);
        long target = checkOffset(p, descriptor, offset, bits);
        int oldCpl = p.cpl;
        int oldIopl = p.iopl();
        if ((selector & RPL) == p.cpl && !p.is64Bit()) {
            enterCode(p, selector, descriptor, target);
            setStackPointer(p, stack + 3L * bytes);
        } else {
            // 64-bit mode always restores the stack.
            long newStack = pop(p, stack + 3 * bytes, bytes);
            int newSs = (int) pop(p, stack + 4 * bytes, bytes) & 0xffff;
            returnOutward(p, selector, descriptor, target, newSs, newStack, bits);
        }
        long changeable = bits == 16 ? IRET_FLAGS_16 : IRET_FLAGS;
        if (oldCpl <= oldIopl) {
            changeable |= Bits.RFLAGS_IF;
        }
        if (oldCpl == 0) {
            changeable |= Bits.RFLAGS_IOPL | (bits == 16 ? 0 : Bits.RFLAGS_VIF | Bits.RFLAGS_VIP);
        }
        p.setRflags(p.rflags() & ~changeable | flags & changeable);
        p.nmiBlocked = false;
        p.post(Processor.POLL_EVENT);
        p.updateContext();
    }

    /**
     * For a hypervisor that returns to the privilege level in the processor: loads CS and RIP, SS and RSP as IRETQ would. Returns -1,
     * or with nothing changed the fault as vector &lt;&lt; 16 | error code (for #PF the address is in {@link Processor#faultAddress}).
     */
    public static int tryReturn(Processor p, int selector, long offset, int stackSelector, long stack) {
        try {
            long descriptor = readReturnCode(p, selector);
            long target = checkOffset(p, descriptor, offset, 64);
            returnOutward(p, selector, descriptor, target, stackSelector, stack, 64);
            p.updateContext();
            return -1;
        } catch (GuestFault fault) {
            return p.faultVector << 16 | p.faultErrorCode;
        }
    }

    /** The code segment that a far return or IRET goes to (SDM 2 RET, IRET). */
    private static long readReturnCode(Processor p, int selector) {
        long descriptor = readTarget(p, selector);
        int attributes = Segment.attributes(descriptor);
        int rpl = selector & RPL;
        int dpl = Segment.dpl(attributes);
        if (rpl < p.cpl || !Segment.isCode(attributes) || (Segment.isConforming(attributes) ? dpl > rpl : dpl != rpl)) {
            throw Segmentation.fault(p, Vector.GP, selector);
        }
        checkCode(p, selector, attributes);
        return descriptor;
    }

    private static void returnOutward(Processor p, int selector, long descriptor, long target, int newSs, long newStack,
            int bits) {
        int newCpl = selector & RPL;
        boolean to64Bit = (Segment.attributes(descriptor) & Segment.LONG) != 0;
        long stackDescriptor = 0;
        boolean nullStack = Segmentation.isNull(newSs);
        if (nullStack) {
            if (!to64Bit || newCpl == 3 || (newSs & RPL) != newCpl) {
                throw p.raise(Vector.GP, 0);
            }
        } else {
            stackDescriptor = Segmentation.markAccessed(p, newSs,
                    Segmentation.readStackDescriptor(p, newSs, newCpl, Vector.GP));
        }
        boolean outward = newCpl > p.cpl;
        enterCode(p, selector, descriptor, target);
        p.cpl = newCpl;
        if (nullStack) {
            Segmentation.setNullStack(p, newSs);
        } else {
            Segmentation.set(p, Processor.SS, newSs, stackDescriptor);
        }
        if (bits == 16 && !to64Bit && (p.segmentAttributes[Processor.SS] & Segment.DEFAULT_32) == 0) {
            p.gpr[Processor.RSP] = p.gpr[Processor.RSP] & ~0xffffL | newStack & 0xffff;
        } else {
            p.gpr[Processor.RSP] = to64Bit || bits == 64 ? newStack : newStack & 0xffff_ffffL;
        }
        if (outward) {
            dropInnerSegments(p);
        }
    }

    /** Data segments that the outer level may not use become null (SDM 3A 5.8.6). */
    private static void dropInnerSegments(Processor p) {
        for (int segment = Processor.ES; segment <= Processor.GS; segment++) {
            if (segment == Processor.CS || segment == Processor.SS) {
                continue;
            }
            int attributes = p.segmentAttributes[segment];
            if ((attributes & Segment.UNUSABLE) == 0 && !Segment.isConforming(attributes)
                    && Segment.dpl(attributes) < p.cpl) {
                Segmentation.setNull(p, segment, 0);
            }
        }
    }

    // ---- the stack ---------------------------------------------------------------------------------------------------

    /** A stack value at the current privilege; outside 64-bit mode the stack has a base and 32 bits (or 16). */
    private static long pop(Processor p, long address, int bytes) {
        long linear = stackLinear(p, address);
        return switch (bytes) {
            case 2 -> p.load16(linear);
            case 4 -> p.load32(linear);
            default -> p.load64(linear);
        };
    }

    private static long stackLinear(Processor p, long address) {
        if (p.is64Bit()) {
            if (!ControlRegisters.isCanonical(p, address)) {
                throw p.raise(Vector.SS, 0);
            }
            return address;
        }
        boolean wide = (p.segmentAttributes[Processor.SS] & Segment.DEFAULT_32) != 0;
        return p.segmentBase[Processor.SS] + (address & (wide ? 0xffff_ffffL : 0xffff)) & 0xffff_ffffL;
    }

    /** Pushes two values of {@code bits}; returns the new stack pointer, which the caller commits. */
    private static long pushPair(Processor p, int bits, long first, long second) {
        int bytes = bits / 8;
        long stack = p.gpr[Processor.RSP];
        long firstAt = stackLinear(p, stack - bytes);
        long secondAt = stackLinear(p, stack - 2L * bytes);
        p.probeStore(firstAt, bytes);
        p.probeStore(secondAt, bytes);
        store(p, firstAt, bytes, first);
        store(p, secondAt, bytes, second);
        return stack - 2L * bytes;
    }

    private static void store(Processor p, long address, int bytes, long value) {
        switch (bytes) {
            case 2 -> p.store16(address, value);
            case 4 -> p.store32(address, value);
            default -> p.store64(address, value);
        }
    }

    /** Sets RSP, ESP or SP by the size of the stack that is left after the transfer. */
    private static void setStackPointer(Processor p, long value) {
        boolean to64Bit = (p.segmentAttributes[Processor.CS] & Segment.LONG) != 0;
        if (to64Bit) {
            p.gpr[Processor.RSP] = value;
        } else if ((p.segmentAttributes[Processor.SS] & Segment.DEFAULT_32) != 0) {
            p.gpr[Processor.RSP] = value & 0xffff_ffffL;
        } else {
            p.gpr[Processor.RSP] = p.gpr[Processor.RSP] & ~0xffffL | value & 0xffff;
        }
    }
}
