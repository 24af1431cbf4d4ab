package dev.xenolith.cpu.processor;

/**
 * The virtual interrupt flag: what CR4.VME makes of flags and software interrupts in virtual-8086 mode with an IOPL below 3, and CR4.PVI of
 * CLI and STI at CPL 3 (SDM 3A 20.3.3, 20.4). Programs then turn VIF on and off, and #GP tells the monitor when one does while VIP says
 * that an interrupt waits for it.
 */
final class VirtualInterrupts {
    private static final int TSS_IO_MAP_BASE = 102;
    private static final int REDIRECTION_BYTES = 32;
    private static final int IVT_ENTRY = 4;
    private static final int IF_SHIFT = 9;
    private static final int VIF_SHIFT = 19;

    private VirtualInterrupts() {}

    /** Whether CLI and STI are about VIF. */
    static boolean isFlag(Processor p) {
        return p.cpl == 3 && p.iopl() < 3 && !p.isReal()
                && (p.cr4 & (p.isVirtual8086() ? Bits.CR4_VME : Bits.CR4_PVI)) != 0;
    }

    /** Whether the 16-bit forms of PUSHF, POPF and IRET are about VIF. */
    static boolean isFlagOf8086(Processor p) {
        return p.isVirtual8086() && isFlag(p);
    }

    /** STI. */
    static void enable(Processor p) {
        if ((p.rflagsSystem & Bits.RFLAGS_VIP) != 0) {
            throw p.raise(Vector.GP, 0);
        }
        p.setSystemFlags(p.rflagsSystem | Bits.RFLAGS_VIF);
    }

    /** CLI. */
    static void disable(Processor p) {
        p.setSystemFlags(p.rflagsSystem & ~Bits.RFLAGS_VIF);
    }

    /** FLAGS as an 8086 program sees them: IF is VIF, IOPL is 3. */
    static long image(Processor p) {
        return p.rflags() & ~Bits.RFLAGS_IF | p.rflagsSystem >>> VIF_SHIFT - IF_SHIFT & Bits.RFLAGS_IF
                | Bits.RFLAGS_IOPL;
    }

    /** Checks {@code image}, which POPF or IRET has popped: #GP(0) if it traps, or lets in the interrupt that waits. */
    static void checkImage(Processor p, long image) {
        boolean waits = (p.rflagsSystem & Bits.RFLAGS_VIP) != 0;
        if ((image & Bits.RFLAGS_TF) != 0 || waits && (image & Bits.RFLAGS_IF) != 0) {
            throw p.raise(Vector.GP, 0);
        }
    }

    /** Sets the {@code changeable} ones of FLAGS from an image that has been checked, and VIF in place of IF. */
    static void setFlags(Processor p, long image, long changeable) {
        long changed = changeable & 0xffff & ~(Bits.RFLAGS_IF | Bits.RFLAGS_IOPL);
        long vif = (image & Bits.RFLAGS_IF) << VIF_SHIFT - IF_SHIFT;
        p.setRflags(p.rflags() & ~(changed | Bits.RFLAGS_VIF) | image & changed | vif);
    }

    /**
     * INT n in virtual-8086 mode: whether it has gone to the program's own handler, through the vector table at linear address 0, because
     * its bit in the redirection map of the TSS is clear. Otherwise it is the monitor's: #GP(0) unless IOPL is 3.
     */
    static boolean redirects(Processor p, int vector) {
        if ((p.cr4 & Bits.CR4_VME) == 0 || isMonitors(p, vector)) {
            if (p.iopl() < 3) {
                throw p.raise(Vector.GP, 0);
            }
            return false;
        }
        if (p.monitor != null) {
            p.monitor.softwareInterrupt(p, vector);
        }
        boolean virtual = p.iopl() < 3;
        long pointer = p.load32((long) vector * IVT_ENTRY);
        StackSegment stack = StackSegment.current(p);
        stack.checkLimit(p, 3, 2, 0);
        stack.probe(p, 3, 2);
        stack.store(p, 1, 2, virtual ? image(p) : p.rflags());
        stack.store(p, 2, 2, p.segmentSelector[Processor.CS]);
        stack.store(p, 3, 2, NearBranch.next(p));
        stack.commitPointer(p, 3, 2);
        Segmentation.set8086(p, Processor.CS, (int) (pointer >>> 16) & 0xffff);
        p.rip = p.segmentBase[Processor.CS] + (pointer & 0xffff);
        p.setSystemFlags(p.rflagsSystem
                & ~(Bits.RFLAGS_TF | Bits.RFLAGS_RF | (virtual ? Bits.RFLAGS_VIF : Bits.RFLAGS_IF)));
        p.enteredHandler = true;
        p.updateContext();
        return true;
    }

    /** The bit of {@code vector} in the map below the I/O permission map. */
    private static boolean isMonitors(Processor p, int vector) {
        int tss = p.segmentAttributes[Processor.TR];
        long limit = p.segmentLimit[Processor.TR];
        long base = p.segmentBase[Processor.TR];
        if ((tss & Segment.UNUSABLE) != 0 || (tss & Segment.TYPE_WIDE) == 0 || limit < TSS_IO_MAP_BASE + 1) {
            throw p.raise(Vector.GP, 0);
        }
        long at = p.loadSystem(base + TSS_IO_MAP_BASE, 2) - REDIRECTION_BYTES + (vector >>> 3);
        if (at < 0 || at > limit) {
            throw p.raise(Vector.GP, 0);
        }
        return (p.loadSystem(base + at, 1) >>> (vector & 7) & 1) != 0;
    }
}
