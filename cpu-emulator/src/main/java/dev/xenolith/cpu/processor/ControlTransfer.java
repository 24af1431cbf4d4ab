package dev.xenolith.cpu.processor;

/**
 * Far transfers: jumps, calls, returns, IRET and software interrupts in every mode (SDM 3A 5.8, 6.12, 20.2; SDM 2). RIP is the next
 * instruction's while they execute; all memory is checked before a register changes.
 */
public final class ControlTransfer {
    private static final int RPL = 3;
    private static final long WRAP = 0xffff_ffffL;
    /** What an IRET to virtual-8086 mode pops after ESP. */
    private static final int[] RESTORED_8086 = {Processor.SS, Processor.ES, Processor.DS, Processor.FS, Processor.GS};
    /** What IRET can load at any privilege, by operand size; IF, IOPL, VIF and VIP are added by privilege. */
    private static final long IRET_FLAGS_16 = Bits.RFLAGS_STATUS | Bits.RFLAGS_TF | Bits.RFLAGS_DF | Bits.RFLAGS_NT;
    private static final long IRET_FLAGS = IRET_FLAGS_16 | Bits.RFLAGS_RF | Bits.RFLAGS_AC | Bits.RFLAGS_ID;

    private ControlTransfer() {}

    // ---- software interrupts -----------------------------------------------------------------------------------------

    /** INT n. */
    public static void softwareInterrupt(Processor p, long vector, int length) {
        int number = (int) vector & 0xff;
        if (!p.isVirtual8086() || !VirtualInterrupts.redirects(p, number)) {
            softwareInterrupt(p, number, length, true);
        }
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

    /** INT1: #DB as a trap, without the check of the gate's DPL (SDM 2 INT1). What MOV SS has held back of #DB comes with it. */
    public static void icebp(Processor p, int length) {
        Breakpoints.reportPending(p);
        softwareInterrupt(p, Vector.DB, length, false);
    }

    private static void softwareInterrupt(Processor p, int vector, int length, boolean checkDpl) {
        if (!p.hosted) {
            Delivery.software(p, vector, checkDpl);
        } else if (checkDpl && p.vectorDpl[vector] < p.cpl) {
            throw p.raise(Vector.GP, vector << 3 | Vector.ERROR_IDT);
        } else {
            p.dropPendingDebug();
            p.stopForException(vector, 0, true, length);
        }
    }

    /** The #DB trap after an instruction that began with RFLAGS.TF set. */
    public static void singleStepTrap(Processor p) {
        p.pendingDebug |= (int) Bits.DR6_BS;
        pendingTrap(p);
    }

    /** The #DB trap for what is pending of it; it ends HLT, whose own trap it may be (SDM 2 HLT). False if the run is over. */
    static boolean pendingTrap(Processor p) {
        p.wake();
        Breakpoints.reportPending(p);
        return debugTrap(p);
    }

    /** #DB after an instruction; DR6 says why. False if the run is over. */
    static boolean debugTrap(Processor p) {
        if (p.hosted) {
            p.stopForException(Vector.DB, 0, false, 0);
            return false;
        }
        return Delivery.exception(p, Vector.DB, 0, true);
    }

    // ---- far jump and call -------------------------------------------------------------------------------------------

    public static void jumpFar(Processor p, long selectorValue, long offset, int bits) {
        int selector = (int) selectorValue & 0xffff;
        if (p.isReal() || p.isVirtual8086()) {
            enterBased(p, selector, checkBased(p, offset, bits));
            p.updateContext();
            return;
        }
        long descriptor = readTarget(p, selector);
        if ((Segment.attributes(descriptor) & Segment.NON_SYSTEM) == 0) {
            CallGates.jump(p, selector, descriptor);
        } else {
            checkDirect(p, selector, Segment.attributes(descriptor));
            long target = checkOffset(p, descriptor, offset, bits);
            enterCode(p, selector & ~RPL | p.cpl, descriptor, target);
        }
        p.updateContext();
    }

    public static void callFar(Processor p, long selectorValue, long offset, int bits) {
        int selector = (int) selectorValue & 0xffff;
        if (p.isReal() || p.isVirtual8086()) {
            long target = checkBased(p, offset, bits);
            long stack = pushPair(p, bits, p.segmentSelector[Processor.CS], NearBranch.next(p));
            enterBased(p, selector, target);
            Stack.setPointer(p, stack);
            p.updateContext();
            return;
        }
        long descriptor = readTarget(p, selector);
        if ((Segment.attributes(descriptor) & Segment.NON_SYSTEM) == 0) {
            CallGates.call(p, selector, descriptor);
        } else {
            checkDirect(p, selector, Segment.attributes(descriptor));
            long target = checkOffset(p, descriptor, offset, bits);
            long stack = pushPair(p, bits, p.segmentSelector[Processor.CS], returnAddress(p));
            enterCode(p, selector & ~RPL | p.cpl, descriptor, target);
            setStackPointer(p, stack);
        }
        p.updateContext();
    }

    /** Offset of the next instruction in CS. */
    static long returnAddress(Processor p) {
        return p.is64Bit() ? p.rip : NearBranch.next(p);
    }

    /** Real-address and virtual-8086 mode: an offset within the limit of CS, which stays. */
    private static long checkBased(Processor p, long offset, int bits) {
        long target = bits == 16 ? offset & 0xffff : offset & WRAP;
        if (target > p.segmentLimit[Processor.CS]) {
            throw p.raise(Vector.GP, 0);
        }
        return target;
    }

    private static void enterBased(Processor p, int selector, long target) {
        if (p.isReal()) {
            Segmentation.setReal(p, Processor.CS, selector);
        } else {
            Segmentation.set8086(p, Processor.CS, selector);
        }
        p.rip = p.segmentBase[Processor.CS] + target & WRAP;
    }

    static long readTarget(Processor p, int selector) {
        if (Segmentation.isNull(selector)) {
            throw p.raise(Vector.GP, 0);
        }
        return Segmentation.readDescriptor(p, selector);
    }

    /** Rules for a transfer to code without a change of privilege (SDM 3A 5.8.1.1). */
    static void checkDirect(Processor p, int selector, int attributes) {
        int dpl = Segment.dpl(attributes);
        boolean allowed = Segment.isConforming(attributes)
                ? dpl <= p.cpl
                : dpl == p.cpl && (selector & RPL) <= p.cpl;
        if (!Segment.isCode(attributes) || !allowed) {
            throw Segmentation.fault(p, Vector.GP, selector);
        }
        checkCode(p, selector, attributes);
    }

    static void checkCode(Processor p, int selector, int attributes) {
        int size = Segment.LONG | Segment.DEFAULT_32;
        if (p.isLongMode() && (attributes & size) == size) {
            throw Segmentation.fault(p, Vector.GP, selector);
        }
        if ((attributes & Segment.PRESENT) == 0) {
            throw Segmentation.fault(p, Vector.NP, selector);
        }
    }

    private static boolean is64Bit(Processor p, long descriptor) {
        return p.isLongMode() && (Segment.attributes(descriptor) & Segment.LONG) != 0;
    }

    /** The offset within the target segment: canonical for 64-bit code, within the limit otherwise. */
    static long checkOffset(Processor p, long descriptor, long offset, int bits) {
        if (is64Bit(p, descriptor)) {
            long target = bits == 64 ? offset : bits == 32 ? offset & WRAP : offset & 0xffff;
            if (!ControlRegisters.isCanonical(p, target)) {
                throw p.raise(Vector.GP, 0);
            }
            return target;
        }
        long target = bits == 16 ? offset & 0xffff : offset & WRAP;
        if (target > Segment.limit(descriptor)) {
            throw p.raise(Vector.GP, 0);
        }
        return target;
    }

    /** Loads CS and RIP; RIP is linear, so a base counts outside 64-bit code. */
    static void enterCode(Processor p, int selector, long descriptor, long target) {
        long marked = Segmentation.markAccessed(p, selector, descriptor);
        Segmentation.set(p, Processor.CS, selector, marked);
        p.rip = is64Bit(p, marked) ? target : target + p.segmentBase[Processor.CS] & WRAP;
    }

    // ---- far return and IRET -----------------------------------------------------------------------------------------

    public static void returnFar(Processor p, long release, int bits) {
        int bytes = bits / 8;
        long stack = p.gpr[Processor.RSP];
        long offset = Stack.read(p, stack, bytes);
        int selector = (int) Stack.read(p, stack + bytes, bytes) & 0xffff;
        long after = stack + 2L * bytes + (release & 0xffff);
        if (p.isReal() || p.isVirtual8086()) {
            enterBased(p, selector, checkBased(p, offset, bits));
            Stack.setPointer(p, after);
            p.updateContext();
            return;
        }
        long descriptor = readReturnCode(p, selector);
        if ((selector & RPL) == p.cpl) {
            long target = checkOffset(p, descriptor, offset, bits);
            enterCode(p, selector, descriptor, target);
            setStackPointer(p, after);
        } else {
            long newStack = Stack.read(p, after, bytes);
            int newSs = (int) Stack.read(p, after + bytes, bytes) & 0xffff;
            returnOutward(p, selector, descriptor, offset, newSs, newStack, bits, release & 0xffff);
        }
        p.updateContext();
    }

    public static void iret(Processor p, int bits) {
        if (p.isReal() || p.isVirtual8086()) {
            iretBased(p, bits);
        } else if ((p.rflagsSystem & Bits.RFLAGS_NT) != 0) {
            if (p.isLongMode()) {
                // There is no task switch to return from in IA-32e mode (SDM 2 IRET).
                throw p.raise(Vector.GP, 0);
            }
            TaskSwitch.goBack(p);
        } else {
            iretProtected(p, bits);
        }
        p.nmiBlocked = false;
        p.post(Processor.POLL_EVENT);
        p.updateContext();
    }

    /** Real-address mode, and virtual-8086 mode, where IOPL does not change and below 3 IF does not either. */
    private static void iretBased(Processor p, int bits) {
        boolean real = p.isReal();
        boolean virtual = !real && p.iopl() < 3;
        if (virtual && (bits != 16 || !VirtualInterrupts.isFlagOf8086(p))) {
            throw p.raise(Vector.GP, 0);
        }
        int bytes = bits / 8;
        long stack = p.gpr[Processor.RSP];
        long offset = Stack.read(p, stack, bytes);
        int selector = (int) Stack.read(p, stack + bytes, bytes) & 0xffff;
        long flags = Stack.read(p, stack + 2L * bytes, bytes);
        if (virtual) {
            VirtualInterrupts.checkImage(p, flags);
        }
        enterBased(p, selector, checkBased(p, offset, bits));
        Stack.setPointer(p, stack + 3L * bytes);
        if (virtual) {
            VirtualInterrupts.setFlags(p, flags, IRET_FLAGS_16);
            return;
        }
        long changeable = (bits == 16 ? IRET_FLAGS_16 : IRET_FLAGS) | Bits.RFLAGS_IF | (real ? Bits.RFLAGS_IOPL : 0);
        p.setRflags(p.rflags() & ~changeable | flags & changeable);
    }

    private static void iretProtected(Processor p, int bits) {
        int bytes = bits / 8;
        long stack = p.gpr[Processor.RSP];
        long offset = Stack.read(p, stack, bytes);
        int selector = (int) Stack.read(p, stack + bytes, bytes) & 0xffff;
        long flags = Stack.read(p, stack + 2L * bytes, bytes);
        if (bits == 32 && p.cpl == 0 && !p.isLongMode() && (flags & Bits.RFLAGS_VM) != 0) {
            returnTo8086(p, stack, offset, selector, flags);
            return;
        }
        long descriptor = readReturnCode(p, selector);
        int oldCpl = p.cpl;
        int oldIopl = p.iopl();
        if ((selector & RPL) == p.cpl && !p.is64Bit()) {
            long target = checkOffset(p, descriptor, offset, bits);
            enterCode(p, selector, descriptor, target);
            setStackPointer(p, stack + 3L * bytes);
        } else {
            // 64-bit mode always restores the stack.
            long newStack = Stack.read(p, stack + 3L * bytes, bytes);
            int newSs = (int) Stack.read(p, stack + 4L * bytes, bytes) & 0xffff;
            returnOutward(p, selector, descriptor, offset, newSs, newStack, bits, 0);
        }
        long changeable = bits == 16 ? IRET_FLAGS_16 : IRET_FLAGS;
        if (oldCpl <= oldIopl) {
            changeable |= Bits.RFLAGS_IF;
        }
        if (oldCpl == 0) {
            changeable |= Bits.RFLAGS_IOPL | (bits == 16 ? 0 : Bits.RFLAGS_VIF | Bits.RFLAGS_VIP);
        }
        p.setRflags(p.rflags() & ~changeable | flags & changeable);
    }

    /** IRETD at CPL 0 with VM in the image: ESP, SS, ES, DS, FS and GS follow (SDM 3A 20.2.5). */
    private static void returnTo8086(Processor p, long stack, long offset, int selector, long flags) {
        long newStack = Stack.read(p, stack + 12, 4);
        int[] selectors = new int[RESTORED_8086.length];
        for (int i = 0; i < selectors.length; i++) {
            selectors[i] = (int) Stack.read(p, stack + 16 + 4L * i, 4) & 0xffff;
        }
        if (offset > 0xffff) {
            throw p.raise(Vector.GP, 0);
        }
        p.setRflags(flags);
        p.cpl = 3;
        Segmentation.set8086(p, Processor.CS, selector);
        for (int i = 0; i < selectors.length; i++) {
            Segmentation.set8086(p, RESTORED_8086[i], selectors[i]);
        }
        p.gpr[Processor.RSP] = newStack;
        p.rip = p.segmentBase[Processor.CS] + offset & WRAP;
    }

    /**
     * For a hypervisor that returns to the privilege level in the processor: loads CS and RIP, SS and RSP as IRETQ would. Returns -1,
     * or with nothing changed the fault as vector &lt;&lt; 16 | error code (for #PF the address is in {@link Processor#faultAddress}).
     */
    public static int tryReturn(Processor p, int selector, long offset, int stackSelector, long stack) {
        try {
            long descriptor = readReturnCode(p, selector);
            returnOutward(p, selector, descriptor, offset, stackSelector, stack, 64, 0);
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

    /** Returns to the privilege level of {@code selector} with a stack of its own, from which {@code release} bytes are dropped. */
    private static void returnOutward(Processor p, int selector, long descriptor, long offset, int newSs, long newStack,
            int bits, long release) {
        int newCpl = selector & RPL;
        boolean to64Bit = is64Bit(p, descriptor);
        long stackDescriptor = 0;
        boolean nullStack = Segmentation.isNull(newSs);
        if (nullStack) {
            if (!to64Bit || newCpl == 3 || (newSs & RPL) != newCpl) {
                throw p.raise(Vector.GP, 0);
            }
        } else {
            stackDescriptor = Segmentation.readStackDescriptor(p, newSs, newCpl, Vector.GP);
        }
        long target = checkOffset(p, descriptor, offset, bits);
        if (!nullStack) {
            stackDescriptor = Segmentation.markAccessed(p, newSs, stackDescriptor);
        }
        boolean outward = newCpl > p.cpl;
        enterCode(p, selector, descriptor, target);
        p.cpl = newCpl;
        if (nullStack) {
            Segmentation.setNullStack(p, newSs);
        } else {
            Segmentation.set(p, Processor.SS, newSs, stackDescriptor);
        }
        if (to64Bit || bits == 64) {
            p.gpr[Processor.RSP] = newStack + release;
        } else if ((p.segmentAttributes[Processor.SS] & Segment.DEFAULT_32) != 0) {
            p.gpr[Processor.RSP] = newStack + release & WRAP;
        } else {
            // The rest of ESP is what was popped or, by a 16-bit operand, stays.
            long upper = bits == 16 ? p.gpr[Processor.RSP] & ~0xffffL : newStack & 0xffff_0000L;
            p.gpr[Processor.RSP] = upper | newStack + release & 0xffff;
        }
        if (outward) {
            dropInnerSegments(p);
        }
    }

    /**
     * Data segments that the outer level may not use become null (SDM 3A 5.8.6). Their bases stay: in 64-bit mode that of GS goes on
     * to count.
     */
    private static void dropInnerSegments(Processor p) {
        for (int segment = Processor.ES; segment <= Processor.GS; segment++) {
            if (segment == Processor.CS || segment == Processor.SS) {
                continue;
            }
            int attributes = p.segmentAttributes[segment];
            if ((attributes & Segment.UNUSABLE) == 0 && !Segment.isConforming(attributes)
                    && Segment.dpl(attributes) < p.cpl) {
                long base = p.segmentBase[segment];
                Segmentation.setNull(p, segment, 0);
                p.segmentBase[segment] = base;
            }
        }
    }

    // ---- the stack ---------------------------------------------------------------------------------------------------

    /** Pushes two values of {@code bits}; returns the new stack pointer, which the caller commits. */
    static long pushPair(Processor p, int bits, long first, long second) {
        int bytes = bits / 8;
        long stack = p.gpr[Processor.RSP];
        Stack.probe(p, stack - bytes, bytes);
        Stack.probe(p, stack - 2L * bytes, bytes);
        Stack.write(p, stack - bytes, bytes, first);
        Stack.write(p, stack - 2L * bytes, bytes, second);
        return stack - 2L * bytes;
    }

    /** Sets RSP, ESP or SP by the size of the stack that is left after the transfer. */
    static void setStackPointer(Processor p, long value) {
        boolean to64Bit = p.isLongMode() && (p.segmentAttributes[Processor.CS] & Segment.LONG) != 0;
        if (to64Bit) {
            p.gpr[Processor.RSP] = value;
        } else if ((p.segmentAttributes[Processor.SS] & Segment.DEFAULT_32) != 0) {
            p.gpr[Processor.RSP] = value & WRAP;
        } else {
            p.gpr[Processor.RSP] = p.gpr[Processor.RSP] & ~0xffffL | value & 0xffff;
        }
    }
}
