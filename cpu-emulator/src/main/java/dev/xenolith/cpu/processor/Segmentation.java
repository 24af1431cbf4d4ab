package dev.xenolith.cpu.processor;

/**
 * Segment registers and descriptor tables (SDM 3A chapter 5; SDM 2 MOV, LLDT, LTR, LAR, LSL, VERR) in every mode. Everything is
 * checked before anything changes; a failing load raises its fault through {@link Processor#raise}.
 */
public final class Segmentation {
    private static final int TABLE_LDT = 1 << 2;
    private static final int RPL = 3;

    private Segmentation() {}

    static GuestFault fault(Processor p, int vector, int selector) {
        return p.raise(vector, selector & ~RPL);
    }

    static boolean isNull(int selector) {
        return (selector & 0xfffc) == 0;
    }

    /** Linear address of the descriptor, or -1 if the selector is beyond its table's limit. */
    static long descriptorAddress(Processor p, int selector, int bytes) {
        long base;
        long limit;
        if ((selector & TABLE_LDT) != 0) {
            if ((p.segmentAttributes[Processor.LDTR] & Segment.UNUSABLE) != 0) {
                return -1;
            }
            base = p.segmentBase[Processor.LDTR];
            limit = p.segmentLimit[Processor.LDTR];
        } else {
            base = p.gdtBase;
            limit = p.gdtLimit;
        }
        int offset = selector & 0xfff8;
        return offset + bytes - 1 > limit ? -1 : tableAddress(p, base + offset);
    }

    /** An address in a descriptor table or TSS: 32 bits unless IA-32e mode is active. */
    static long tableAddress(Processor p, long address) {
        return p.isLongMode() ? address : address & 0xffff_ffffL;
    }

    /** The eight bytes of the descriptor; #GP(selector) beyond the limit. */
    static long readDescriptor(Processor p, int selector) {
        long address = descriptorAddress(p, selector, 8);
        if (address == -1) {
            throw fault(p, Vector.GP, selector);
        }
        return p.loadSystem(address, 8);
    }

    /** Sets the accessed flag in memory if it is clear, as each load of a code or data segment does (SDM 3A 3.4.5.1). */
    static long markAccessed(Processor p, int selector, long descriptor) {
        if ((Segment.attributes(descriptor) & Segment.ACCESSED) != 0) {
            return descriptor;
        }
        long address = descriptorAddress(p, selector, 8) + 5;
        p.storeSystem(address, 1, descriptor >>> 40 & 0xff | Segment.ACCESSED, p.systemPrivilege());
        return descriptor | (long) Segment.ACCESSED << 40;
    }

    static void set(Processor p, int segment, int selector, long descriptor) {
        p.segmentSelector[segment] = selector;
        p.segmentBase[segment] = Segment.base(descriptor);
        p.segmentLimit[segment] = Segment.limit(descriptor);
        p.segmentAttributes[segment] = Segment.attributes(descriptor);
    }

    static void setNull(Processor p, int segment, int selector) {
        p.segmentSelector[segment] = selector;
        p.segmentBase[segment] = 0;
        p.segmentLimit[segment] = 0;
        p.segmentAttributes[segment] = Segment.UNUSABLE;
    }

    // ---- loading ES, SS, DS, FS, GS ----------------------------------------------------------------------------------

    /** MOV Sreg, POP Sreg, LDS and so on; MOV SS and POP SS also hold interrupts off for one instruction. */
    public static void loadSegment(Processor p, int segment, long value) {
        load(p, segment, (int) value & 0xffff);
        if (segment == Processor.SS) {
            p.shadowEnd = p.retired + 1;
            p.shadowHoldsTrap = true;
        }
        p.updateContext();
    }

    /** LSS: as {@link #loadSegment} of SS, but holds nothing off, for it loads the stack pointer too. */
    public static void loadStackPointer(Processor p, long value) {
        load(p, Processor.SS, (int) value & 0xffff);
        p.updateContext();
    }

    private static void load(Processor p, int segment, int selector) {
        if (p.isReal()) {
            setReal(p, segment, selector);
        } else if (p.isVirtual8086()) {
            set8086(p, segment, selector);
        } else if (segment == Processor.SS) {
            loadStack(p, selector);
        } else {
            loadData(p, segment, selector);
        }
    }

    /** Real-address mode sets selector and base and keeps limit and size, on which "unreal" programs rely (SDM 3A 20.1.1). */
    static void setReal(Processor p, int segment, int selector) {
        p.segmentSelector[segment] = selector;
        p.segmentBase[segment] = (long) selector << 4;
        int kept = p.segmentAttributes[segment] & (Segment.DEFAULT_32 | Segment.GRANULARITY);
        p.segmentAttributes[segment] = Segment.WRITABLE | Segment.ACCESSED | Segment.NON_SYSTEM | Segment.PRESENT
                | kept;
    }

    /** Virtual-8086 mode: 64 KiB of data at 16 times the selector (SDM 3A 20.2.1). */
    static void set8086(Processor p, int segment, int selector) {
        p.segmentSelector[segment] = selector;
        p.segmentBase[segment] = (long) selector << 4;
        p.segmentLimit[segment] = 0xffff;
        p.segmentAttributes[segment] = Segment.DATA_8086;
    }

    /**
     * As {@link #loadSegment}, for a hypervisor: returns -1, or with nothing changed the fault as vector &lt;&lt; 16 | error code (for
     * #PF the address is in {@link Processor#faultAddress}).
     */
    public static int tryLoadSegment(Processor p, int segment, int selector) {
        long shadow = p.shadowEnd;
        try {
            loadSegment(p, segment, selector);
            return -1;
        } catch (GuestFault fault) {
            return p.faultVector << 16 | p.faultErrorCode;
        } finally {
            p.shadowEnd = shadow;
        }
    }

    private static void loadData(Processor p, int segment, int selector) {
        if (isNull(selector)) {
            setNull(p, segment, selector);
            return;
        }
        long descriptor = readDescriptor(p, selector);
        int attributes = Segment.attributes(descriptor);
        boolean readable = Segment.isData(attributes)
                || Segment.isCode(attributes) && (attributes & Segment.READABLE) != 0;
        int dpl = Segment.dpl(attributes);
        if (!readable || !Segment.isConforming(attributes) && ((selector & RPL) > dpl || p.cpl > dpl)) {
            throw fault(p, Vector.GP, selector);
        }
        if ((attributes & Segment.PRESENT) == 0) {
            throw fault(p, Vector.NP, selector);
        }
        set(p, segment, selector, markAccessed(p, selector, descriptor));
    }

    private static void loadStack(Processor p, int selector) {
        if (isNull(selector)) {
            // A null SS is allowed in 64-bit mode below CPL 3 (SDM 3A 5.4.1.1).
            if (!p.is64Bit() || p.cpl == 3 || (selector & RPL) != p.cpl) {
                throw p.raise(Vector.GP, 0);
            }
            setNullStack(p, selector);
            return;
        }
        long descriptor = readStackDescriptor(p, selector, p.cpl, Vector.GP);
        set(p, Processor.SS, selector, markAccessed(p, selector, descriptor));
    }

    /** A null SS keeps its privilege level. */
    static void setNullStack(Processor p, int selector) {
        setNull(p, Processor.SS, selector);
        p.segmentAttributes[Processor.SS] |= (selector & RPL) << Segment.DPL_SHIFT;
    }

    /** A descriptor fit for SS at {@code cpl}; {@code vector} is raised if it is not, #SS if it is not present. */
    static long readStackDescriptor(Processor p, int selector, int cpl, int vector) {
        long address = descriptorAddress(p, selector, 8);
        if (address == -1) {
            throw fault(p, vector, selector);
        }
        long descriptor = p.loadSystem(address, 8);
        int attributes = Segment.attributes(descriptor);
        if ((selector & RPL) != cpl || Segment.dpl(attributes) != cpl || !Segment.isData(attributes)
                || (attributes & Segment.WRITABLE) == 0) {
            throw fault(p, vector, selector);
        }
        if ((attributes & Segment.PRESENT) == 0) {
            throw fault(p, Vector.SS, selector);
        }
        return descriptor;
    }

    /** ARPL with a destination in memory: writes it only if that changes it. */
    public static void storeRpl(Processor p, long changes, int segment, long offset, long value) {
        if (changes != 0) {
            p.store16(segment == Processor.FLAT ? offset : p.segments.writable(segment, offset, 2), value);
        }
    }

    // ---- LDTR and TR -------------------------------------------------------------------------------------------------

    public static void lldt(Processor p, long value) {
        requireRing0(p);
        int selector = (int) value & 0xffff;
        if (isNull(selector)) {
            setNull(p, Processor.LDTR, selector);
            return;
        }
        loadSystemSegment(p, Processor.LDTR, selector, Segment.TYPE_LDT);
    }

    public static void ltr(Processor p, long value) {
        requireRing0(p);
        int selector = (int) value & 0xffff;
        if (isNull(selector)) {
            throw p.raise(Vector.GP, 0);
        }
        loadSystemSegment(p, Processor.TR, selector, Segment.TYPE_TSS_AVAILABLE);
    }

    /** System descriptors have 16 bytes in IA-32e mode (SDM 3A 3.5.2). */
    private static void loadSystemSegment(Processor p, int segment, int selector, int type) {
        boolean wide = p.isLongMode();
        long address = (selector & TABLE_LDT) != 0 ? -1 : descriptorAddress(p, selector, wide ? 16 : 8);
        if (address == -1) {
            throw fault(p, Vector.GP, selector);
        }
        long descriptor = p.loadSystem(address, 8);
        long high = wide ? p.loadSystem(address + 8, 8) : 0;
        int attributes = Segment.attributes(descriptor);
        long base = Segment.base(descriptor) | high << 32;
        int found = attributes & (Segment.TYPE | Segment.NON_SYSTEM);
        boolean fits = found == type
                || !wide && type == Segment.TYPE_TSS_AVAILABLE && found == Segment.TYPE_TSS_16_AVAILABLE;
        if (!fits || (high >>> 40 & 0x1f) != 0) {
            throw fault(p, Vector.GP, selector);
        }
        if ((attributes & Segment.PRESENT) == 0) {
            throw fault(p, Vector.NP, selector);
        }
        if (!ControlRegisters.isCanonicalForRegisters(p, base)) {
            throw fault(p, Vector.GP, selector);
        }
        if (segment == Processor.TR) {
            int busy = Segment.TYPE_BUSY;
            p.storeSystem(address + 5, 1, descriptor >>> 40 & 0xff | busy, p.systemPrivilege());
            descriptor |= (long) busy << 40;
        }
        set(p, segment, selector, descriptor);
        p.segmentBase[segment] = base;
    }

    public static long sldt(Processor p) {
        checkUmip(p);
        return p.segmentSelector[Processor.LDTR];
    }

    public static long str(Processor p) {
        checkUmip(p);
        return p.segmentSelector[Processor.TR];
    }

    static void checkUmip(Processor p) {
        if (p.cpl > 0 && (p.cr4 & Bits.CR4_UMIP) != 0) {
            throw p.raise(Vector.GP, 0);
        }
    }

    public static void requireRing0(Processor p) {
        if (p.cpl != 0) {
            throw p.raise(Vector.GP, 0);
        }
    }

    // ---- looking at descriptors ----------------------------------------------------------------------------------------

    /** VERR: whether the segment can be read at the current privilege level. */
    public static boolean verr(Processor p, long selector) {
        int attributes = visibleAttributes(p, (int) selector & 0xffff);
        return attributes >= 0 && (Segment.isData(attributes)
                || Segment.isCode(attributes) && (attributes & Segment.READABLE) != 0);
    }

    /** VERW: whether the segment can be written at the current privilege level. */
    public static boolean verw(Processor p, long selector) {
        int attributes = visibleAttributes(p, (int) selector & 0xffff);
        return attributes >= 0 && Segment.isData(attributes) && (attributes & Segment.WRITABLE) != 0;
    }

    /** LAR: bits 8 to 23 of the descriptor's second doubleword, or -1 if not accessible. */
    public static long lar(Processor p, long value) {
        int selector = (int) value & 0xffff;
        int attributes = visibleAttributes(p, selector);
        if (attributes < 0) {
            return -1;
        }
        if ((attributes & Segment.NON_SYSTEM) == 0) {
            switch (attributes & Segment.TYPE) {
                case Segment.TYPE_LDT, Segment.TYPE_TSS_AVAILABLE, Segment.TYPE_TSS_BUSY, Segment.TYPE_CALL_GATE -> {
                }
                case Segment.TYPE_TSS_16_AVAILABLE, Segment.TYPE_TSS_16_BUSY, Segment.TYPE_CALL_GATE_16,
                        Segment.TYPE_TASK_GATE -> {
                    if (p.isLongMode()) {
                        return -1;
                    }
                }
                default -> {
                    return -1;
                }
            }
        }
        return p.loadSystem(descriptorAddress(p, selector, 8) + 4, 4) & 0x00ff_ff00L;
    }

    /** LSL: the limit in bytes, or -1 if not accessible. */
    public static long lsl(Processor p, long value) {
        int selector = (int) value & 0xffff;
        int attributes = visibleAttributes(p, selector);
        if (attributes < 0) {
            return -1;
        }
        if ((attributes & Segment.NON_SYSTEM) == 0) {
            switch (attributes & Segment.TYPE) {
                case Segment.TYPE_LDT, Segment.TYPE_TSS_AVAILABLE, Segment.TYPE_TSS_BUSY -> {
                }
                case Segment.TYPE_TSS_16_AVAILABLE, Segment.TYPE_TSS_16_BUSY -> {
                    if (p.isLongMode()) {
                        return -1;
                    }
                }
                default -> {
                    return -1;
                }
            }
        }
        return Segment.limit(p.loadSystem(descriptorAddress(p, selector, 8), 8));
    }

    /** Attributes of a descriptor that exists and is visible at max(CPL, RPL), else -1. */
    private static int visibleAttributes(Processor p, int selector) {
        if (isNull(selector)) {
            return -1;
        }
        long address = descriptorAddress(p, selector, 8);
        if (address == -1) {
            return -1;
        }
        int attributes = Segment.attributes(p.loadSystem(address, 8));
        int dpl = Segment.dpl(attributes);
        return Segment.isConforming(attributes) || p.cpl <= dpl && (selector & RPL) <= dpl ? attributes : -1;
    }
}
