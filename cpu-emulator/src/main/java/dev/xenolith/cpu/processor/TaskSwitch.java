package dev.xenolith.cpu.processor;

/**
 * Hardware task switches (SDM 3A chapter 7): to a TSS of 16 or 32 bits by far jump, far call, event or IRET. Until the new task's
 * state is loaded a fault leaves everything as it was and belongs to the old task; after that it belongs to the new one.
 */
final class TaskSwitch {
    /** What switches. */
    enum Source {
        JUMP, CALL,
        /** INT n, INT3 or INTO through a task gate. */
        SOFTWARE,
        /** An exception or interrupt through a task gate. */
        EVENT,
        /** IRET with NT set. */
        RETURN
    }

    private static final int[] ORDER = {Processor.ES, Processor.CS, Processor.SS, Processor.DS, Processor.FS,
        Processor.GS};
    private static final int LIMIT_32 = 0x67;
    private static final int LIMIT_16 = 0x2b;
    private static final int RPL = 3;
    private static final int TABLE_LDT = 4;

    /** Offsets in a TSS by width; general registers and segments follow each other in the order of their numbers. */
    private record Layout(int bytes, int cr3, int ip, int flags, int registers, int segments, int segmentStep,
            int segmentCount, int ldt) {
    }

    private static final Layout WIDE = new Layout(4, 28, 32, 36, 40, 72, 4, 6, 96);
    private static final Layout NARROW = new Layout(2, -1, 14, 16, 18, 34, 2, 4, 42);

    private TaskSwitch() {}

    private static Layout layout(long descriptor) {
        return (Segment.attributes(descriptor) & Segment.TYPE_WIDE) != 0 ? WIDE : NARROW;
    }

    /** Switches to the task whose TSS the task gate names that has been found good itself. */
    static void throughGate(Processor p, int selector, Source source, boolean hasErrorCode, int errorCode, int external,
            long resume) {
        int error = selector & ~RPL | external;
        if (Segmentation.isNull(selector)) {
            throw p.raise(Vector.GP, external);
        }
        long address = (selector & TABLE_LDT) != 0 ? -1 : Segmentation.descriptorAddress(p, selector, 8);
        if (address == -1) {
            throw p.raise(Vector.GP, error);
        }
        long descriptor = p.loadSystem(address, 8);
        checkAvailable(p, descriptor, Vector.GP, error);
        to(p, selector, descriptor, source, hasErrorCode, errorCode, external, resume);
    }

    /** Switches by far jump or call to the TSS whose {@code descriptor} is at {@code selector} (SDM 2A JMP, CALL). */
    static void direct(Processor p, int selector, long descriptor, Source source) {
        int dpl = Segment.dpl(Segment.attributes(descriptor));
        int error = selector & ~RPL;
        if (dpl < p.cpl || dpl < (selector & RPL) || (selector & TABLE_LDT) != 0) {
            throw p.raise(Vector.GP, error);
        }
        checkAvailable(p, descriptor, Vector.GP, error);
        to(p, selector, descriptor, source, false, 0, 0, 0);
    }

    /** IRET with NT: back to the task that the present TSS links to (SDM 2A IRET). */
    static void goBack(Processor p) {
        int selector = (int) p.loadSystem(p.segmentBase[Processor.TR], 2);
        int error = selector & ~RPL;
        long address = (selector & TABLE_LDT) != 0 || Segmentation.isNull(selector)
                ? -1
                : Segmentation.descriptorAddress(p, selector, 8);
        if (address == -1) {
            throw p.raise(Vector.TS, error);
        }
        long descriptor = p.loadSystem(address, 8);
        int attributes = Segment.attributes(descriptor);
        int type = attributes & (Segment.TYPE | Segment.NON_SYSTEM);
        if (type != Segment.TYPE_TSS_BUSY && type != Segment.TYPE_TSS_16_BUSY) {
            throw p.raise(Vector.TS, error);
        }
        if ((attributes & Segment.PRESENT) == 0) {
            throw p.raise(Vector.NP, error);
        }
        to(p, selector, descriptor, Source.RETURN, false, 0, 0, 0);
    }

    private static void checkAvailable(Processor p, long descriptor, int vector, int error) {
        int attributes = Segment.attributes(descriptor);
        int type = attributes & (Segment.TYPE | Segment.NON_SYSTEM);
        if (type != Segment.TYPE_TSS_AVAILABLE && type != Segment.TYPE_TSS_16_AVAILABLE) {
            throw p.raise(vector, error);
        }
        if ((attributes & Segment.PRESENT) == 0) {
            throw p.raise(Vector.NP, error);
        }
    }

    private static void to(Processor p, int selector, long descriptor, Source source, boolean hasErrorCode,
            int errorCode, int external, long resume) {
        Layout to = layout(descriptor);
        long limit = Segment.limit(descriptor);
        if (limit < (to == WIDE ? LIMIT_32 : LIMIT_16)) {
            throw p.raise(Vector.TS, selector & ~RPL | external);
        }
        int oldSelector = p.segmentSelector[Processor.TR];
        long oldBase = p.segmentBase[Processor.TR];
        Layout from = (p.segmentAttributes[Processor.TR] & Segment.TYPE_WIDE) != 0 ? WIDE : NARROW;
        long newBase = Segment.base(descriptor);
        long[] image = read(p, newBase, to);
        checkWritable(p, oldBase, from, newBase, source);

        // Nothing faults from here to the point where the new task is in the processor.
        boolean nested = isNested(source);
        long flags = p.rflags() | resume;
        if (source == Source.RETURN) {
            flags &= ~Bits.RFLAGS_NT;
        }
        if (!nested) {
            setBusy(p, oldSelector, false);
        }
        save(p, oldBase, from, flags);
        if (nested) {
            p.storeSystem(newBase, 2, oldSelector, p.systemPrivilege());
        }
        if (source != Source.RETURN) {
            setBusy(p, selector, true);
        }
        Segmentation.set(p, Processor.TR, selector, descriptor);
        p.segmentAttributes[Processor.TR] |= Segment.TYPE_BUSY;
        p.cr0 |= Bits.CR0_TS;
        p.updateFloatGate();
        p.dr[7] &= ~Bits.DR7_LOCAL;
        p.breakpointsChanged();
        try {
            enter(p, to, image, nested, hasErrorCode, errorCode, external);
        } catch (GuestFault fault) {
            if (source == Source.EVENT) {
                throw fault;
            }
            // The instruction is done; the fault is the new task's before its first one.
            Delivery.exception(p, p.faultVector, p.faultErrorCode, false);
        }
    }

    private static boolean isNested(Source source) {
        return source == Source.CALL || source == Source.EVENT || source == Source.SOFTWARE;
    }

    // ---- the old task ------------------------------------------------------------------------------------------------

    private static void checkWritable(Processor p, long oldBase, Layout from, long newBase, Source source) {
        int privilege = p.systemPrivilege();
        for (int offset = from.ip; offset < from.ldt; offset += from.bytes) {
            p.probeSystem(address(oldBase, offset), from.bytes, privilege);
        }
        if (isNested(source)) {
            p.probeSystem(address(newBase, 0), 2, privilege);
        }
    }

    private static void save(Processor p, long base, Layout layout, long flags) {
        int privilege = p.systemPrivilege();
        p.storeSystem(address(base, layout.ip), layout.bytes, NearBranch.next(p), privilege);
        p.storeSystem(address(base, layout.flags), layout.bytes, flags, privilege);
        for (int i = 0; i < 8; i++) {
            p.storeSystem(address(base, layout.registers + i * layout.bytes), layout.bytes, p.gpr[i], privilege);
        }
        for (int i = 0; i < layout.segmentCount; i++) {
            p.storeSystem(address(base, layout.segments + i * layout.segmentStep), 2, p.segmentSelector[ORDER[i]],
                    privilege);
        }
    }

    private static void setBusy(Processor p, int selector, boolean busy) {
        long at = Segmentation.descriptorAddress(p, selector, 8) + 5;
        long old = p.loadSystem(at, 1);
        p.storeSystem(at, 1, busy ? old | Segment.TYPE_BUSY : old & ~Segment.TYPE_BUSY, p.systemPrivilege());
    }

    // ---- the new task ------------------------------------------------------------------------------------------------

    /** Order: CR3, EIP, EFLAGS, eight registers, six selectors, LDT, T flag. */
    private static long[] read(Processor p, long base, Layout layout) {
        long[] image = new long[19];
        image[0] = layout.cr3 < 0 ? p.cr3 : p.loadSystem(address(base, layout.cr3), 4);
        image[1] = p.loadSystem(address(base, layout.ip), layout.bytes);
        image[2] = p.loadSystem(address(base, layout.flags), layout.bytes);
        for (int i = 0; i < 8; i++) {
            image[3 + i] = p.loadSystem(address(base, layout.registers + i * layout.bytes), layout.bytes);
        }
        for (int i = 0; i < layout.segmentCount; i++) {
            image[11 + i] = p.loadSystem(address(base, layout.segments + i * layout.segmentStep), 2);
        }
        image[17] = p.loadSystem(address(base, layout.ldt), 2);
        image[18] = layout == WIDE ? p.loadSystem(address(base, 100), 2) & 1 : 0;
        return image;
    }

    private static void enter(Processor p, Layout layout, long[] image, boolean nested, boolean hasErrorCode,
            int errorCode, int external) {
        if (layout == WIDE && (p.cr0 & Bits.CR0_PG) != 0 && image[0] != p.cr3) {
            if (!ControlRegisters.writeCr3(p, image[0])) {
                throw p.raise(Vector.GP, external);
            }
        }
        for (int i = 0; i < 8; i++) {
            p.gpr[i] = layout == WIDE ? image[3 + i] : p.gpr[i] & 0xffff_0000L | image[3 + i];
        }
        long flags = image[2] | (nested ? Bits.RFLAGS_NT : 0);
        p.setRflags(flags & (layout == WIDE ? -1L : 0xffff));
        for (int i = 0; i < 6; i++) {
            Segmentation.setNull(p, ORDER[i], (int) image[11 + i]);
        }
        Segmentation.setNull(p, Processor.LDTR, (int) image[17]);
        p.rip = image[1];
        p.cpl = p.isVirtual8086() ? 3 : (int) image[11 + 1] & RPL;
        p.updateContext();

        loadLdt(p, (int) image[17], external);
        if (p.isVirtual8086()) {
            for (int i = 0; i < 6; i++) {
                Segmentation.set8086(p, ORDER[i], (int) image[11 + i]);
            }
        } else {
            loadStackAndCode(p, (int) image[13], (int) image[12], external);
            for (int segment : new int[]{Processor.ES, Processor.DS, Processor.FS, Processor.GS}) {
                loadData(p, segment, (int) image[11 + segment], external);
            }
        }
        p.rip = p.segmentBase[Processor.CS] + image[1] & 0xffff_ffffL;
        p.updateContext();
        if (hasErrorCode) {
            StackSegment stack = StackSegment.current(p);
            stack.checkLimit(p, 1, layout.bytes, external);
            stack.probe(p, 1, layout.bytes);
            stack.store(p, 1, layout.bytes, errorCode);
            stack.commitPointer(p, 1, layout.bytes);
        }
        if (image[1] > p.segmentLimit[Processor.CS]) {
            throw p.raise(Vector.GP, external);
        }
        if (image[18] != 0) {
            // The T flag: #DB after the switch, before the first instruction of the new task.
            p.pendingDebug |= (int) Bits.DR6_BT;
            p.post(Processor.POLL_EVENT);
        }
    }

    private static void loadLdt(Processor p, int selector, int external) {
        if (Segmentation.isNull(selector)) {
            return;
        }
        int error = selector & ~RPL | external;
        long address = (selector & TABLE_LDT) != 0 ? -1 : Segmentation.descriptorAddress(p, selector, 8);
        long descriptor = address == -1 ? 0 : p.loadSystem(address, 8);
        int attributes = Segment.attributes(descriptor);
        if (address == -1 || (attributes & (Segment.TYPE | Segment.NON_SYSTEM)) != Segment.TYPE_LDT
                || (attributes & Segment.PRESENT) == 0) {
            throw p.raise(Vector.TS, error);
        }
        Segmentation.set(p, Processor.LDTR, selector, descriptor);
    }

    private static void loadStackAndCode(Processor p, int stackSelector, int codeSelector, int external) {
        int codeError = codeSelector & ~RPL | external;
        int stackError = stackSelector & ~RPL | external;
        int cpl = codeSelector & RPL;
        if (Segmentation.isNull(codeSelector)) {
            throw p.raise(Vector.TS, codeError);
        }
        long codeAt = Segmentation.descriptorAddress(p, codeSelector, 8);
        long code = codeAt == -1 ? 0 : p.loadSystem(codeAt, 8);
        int attributes = Segment.attributes(code);
        int dpl = Segment.dpl(attributes);
        if (codeAt == -1 || !Segment.isCode(attributes)
                || (Segment.isConforming(attributes) ? dpl > cpl : dpl != cpl)) {
            throw p.raise(Vector.TS, codeError);
        }
        long stackAt = Segmentation.isNull(stackSelector) ? -1 : Segmentation.descriptorAddress(p, stackSelector, 8);
        long stack = stackAt == -1 ? 0 : p.loadSystem(stackAt, 8);
        int stackAttributes = Segment.attributes(stack);
        if (stackAt == -1 || !Segment.isData(stackAttributes) || (stackAttributes & Segment.WRITABLE) == 0) {
            throw p.raise(Vector.TS, stackError);
        }
        if ((stackAttributes & Segment.PRESENT) == 0) {
            throw p.raise(Vector.SS, stackError);
        }
        if (Segment.dpl(stackAttributes) != cpl || (stackSelector & RPL) != cpl) {
            throw p.raise(Vector.TS, stackError);
        }
        if ((attributes & Segment.PRESENT) == 0) {
            throw p.raise(Vector.NP, codeError);
        }
        Segmentation.set(p, Processor.SS, stackSelector, Segmentation.markAccessed(p, stackSelector, stack));
        Segmentation.set(p, Processor.CS, codeSelector, Segmentation.markAccessed(p, codeSelector, code));
        p.updateContext();
    }

    private static void loadData(Processor p, int segment, int selector, int external) {
        if (Segmentation.isNull(selector)) {
            return;
        }
        int error = selector & ~RPL | external;
        long address = Segmentation.descriptorAddress(p, selector, 8);
        long descriptor = address == -1 ? 0 : p.loadSystem(address, 8);
        int attributes = Segment.attributes(descriptor);
        int dpl = Segment.dpl(attributes);
        boolean readable = Segment.isData(attributes)
                || Segment.isCode(attributes) && (attributes & Segment.READABLE) != 0;
        if (address == -1 || !readable
                || !Segment.isConforming(attributes) && ((selector & RPL) > dpl || p.cpl > dpl)) {
            throw p.raise(Vector.TS, error);
        }
        if ((attributes & Segment.PRESENT) == 0) {
            throw p.raise(Vector.NP, error);
        }
        Segmentation.set(p, segment, selector, Segmentation.markAccessed(p, selector, descriptor));
    }

    private static long address(long base, int offset) {
        return base + offset & 0xffff_ffffL;
    }
}
