package dev.xenolith.cpu.processor;

/** SYSCALL, SYSRET, SYSENTER and SYSEXIT (SDM 3A 5.8.7, 5.8.8; SDM 2; APM 3), where Intel and AMD differ as each has them. */
public final class SystemCalls {
    private static final int RPL = 3;
    private static final int CODE_32 = Segment.CODE_64 & ~Segment.LONG | Segment.DEFAULT_32;
    private static final long LOW = 0xffff_ffffL;

    private SystemCalls() {}

    public static void syscall(Processor p) {
        checkSyscall(p);
        boolean longMode = p.isLongMode();
        long flags = p.rflags() & ~Bits.RFLAGS_RF;
        p.gpr[Processor.RCX] = p.is64Bit() ? p.rip : NearBranch.next(p);
        if (longMode) {
            p.gpr[11] = flags;
        }
        if (p.hosted) {
            p.dropPendingDebug();
            p.stop.sysenter = false;
            p.stop(Stop.Kind.ENTRY);
            return;
        }
        p.rip = !longMode ? p.msr.star & LOW : p.is64Bit() ? p.msr.lstar : p.msr.cstar;
        int selector = (int) (p.msr.star >>> 32) & 0xfffc;
        setFlatCode(p, selector, 0, longMode ? Segment.CODE_64 : CODE_32);
        setFlatStack(p, selector + 8 & 0xffff, 0);
        p.cpl = 0;
        p.setRflags(flags & ~(longMode ? p.msr.fmask : Bits.RFLAGS_VM | Bits.RFLAGS_IF));
        p.enteredHandler = (p.rflagsSystem & Bits.RFLAGS_TF) == 0;
        p.updateContext();
    }

    /** Intel has SYSCALL and SYSRET only in 64-bit mode. */
    private static void checkSyscall(Processor p) {
        boolean allowed = (p.efer & Bits.EFER_SCE) != 0 && !p.isReal() && (p.is64Bit() || !p.model.isIntel());
        if (!allowed) {
            throw p.raise(Vector.UD, 0);
        }
    }

    public static void sysret(Processor p, int bits) {
        checkSyscall(p);
        Segmentation.requireRing0(p);
        long target = p.gpr[Processor.RCX];
        int base = (int) (p.msr.star >>> 48);
        if (bits == 64) {
            if (!ControlRegisters.isCanonical(p, target)) {
                throw p.raise(Vector.GP, 0);
            }
            setFlatCode(p, base + 16 & 0xffff | RPL, 3, Segment.CODE_64);
        } else {
            target &= LOW;
            setFlatCode(p, base | RPL, 3, CODE_32);
        }
        p.rip = target;
        setFlatStack(p, base + 8 & 0xffff | RPL, 3);
        p.cpl = 3;
        if (p.isLongMode()) {
            p.setRflags(p.gpr[11] & ~(Bits.RFLAGS_RF | Bits.RFLAGS_VM));
            if ((p.rflagsSystem & Bits.RFLAGS_TF) != 0) {
                // The trap is as if SYSCALL had just ended: both look at TF as it is at their end.
                p.pendingDebug |= (int) Bits.DR6_BS;
                p.post(Processor.POLL_EVENT);
            }
        } else {
            p.setSystemFlags(p.rflagsSystem | Bits.RFLAGS_IF);
        }
        p.updateContext();
    }

    public static void sysenter(Processor p) {
        requireProtected(p);
        if (!p.model.isIntel() && p.isLongMode()) {
            // AMD has SYSENTER only outside long mode (APM 3 SYSENTER).
            throw p.raise(Vector.UD, 0);
        }
        int selector = (int) p.msr.sysenterCs & 0xfffc;
        if (selector == 0) {
            throw p.raise(Vector.GP, 0);
        }
        if (p.hosted) {
            p.dropPendingDebug();
            p.stop.sysenter = true;
            p.stop(Stop.Kind.ENTRY);
            return;
        }
        boolean longMode = p.isLongMode();
        p.rip = longMode ? p.msr.sysenterEip : p.msr.sysenterEip & LOW;
        p.gpr[Processor.RSP] = longMode ? p.msr.sysenterEsp : p.msr.sysenterEsp & LOW;
        setFlatCode(p, selector, 0, longMode ? Segment.CODE_64 : CODE_32);
        setFlatStack(p, selector + 8 & 0xffff, 0);
        p.cpl = 0;
        p.setSystemFlags(p.rflagsSystem & ~(Bits.RFLAGS_VM | Bits.RFLAGS_IF));
        p.updateContext();
    }

    public static void sysexit(Processor p, int bits) {
        requireProtected(p);
        Segmentation.requireRing0(p);
        if (!p.model.isIntel() && p.isLongMode()) {
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
            target &= LOW;
            stack &= LOW;
            setFlatCode(p, selector + 16 & 0xffff | RPL, 3, CODE_32);
            setFlatStack(p, selector + 24 & 0xffff | RPL, 3);
        }
        p.rip = target;
        p.gpr[Processor.RSP] = stack;
        p.cpl = 3;
        p.updateContext();
    }

    private static void requireProtected(Processor p) {
        if (p.isReal()) {
            throw p.raise(Vector.GP, 0);
        }
    }

    private static void setFlatCode(Processor p, int selector, int dpl, int attributes) {
        p.segmentSelector[Processor.CS] = selector;
        p.segmentBase[Processor.CS] = 0;
        p.segmentLimit[Processor.CS] = LOW;
        p.segmentAttributes[Processor.CS] = attributes | dpl << Segment.DPL_SHIFT;
    }

    private static void setFlatStack(Processor p, int selector, int dpl) {
        p.segmentSelector[Processor.SS] = selector;
        p.segmentBase[Processor.SS] = 0;
        p.segmentLimit[Processor.SS] = LOW;
        p.segmentAttributes[Processor.SS] = Segment.DATA | dpl << Segment.DPL_SHIFT;
    }
}
