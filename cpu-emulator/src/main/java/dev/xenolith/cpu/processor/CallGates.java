package dev.xenolith.cpu.processor;

/** Far jumps and calls through call gates, task gates and TSS descriptors (SDM 3A 5.8.2 to 5.8.5, 7.3; SDM 2A JMP, CALL). */
final class CallGates {
    private static final int RPL = 3;

    private CallGates() {}

    /** A call gate with the descriptor of its target; {@code bits} is its width. */
    private record Gate(int selector, long offset, long code, int bits, int parameters) {}

    /** Far jump to the system descriptor at {@code selector}. */
    static void jump(Processor p, int selector, long descriptor) {
        if (switchesTask(p, selector, descriptor, TaskSwitch.Source.JUMP)) {
            return;
        }
        Gate gate = read(p, selector, descriptor);
        ControlTransfer.checkDirect(p, gate.selector & ~RPL, Segment.attributes(gate.code));
        long target = ControlTransfer.checkOffset(p, gate.code, gate.offset, gate.bits);
        ControlTransfer.enterCode(p, gate.selector & ~RPL | p.cpl, gate.code, target);
    }

    /** Far call of the system descriptor at {@code selector}. */
    static void call(Processor p, int selector, long descriptor) {
        if (switchesTask(p, selector, descriptor, TaskSwitch.Source.CALL)) {
            return;
        }
        Gate gate = read(p, selector, descriptor);
        int attributes = Segment.attributes(gate.code);
        int dpl = Segment.dpl(attributes);
        if (Segment.isConforming(attributes) || dpl == p.cpl) {
            long target = ControlTransfer.checkOffset(p, gate.code, gate.offset, gate.bits);
            long stack = ControlTransfer.pushPair(p, gate.bits, p.segmentSelector[Processor.CS],
                    ControlTransfer.returnAddress(p));
            ControlTransfer.enterCode(p, gate.selector & ~RPL | p.cpl, gate.code, target);
            ControlTransfer.setStackPointer(p, stack);
        } else if (p.hosted) {
            // Ring 0 belongs to the hypervisor, which offers no gates; inner rings have no stacks without a TSS.
            throw Segmentation.fault(p, Vector.GP, gate.selector);
        } else if (p.isLongMode()) {
            callInnerLong(p, gate, dpl);
        } else {
            callInner(p, gate, dpl);
        }
    }

    /** IA-32e mode has no task switches: there those descriptors are no gates. */
    private static boolean switchesTask(Processor p, int selector, long descriptor, TaskSwitch.Source source) {
        int attributes = Segment.attributes(descriptor);
        if (p.isLongMode()) {
            return false;
        }
        switch (attributes & Segment.TYPE) {
            case Segment.TYPE_TSS_AVAILABLE, Segment.TYPE_TSS_16_AVAILABLE -> TaskSwitch.direct(p, selector, descriptor,
                    source);
            case Segment.TYPE_TASK_GATE -> {
                checkGate(p, selector, attributes);
                TaskSwitch.throughGate(p, (int) (descriptor >>> 16) & 0xffff, source, false, 0, 0, 0);
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private static void checkGate(Processor p, int selector, int attributes) {
        int dpl = Segment.dpl(attributes);
        if (dpl < p.cpl || dpl < (selector & RPL)) {
            throw Segmentation.fault(p, Vector.GP, selector);
        }
        if ((attributes & Segment.PRESENT) == 0) {
            throw Segmentation.fault(p, Vector.NP, selector);
        }
    }

    private static Gate read(Processor p, int selector, long low) {
        int attributes = Segment.attributes(low);
        int type = attributes & Segment.TYPE;
        boolean longMode = p.isLongMode();
        long address = Segmentation.descriptorAddress(p, selector, longMode ? 16 : 8);
        boolean known = type == Segment.TYPE_CALL_GATE || !longMode && type == Segment.TYPE_CALL_GATE_16;
        if (!known || address == -1) {
            throw Segmentation.fault(p, Vector.GP, selector);
        }
        long high = longMode ? p.loadSystem(address + 8, 8) : 0;
        if ((high >>> 40 & 0x1f) != 0) {
            throw Segmentation.fault(p, Vector.GP, selector);
        }
        checkGate(p, selector, attributes);
        int codeSelector = (int) (low >>> 16) & 0xffff;
        long code = ControlTransfer.readTarget(p, codeSelector);
        int codeAttributes = Segment.attributes(code);
        boolean is64Bit = (codeAttributes & (Segment.LONG | Segment.DEFAULT_32)) == Segment.LONG;
        if (!Segment.isCode(codeAttributes) || Segment.dpl(codeAttributes) > p.cpl || longMode && !is64Bit) {
            throw Segmentation.fault(p, Vector.GP, codeSelector);
        }
        ControlTransfer.checkCode(p, codeSelector, codeAttributes);
        long offset = low & 0xffff | low >>> 32 & 0xffff_0000L | high << 32;
        if (longMode && !ControlRegisters.isCanonical(p, offset)) {
            throw p.raise(Vector.GP, 0);
        }
        boolean wide = (type & Segment.TYPE_WIDE) != 0;
        return new Gate(codeSelector, offset, code, longMode ? 64 : wide ? 32 : 16, (int) (low >>> 32) & 31);
    }

    private static void callInnerLong(Processor p, Gate gate, int cpl) {
        long top = Delivery.ringStack(p, cpl, 0);
        int privilege = Delivery.privilege(p, cpl);
        for (int i = 1; i <= 4; i++) {
            p.probeSystem(top - 8 * i, 8, privilege);
        }
        p.storeSystem(top - 8, 8, p.segmentSelector[Processor.SS], privilege);
        p.storeSystem(top - 16, 8, p.gpr[Processor.RSP], privilege);
        p.storeSystem(top - 24, 8, p.segmentSelector[Processor.CS], privilege);
        p.storeSystem(top - 32, 8, ControlTransfer.returnAddress(p), privilege);
        ControlTransfer.enterCode(p, gate.selector & ~RPL | cpl, gate.code, gate.offset);
        p.cpl = cpl;
        Segmentation.setNullStack(p, cpl);
        p.gpr[Processor.RSP] = top - 32;
    }

    /** Switches to the stack of {@code cpl} and copies the parameters to it. */
    private static void callInner(Processor p, Gate gate, int cpl) {
        int bytes = gate.bits / 8;
        StackSegment stack = StackSegment.ofTask(p, cpl, 0);
        int count = 4 + gate.parameters;
        stack.checkLimit(p, count, bytes, stack.selector & ~RPL);
        long target = ControlTransfer.checkOffset(p, gate.code, gate.offset, gate.bits);
        long[] parameters = new long[gate.parameters];
        for (int i = 0; i < parameters.length; i++) {
            parameters[i] = Stack.read(p, p.gpr[Processor.RSP] + (long) i * bytes, bytes);
        }
        stack.probe(p, count, bytes);
        stack = stack.accessed(p);
        stack.store(p, 1, bytes, p.segmentSelector[Processor.SS]);
        stack.store(p, 2, bytes, p.gpr[Processor.RSP]);
        for (int i = 0; i < parameters.length; i++) {
            stack.store(p, 2 + parameters.length - i, bytes, parameters[i]);
        }
        stack.store(p, count - 1, bytes, p.segmentSelector[Processor.CS]);
        stack.store(p, count, bytes, ControlTransfer.returnAddress(p));
        ControlTransfer.enterCode(p, gate.selector & ~RPL | cpl, gate.code, target);
        p.cpl = cpl;
        stack.commitSegment(p, cpl);
        stack.commitPointer(p, count, bytes);
    }
}
