package dev.xenolith.cpu.processor;

/**
 * System-management mode: SMI, the save-state map and RSM (SDM 3C chapter 31; APM 2 chapter 10). Both models have the map of AMD64,
 * whose revision says so and which firmware tells apart by it. Which memory only this mode sees is the chipset's to say.
 */
public final class SystemManagement {
    static final long FIRST_SMBASE = 0x3_0000;
    private static final long ENTRY = 0x8000;
    /** Save-state revision: AMD64 map, SMBASE relocation. */
    private static final int REVISION = 0x2_0064;
    private static final long WRAP = 0xffff_ffffL;

    /** Offsets of segments in the map, by the number of the register: ES CS SS DS FS GS, then LDTR and TR. */
    private static final int[] SEGMENTS = {0xfe00, 0xfe10, 0xfe20, 0xfe30, 0xfe40, 0xfe50, 0xfe70, 0xfe90};
    private static final int GDTR = 0xfe60;
    private static final int IDTR = 0xfe80;
    private static final int IO_RESTART_RIP = 0xfec0;
    private static final int AUTO_HALT = 0xfec9;
    private static final int EFER = 0xfed0;
    private static final int REVISION_ID = 0xfefc;
    private static final int SMBASE = 0xff00;
    private static final int CR4 = 0xff48;
    private static final int CR3 = 0xff50;
    private static final int CR0 = 0xff58;
    private static final int DR7 = 0xff60;
    private static final int DR6 = 0xff68;
    private static final int RFLAGS = 0xff70;
    private static final int RIP = 0xff78;
    /** R15 first, RAX last. */
    private static final int R15 = 0xff80;

    private SystemManagement() {}

    /** Enters system-management mode between two instructions. */
    static void enter(Processor p) {
        save(p);
        p.inSystemManagement = true;
        p.nmiBlocked = true;
        p.wake();
        p.dr[7] = Bits.DR7_FIXED;
        ControlRegisters.set(p, p.cr0 & ~(Bits.CR0_PE | Bits.CR0_EM | Bits.CR0_TS | Bits.CR0_PG), 0, 0);
        p.cpl = 0;
        for (int segment = Processor.ES; segment <= Processor.GS; segment++) {
            Segmentation.setReal(p, segment, 0);
            p.segmentLimit[segment] = WRAP;
            p.segmentAttributes[segment] = Segment.WRITABLE | Segment.ACCESSED | Segment.NON_SYSTEM | Segment.PRESENT
                    | Segment.GRANULARITY;
        }
        p.segmentSelector[Processor.CS] = (int) (p.smbase >>> 4) & 0xffff;
        p.segmentBase[Processor.CS] = p.smbase;
        p.rip = p.smbase + ENTRY & WRAP;
        p.setRflags(Bits.RFLAGS_FIXED);
        p.breakpointsChanged();
        p.updateContext();
    }

    /** RSM: #UD outside; a saved state that no processor can be in ends in a shutdown (SDM 3C 31.7.1). */
    public static void resume(Processor p) {
        if (!p.inSystemManagement) {
            throw p.raise(Vector.UD, 0);
        }
        long cr0 = read(p, CR0, 8);
        long cr4 = read(p, CR4, 4);
        if (cr0 >>> 32 != 0 || (cr0 & (Bits.CR0_PE | Bits.CR0_PG)) == Bits.CR0_PG
                || (cr0 & (Bits.CR0_NW | Bits.CR0_CD)) == Bits.CR0_NW) {
            p.stop(Stop.Kind.SHUTDOWN);
            return;
        }
        for (int i = 0; i < SEGMENTS.length; i++) {
            p.segmentSelector[i] = (int) read(p, SEGMENTS[i], 2);
            p.segmentAttributes[i] = attributes((int) read(p, SEGMENTS[i] + 2, 2));
            p.segmentLimit[i] = read(p, SEGMENTS[i] + 4, 4);
            p.segmentBase[i] = read(p, SEGMENTS[i] + 8, 8);
        }
        p.gdtLimit = (int) read(p, GDTR + 4, 2);
        p.gdtBase = read(p, GDTR + 8, 8);
        p.idtLimit = (int) read(p, IDTR + 4, 2);
        p.idtBase = read(p, IDTR + 8, 8);
        long efer = read(p, EFER, 8);
        long cr3 = read(p, CR3, 8);
        p.dr[7] = read(p, DR7, 8);
        p.dr[6] = read(p, DR6, 8);
        long rflags = read(p, RFLAGS, 8);
        long rip = read(p, RIP, 8);
        for (int i = 0; i < 16; i++) {
            p.gpr[15 - i] = read(p, R15 + 8 * i, 8);
        }
        boolean halted = (read(p, AUTO_HALT, 1) & 1) != 0;
        p.smbase = read(p, SMBASE, 4);
        p.inSystemManagement = false;
        p.nmiBlocked = false;
        p.rip = rip;
        p.cpl = (rflags & Bits.RFLAGS_VM) != 0
                ? 3
                : (cr0 & Bits.CR0_PE) == 0
                        ? 0
                        : Segment.dpl(p.segmentAttributes[Processor.SS]);
        p.cr0 = cr0;
        p.cr4 = cr4;
        p.efer = efer;
        p.setCr3(cr3, p.addressSpaceTag());
        if ((cr0 & Bits.CR0_PG) != 0 && (cr4 & Bits.CR4_PAE) != 0 && !p.isLongMode() && p.hasMmu()) {
            p.mmu().loadPointers(cr3);
        }
        p.setRflags(rflags);
        ControlRegisters.configureMmu(p);
        p.breakpointsChanged();
        p.halted = halted;
        p.post(Processor.POLL_EVENT);
    }

    private static void save(Processor p) {
        for (int i = 0; i < SEGMENTS.length; i++) {
            write(p, SEGMENTS[i], 2, p.segmentSelector[i]);
            write(p, SEGMENTS[i] + 2, 2, saved(p.segmentAttributes[i]));
            write(p, SEGMENTS[i] + 4, 4, p.segmentLimit[i]);
            write(p, SEGMENTS[i] + 8, 8, p.segmentBase[i]);
        }
        write(p, GDTR + 4, 2, p.gdtLimit);
        write(p, GDTR + 8, 8, p.gdtBase);
        write(p, IDTR + 4, 2, p.idtLimit);
        write(p, IDTR + 8, 8, p.idtBase);
        write(p, IO_RESTART_RIP, 8, 0);
        // After RSM MWAIT has been left, which it may be at any time.
        write(p, AUTO_HALT, 1, p.halted && !p.waitsForWrite ? 1 : 0);
        write(p, EFER, 8, p.efer);
        write(p, REVISION_ID, 4, REVISION);
        write(p, SMBASE, 4, p.smbase);
        write(p, CR4, 8, p.cr4);
        write(p, CR3, 8, p.cr3);
        write(p, CR0, 8, p.cr0);
        write(p, DR7, 8, p.dr[7]);
        write(p, DR6, 8, p.dr[6]);
        write(p, RFLAGS, 8, p.rflags());
        write(p, RIP, 8, p.rip);
        for (int i = 0; i < 16; i++) {
            write(p, R15 + 8 * i, 8, p.gpr[15 - i]);
        }
    }

    /** Attributes in the map: as in a descriptor, without the limit between them (APM 2 table 10-1). */
    private static int saved(int attributes) {
        int present = (attributes & Segment.UNUSABLE) != 0 ? 0 : attributes & 0xff;
        return present | attributes >> 4 & 0xf00;
    }

    private static int attributes(int saved) {
        int attributes = saved & 0xff | (saved & 0xf00) << 4;
        return (attributes & Segment.PRESENT) == 0 ? attributes | Segment.UNUSABLE : attributes;
    }

    private static long read(Processor p, int offset, int size) {
        return p.readPhysical(p.smbase + offset, size);
    }

    private static void write(Processor p, int offset, int size, long value) {
        p.writePhysical(p.smbase + offset, size, value);
    }
}
