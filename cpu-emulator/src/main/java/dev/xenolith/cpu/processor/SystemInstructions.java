package dev.xenolith.cpu.processor;

/**
 * Instructions that read or change the processor's system state (SDM 2). RIP is the next instruction's while they execute and
 * {@link Processor#retired} counts them; each faults before it changes anything.
 */
public final class SystemInstructions {
    private static final long DR7_ONES = Bits.DR7_FIXED;
    private static final long DR7_ZEROS = 1 << 12 | 1 << 14 | 1 << 15;
    /** What POPF can change at any privilege. */
    private static final long POPF_FLAGS = Bits.RFLAGS_STATUS | Bits.RFLAGS_TF | Bits.RFLAGS_DF | Bits.RFLAGS_NT
            | Bits.RFLAGS_AC | Bits.RFLAGS_ID;

    private static final long INVPCID_ADDRESS = 0;
    private static final long INVPCID_CONTEXT = 1;
    /** All contexts but global translations; 2 is those too. */
    private static final long INVPCID_ALL = 3;

    /** ECX of MWAIT: interrupts that are masked wake the processor. */
    private static final long MWAIT_MASKED = 1;

    private SystemInstructions() {}

    private static GuestFault generalProtection(Processor p) {
        return p.raise(Vector.GP, 0);
    }

    private static void check(Processor p, boolean allowed) {
        if (!allowed) {
            throw generalProtection(p);
        }
    }

    // ---- control and debug registers ---------------------------------------------------------------------------------

    public static long readControl(Processor p, int number) {
        checkControl(p, number);
        return switch (number) {
            case 0 -> p.cr0;
            case 2 -> p.cr2;
            case 3 -> p.cr3;
            case 4 -> p.cr4;
            case 8 -> p.apic.taskPriorityClass();
            default -> throw p.raise(Vector.UD, 0);
        };
    }

    /** A register that does not exist is #UD at any privilege. */
    private static void checkControl(Processor p, int number) {
        if (number == 1 || number > 4 && number != 8) {
            throw p.raise(Vector.UD, 0);
        }
        Segmentation.requireRing0(p);
    }

    public static void writeControl(Processor p, int number, long value) {
        checkControl(p, number);
        switch (number) {
            case 0 -> check(p, ControlRegisters.writeCr0(p, value));
            case 2 -> p.cr2 = value;
            case 3 -> check(p, ControlRegisters.writeCr3(p, value));
            case 4 -> check(p, ControlRegisters.writeCr4(p, value));
            case 8 -> {
                check(p, value >>> 4 == 0);
                p.apic.setTaskPriorityClass((int) value);
            }
            default -> throw p.raise(Vector.UD, 0);
        }
    }

    public static long readDebug(Processor p, int number) {
        return p.dr[checkDebug(p, number)];
    }

    public static void writeDebug(Processor p, int number, long value) {
        int register = checkDebug(p, number);
        if (register < 4) {
            // Any address: one that is not canonical never matches (SDM 3B 18.2.6).
            p.dr[register] = value;
            return;
        }
        check(p, value >>> 32 == 0);
        if (register == 6) {
            p.dr[6] = value & ~(1 << 12) | Bits.DR6_FIXED;
        } else {
            p.dr[7] = value & ~DR7_ZEROS | DR7_ONES;
            // RF, which nobody looks at without breakpoints, is that of an instruction long done.
            p.rflagsSystem &= ~Bits.RFLAGS_RF;
            p.breakpointsChanged();
        }
    }

    /** The register meant: 4 and 5 are 6 and 7 unless CR4.DE. DR7.GD turns any access into #DB (SDM 3B 18.2.2, 18.2.4). */
    private static int checkDebug(Processor p, int number) {
        if (number > 7) {
            throw p.raise(Vector.UD, 0);
        }
        if (number == 4 || number == 5) {
            if ((p.cr4 & Bits.CR4_DE) != 0) {
                throw p.raise(Vector.UD, 0);
            }
            number += 2;
        }
        Segmentation.requireRing0(p);
        if ((p.dr[7] & Bits.DR7_GD) != 0) {
            p.dr[7] &= ~Bits.DR7_GD;
            Breakpoints.report(p, Bits.DR6_BD);
            throw p.raise(Vector.DB, 0);
        }
        return number;
    }

    public static long smsw(Processor p) {
        Segmentation.checkUmip(p);
        return p.cr0;
    }

    /** LMSW: the low four bits of CR0; PE cannot be cleared. */
    public static void lmsw(Processor p, long value) {
        Segmentation.requireRing0(p);
        check(p, ControlRegisters.writeCr0(p, p.cr0 & ~0xeL | value & 0xe | p.cr0 & Bits.CR0_PE | value & 1));
    }

    public static void clts(Processor p) {
        Segmentation.requireRing0(p);
        check(p, ControlRegisters.writeCr0(p, p.cr0 & ~Bits.CR0_TS));
    }

    // ---- descriptor-table registers ----------------------------------------------------------------------------------

    /** LGDT; {@code bits} is the operand size: 16 loads only 24 bits of the base. */
    public static void lgdt(Processor p, long address, int bits) {
        Segmentation.requireRing0(p);
        int limit = (int) p.load16(address);
        long base = loadTableBase(p, p.wrap(address + 2), bits);
        p.gdtLimit = limit;
        p.gdtBase = base;
    }

    /** LIDT; {@code bits} as for {@link #lgdt}. */
    public static void lidt(Processor p, long address, int bits) {
        Segmentation.requireRing0(p);
        int limit = (int) p.load16(address);
        long base = loadTableBase(p, p.wrap(address + 2), bits);
        p.idtLimit = limit;
        p.idtBase = base;
    }

    private static long loadTableBase(Processor p, long address, int bits) {
        if (!p.is64Bit()) {
            return p.load32(address) & (bits == 16 ? 0xff_ffff : 0xffff_ffffL);
        }
        long base = p.load64(address);
        check(p, ControlRegisters.isCanonicalForRegisters(p, base));
        return base;
    }

    public static void sgdt(Processor p, long address) {
        storeTable(p, address, p.gdtLimit, p.gdtBase);
    }

    public static void sidt(Processor p, long address) {
        storeTable(p, address, p.idtLimit, p.idtBase);
    }

    private static void storeTable(Processor p, long address, int limit, long base) {
        Segmentation.checkUmip(p);
        p.probeStore(address, 2);
        if (p.is64Bit()) {
            p.probeStore(address + 2, 8);
            p.store16(address, limit);
            p.store64(address + 2, base);
        } else {
            long second = p.wrap(address + 2);
            p.probeStore(second, 4);
            p.store16(address, limit);
            p.store32(second, base);
        }
    }

    // ---- caches and translations -------------------------------------------------------------------------------------

    public static void invlpg(Processor p, long address) {
        Segmentation.requireRing0(p);
        p.flushPage(address);
    }

    /** INVPCID of kind {@code type} with the descriptor at {@code address}: PCID, then linear address (SDM 2A INVPCID). */
    public static void invpcid(Processor p, long type, long address) {
        Segmentation.requireRing0(p);
        long tag = p.load64(address);
        long linear = p.load64(p.wrap(address + 8));
        boolean single = type == INVPCID_ADDRESS || type == INVPCID_CONTEXT;
        check(p, Long.compareUnsigned(type, INVPCID_ALL) <= 0 && tag >>> 12 == 0
                && (!single || tag == 0 || (p.cr4 & Bits.CR4_PCIDE) != 0)
                && (type != INVPCID_ADDRESS || ControlRegisters.isCanonicalForRegisters(p, linear)));
        if (type == INVPCID_ADDRESS) {
            p.flushPage(linear);
        } else if (type == INVPCID_CONTEXT) {
            p.flushAddressSpace((int) tag);
        } else {
            p.flushAll();
        }
    }

    /** There are no caches to lose. */
    public static void invd(Processor p) {
        Segmentation.requireRing0(p);
    }

    public static void wbinvd(Processor p) {
        Segmentation.requireRing0(p);
    }

    // ---- model-specific registers and counters -----------------------------------------------------------------------

    public static void rdmsr(Processor p) {
        Segmentation.requireRing0(p);
        p.publishTime();
        int address = (int) p.gpr[Processor.RCX];
        check(p, Msrs.canRead(p, address));
        setPair(p, Msrs.read(p, address));
    }

    public static void wrmsr(Processor p) {
        Segmentation.requireRing0(p);
        p.publishTime();
        int address = (int) p.gpr[Processor.RCX];
        check(p, Msrs.write(p, address, pair(p)));
        if (address == Msrs.X2APIC_ICR && p.apic.interruptsOthers()) {
            p.endTurn();
        }
    }

    /** There are no performance counters. */
    public static void rdpmc(Processor p) {
        throw generalProtection(p);
    }

    public static void rdtsc(Processor p) {
        check(p, p.cpl == 0 || (p.cr4 & Bits.CR4_TSD) == 0);
        p.publishTime();
        setPair(p, p.apic.tsc());
    }

    public static void rdtscp(Processor p) {
        rdtsc(p);
        p.gpr[Processor.RCX] = p.msr.tscAux;
    }

    /** 64 random bits for RDRAND and RDSEED, which never run out of them here. */
    public static long random(Processor p) {
        return p.entropy.getAsLong();
    }

    public static long rdpid(Processor p) {
        return p.msr.tscAux;
    }

    private static long pair(Processor p) {
        return p.gpr[Processor.RDX] << 32 | p.gpr[Processor.RAX] & 0xffff_ffffL;
    }

    private static void setPair(Processor p, long value) {
        p.gpr[Processor.RAX] = value & 0xffff_ffffL;
        p.gpr[Processor.RDX] = value >>> 32;
    }

    public static void cpuid(Processor p) {
        check(p, p.cpl == 0 || !Msrs.isCpuidFaulting(p));
        Cpuid.execute(p);
    }

    // ---- bases of FS and GS ------------------------------------------------------------------------------------------

    public static void swapgs(Processor p) {
        Segmentation.requireRing0(p);
        long base = p.segmentBase[Processor.GS];
        p.segmentBase[Processor.GS] = p.msr.kernelGsBase;
        p.msr.kernelGsBase = base;
    }

    public static long readBase(Processor p, int segment) {
        checkFsGsBase(p);
        return p.segmentBase[segment];
    }

    public static void writeBase(Processor p, int segment, long value, int bits) {
        checkFsGsBase(p);
        long base = bits == 64 ? value : value & 0xffff_ffffL;
        check(p, ControlRegisters.isCanonicalForRegisters(p, base));
        p.segmentBase[segment] = base;
    }

    private static void checkFsGsBase(Processor p) {
        if ((p.cr4 & Bits.CR4_FSGSBASE) == 0) {
            throw p.raise(Vector.UD, 0);
        }
    }

    // ---- flags and waiting -------------------------------------------------------------------------------------------

    public static void cli(Processor p) {
        if (VirtualInterrupts.isFlag(p)) {
            VirtualInterrupts.disable(p);
            return;
        }
        check(p, p.cpl <= p.iopl());
        p.setSystemFlags(p.rflagsSystem & ~Bits.RFLAGS_IF);
    }

    /** STI: interrupts are let in after the next instruction, if they were off before (SDM 2 STI). */
    public static void sti(Processor p) {
        if (VirtualInterrupts.isFlag(p)) {
            VirtualInterrupts.enable(p);
            return;
        }
        check(p, p.cpl <= p.iopl());
        if ((p.rflagsSystem & Bits.RFLAGS_IF) == 0) {
            p.shadowEnd = p.retired + 1;
            p.shadowHoldsTrap = false;
            p.setSystemFlags(p.rflagsSystem | Bits.RFLAGS_IF);
        }
    }

    /** The image that PUSHF pushes: VM and RF read as zero. */
    public static long pushf(Processor p, int bits) {
        if (bits == 16 && VirtualInterrupts.isFlagOf8086(p)) {
            return VirtualInterrupts.image(p);
        }
        check8086(p);
        return p.rflags() & ~(Bits.RFLAGS_VM | Bits.RFLAGS_RF);
    }

    public static void popf(Processor p, long value, int bits) {
        if (bits == 16 && VirtualInterrupts.isFlagOf8086(p)) {
            VirtualInterrupts.checkImage(p, value);
            VirtualInterrupts.setFlags(p, value, POPF_FLAGS);
            return;
        }
        check8086(p);
        long changeable = POPF_FLAGS;
        if (p.cpl <= p.iopl()) {
            changeable |= Bits.RFLAGS_IF;
        }
        if (p.cpl == 0) {
            changeable |= Bits.RFLAGS_IOPL;
        }
        if (bits == 16) {
            changeable &= 0xffff;
        } else {
            // POPF clears RF, whatever the image says.
            changeable |= Bits.RFLAGS_RF;
            value &= ~Bits.RFLAGS_RF;
        }
        p.setRflags(p.rflags() & ~changeable | value & changeable);
    }

    /** In virtual-8086 mode the flags belong to the monitor if IOPL is below 3 (SDM 3A 20.2.7). */
    private static void check8086(Processor p) {
        check(p, !p.isVirtual8086() || p.iopl() == 3);
    }

    public static void hlt(Processor p) {
        Segmentation.requireRing0(p);
        p.halted = true;
        p.waitsForWrite = false;
        p.wakesMasked = false;
        p.post(Processor.POLL_EVENT);
    }

    public static void pause(Processor p) {
        p.endTurn();
    }

    public static void clac(Processor p) {
        checkSmapInstruction(p);
        p.setSystemFlags(p.rflagsSystem & ~Bits.RFLAGS_AC);
    }

    public static void stac(Processor p) {
        checkSmapInstruction(p);
        p.setSystemFlags(p.rflagsSystem | Bits.RFLAGS_AC);
    }

    private static void checkSmapInstruction(Processor p) {
        if (p.cpl != 0 || !p.model.has("smap")) {
            throw p.raise(Vector.UD, 0);
        }
    }

    // ---- XCR0, MONITOR -----------------------------------------------------------------------------------------------

    public static void xgetbv(Processor p) {
        checkXsave(p);
        int register = (int) p.gpr[Processor.RCX];
        check(p, register == 0 || register == 1 && p.model.has("xgetbv1"));
        setPair(p, register == 0 ? p.xcr0 : p.xcr0 & SaveArea.inUse(p));
    }

    /** XSETBV: x87 is always enabled, AVX only with SSE (SDM 1 13.3). */
    public static void xsetbv(Processor p) {
        checkXsave(p);
        Segmentation.requireRing0(p);
        check(p, (int) p.gpr[Processor.RCX] == 0 && SaveArea.canEnable(p, pair(p)));
        p.xcr0 = pair(p);
        p.updateFloatGate();
    }

    private static void checkXsave(Processor p) {
        if ((p.cr4 & Bits.CR4_OSXSAVE) == 0) {
            throw p.raise(Vector.UD, 0);
        }
    }

    /** RDPKRU. */
    public static void rdpkru(Processor p) {
        checkKeys(p);
        setPair(p, p.pkru() & 0xffff_ffffL);
    }

    /** WRPKRU. */
    public static void wrpkru(Processor p) {
        checkKeys(p);
        check(p, (int) p.gpr[Processor.RDX] == 0);
        p.setPkru((int) p.gpr[Processor.RAX]);
    }

    private static void checkKeys(Processor p) {
        if ((p.cr4 & Bits.CR4_PKE) == 0) {
            throw p.raise(Vector.UD, 0);
        }
        check(p, (int) p.gpr[Processor.RCX] == 0);
    }

    public static void monitor(Processor p, long address) {
        checkMonitor(p);
        check(p, (int) p.gpr[Processor.RCX] == 0);
        p.load8(address);
        long physical = p.hasMmu() ? p.mmu().inspect(address) : -1;
        if (p.lineMonitor == null || physical < 0 || !p.mmu().memory().contains(physical, 1)) {
            p.disarmMonitor();
        } else {
            p.lineMonitor.arm(physical);
        }
    }

    /**
     * MWAIT: waits for a write to the line that MONITOR has armed, which makes it do nothing if it has come or nothing is armed, or for
     * an interrupt; with bit 0 of ECX for one that IF holds off too (SDM 2 MWAIT).
     */
    public static void mwait(Processor p) {
        checkMonitor(p);
        long extensions = p.gpr[Processor.RCX] & 0xffff_ffffL;
        check(p, (extensions & ~MWAIT_MASKED) == 0);
        if (p.lineMonitor != null && p.lineMonitor.isArmed()) {
            p.halted = true;
            p.waitsForWrite = true;
            p.wakesMasked = extensions != 0;
        }
        p.post(Processor.POLL_EVENT);
    }

    private static void checkMonitor(Processor p) {
        if (p.cpl != 0 || !Msrs.hasMonitor(p)) {
            throw p.raise(Vector.UD, 0);
        }
    }
}
