package dev.xenolith.cpu.processor;

/**
 * Interrupts and exceptions outside IA-32e mode: through the vector table of real-address mode (SDM 3A 20.1.4), and through
 * interrupt, trap and task gates of 16 and 32 bits from protected and virtual-8086 mode (6.12, 20.3).
 */
final class LegacyDelivery {
    private static final int GATE_BYTES = 8;
    private static final int POINTER_BYTES = 4;
    private static final int[] SAVED_8086 = {Processor.GS, Processor.FS, Processor.DS, Processor.ES};

    private LegacyDelivery() {}

    /** Real-address mode: FLAGS, CS and IP on the stack, no error code. */
    static void enterReal(Processor p, int vector, int external) {
        if (vector * POINTER_BYTES + POINTER_BYTES - 1 > p.idtLimit) {
            throw p.raise(Vector.GP, vector << 3 | Vector.ERROR_IDT | external);
        }
        long pointer = p.loadSystem(Segmentation.tableAddress(p, p.idtBase + (long) vector * POINTER_BYTES), 4);
        StackSegment stack = StackSegment.current(p);
        stack.checkLimit(p, 3, 2, 0);
        stack.probe(p, 3, 2);
        long target = pointer & 0xffff;
        if (target > p.segmentLimit[Processor.CS]) {
            throw p.raise(Vector.GP, 0);
        }
        stack.store(p, 1, 2, p.rflags());
        stack.store(p, 2, 2, p.segmentSelector[Processor.CS]);
        stack.store(p, 3, 2, NearBranch.next(p));
        stack.commitPointer(p, 3, 2);
        Segmentation.setReal(p, Processor.CS, (int) (pointer >>> 16) & 0xffff);
        p.rip = p.segmentBase[Processor.CS] + target & 0xffff_ffffL;
        p.setSystemFlags(p.rflagsSystem & ~(Bits.RFLAGS_IF | Bits.RFLAGS_TF | Bits.RFLAGS_AC | Bits.RFLAGS_RF));
        p.updateContext();
    }

    /** Protected and virtual-8086 mode; parameters as in {@link Delivery}. */
    static void enterProtected(Processor p, int vector, boolean hasErrorCode, int errorCode, int external,
            boolean checkDpl, long resume) {
        int gateError = vector << 3 | Vector.ERROR_IDT | external;
        if (vector * GATE_BYTES + GATE_BYTES - 1 > p.idtLimit) {
            throw p.raise(Vector.GP, gateError);
        }
        long gate = p.loadSystem(Segmentation.tableAddress(p, p.idtBase + (long) vector * GATE_BYTES), 8);
        int attributes = Segment.attributes(gate);
        int type = attributes & (Segment.TYPE | Segment.NON_SYSTEM);
        boolean known = switch (type) {
            case Segment.TYPE_TASK_GATE, Segment.TYPE_INTERRUPT_GATE_16, Segment.TYPE_TRAP_GATE_16,
                    Segment.TYPE_INTERRUPT_GATE, Segment.TYPE_TRAP_GATE ->
                true;
            default -> false;
        };
        if (!known || checkDpl && Segment.dpl(attributes) < p.cpl) {
            throw p.raise(Vector.GP, gateError);
        }
        if ((attributes & Segment.PRESENT) == 0) {
            throw p.raise(Vector.NP, gateError);
        }
        int selector = (int) (gate >>> 16) & 0xffff;
        if (type == Segment.TYPE_TASK_GATE) {
            TaskSwitch.Source source = checkDpl ? TaskSwitch.Source.SOFTWARE : TaskSwitch.Source.EVENT;
            TaskSwitch.throughGate(p, selector, source, hasErrorCode, errorCode, external, resume);
            return;
        }
        boolean wide = (type & Segment.TYPE_WIDE) != 0;
        long target = gate & 0xffff | (wide ? gate >>> 32 & 0xffff_0000L : 0);
        long code = readHandlerCode(p, selector, external);
        int codeAttributes = Segment.attributes(code);
        int newCpl = Segment.isConforming(codeAttributes) ? p.cpl : Segment.dpl(codeAttributes);
        boolean from8086 = p.isVirtual8086();
        if (from8086 && newCpl != 0) {
            throw p.raise(Vector.GP, selector & ~3 | external);
        }
        boolean inward = newCpl < p.cpl;
        StackSegment stack = inward ? StackSegment.ofTask(p, newCpl, external) : StackSegment.current(p);
        int bytes = wide ? 4 : 2;
        int count = (from8086 ? 4 : 0) + (inward ? 5 : 3) + (hasErrorCode ? 1 : 0);
        stack.checkLimit(p, count, bytes, inward ? stack.selector & ~3 | external : external);
        if (target > Segment.limit(code)) {
            throw p.raise(Vector.GP, external);
        }
        stack.probe(p, count, bytes);
        long marked = Segmentation.markAccessed(p, selector, code);
        if (inward) {
            stack = stack.accessed(p);
        }
        int at = 0;
        if (from8086) {
            for (int segment : SAVED_8086) {
                stack.store(p, ++at, bytes, p.segmentSelector[segment]);
            }
        }
        if (inward) {
            stack.store(p, ++at, bytes, p.segmentSelector[Processor.SS]);
            stack.store(p, ++at, bytes, p.gpr[Processor.RSP]);
        }
        stack.store(p, ++at, bytes, p.rflags() | resume);
        stack.store(p, ++at, bytes, p.segmentSelector[Processor.CS]);
        stack.store(p, ++at, bytes, NearBranch.next(p));
        if (hasErrorCode) {
            stack.store(p, ++at, bytes, errorCode);
        }
        if (from8086) {
            for (int segment : SAVED_8086) {
                Segmentation.setNull(p, segment, 0);
            }
        }
        if (inward) {
            stack.commitSegment(p, newCpl);
        }
        stack.commitPointer(p, count, bytes);
        Segmentation.set(p, Processor.CS, selector & ~3 | newCpl, marked);
        p.cpl = newCpl;
        p.rip = p.segmentBase[Processor.CS] + target & 0xffff_ffffL;
        boolean interrupt = (type & 1) == 0;
        p.setSystemFlags(p.rflagsSystem & ~(Bits.RFLAGS_TF | Bits.RFLAGS_NT | Bits.RFLAGS_RF | Bits.RFLAGS_VM
                | (interrupt ? Bits.RFLAGS_IF : 0)));
        p.updateContext();
    }

    private static long readHandlerCode(Processor p, int selector, int external) {
        if (Segmentation.isNull(selector)) {
            throw p.raise(Vector.GP, external);
        }
        int error = selector & ~3 | external;
        long address = Segmentation.descriptorAddress(p, selector, 8);
        if (address == -1) {
            throw p.raise(Vector.GP, error);
        }
        long code = p.loadSystem(address, 8);
        int attributes = Segment.attributes(code);
        if (!Segment.isCode(attributes) || Segment.dpl(attributes) > p.cpl) {
            throw p.raise(Vector.GP, error);
        }
        if ((attributes & Segment.PRESENT) == 0) {
            throw p.raise(Vector.NP, error);
        }
        return code;
    }
}
