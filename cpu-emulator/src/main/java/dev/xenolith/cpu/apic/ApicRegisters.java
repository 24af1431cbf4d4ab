package dev.xenolith.cpu.apic;

/**
 * The registers of a local APIC by their offsets in the xAPIC page (SDM 3A table 11-1); an x2APIC MSR is 0x800 + offset / 16
 * (table 11-6). What software may do with each is the same through both.
 */
public final class ApicRegisters {
    public static final int ID = 0x20;
    public static final int VERSION = 0x30;
    public static final int TPR = 0x80;
    public static final int PPR = 0xa0;
    public static final int EOI = 0xb0;
    public static final int LDR = 0xd0;
    public static final int DFR = 0xe0;
    public static final int SVR = 0xf0;
    public static final int ISR = 0x100;
    public static final int TMR = 0x180;
    public static final int IRR = 0x200;
    public static final int ESR = 0x280;
    public static final int ICR = 0x300;
    public static final int ICR_HIGH = 0x310;
    public static final int LVT_TIMER = 0x320;
    public static final int LVT_LINT0 = 0x350;
    public static final int LVT_LINT1 = 0x360;
    public static final int LVT_ERROR = 0x370;
    public static final int TIMER_INITIAL = 0x380;
    public static final int TIMER_CURRENT = 0x390;
    public static final int TIMER_DIVIDE = 0x3e0;
    /** x2APIC only. */
    public static final int SELF_IPI = 0x3f0;

    /** Bits of each LVT entry that software can write: timer, thermal, performance, LINT0, LINT1, error. */
    private static final int[] LVT_WRITABLE = {0x7_00ff, 0x1_07ff, 0x1_07ff, 0x1_a7ff, 0x1_a7ff, 0x1_00ff};

    private ApicRegisters() {
    }

    /** Whether it can be read; ID, LDR, DFR and ICR, which the page and the MSRs show differently, are not among them. */
    static boolean isReadable(int register) {
        return switch (register) {
            case VERSION, TPR, PPR, SVR, ESR, TIMER_INITIAL, TIMER_CURRENT, TIMER_DIVIDE -> true;
            default -> isLvt(register) || register >= ISR && register < IRR + 0x80 && (register & 0xf) == 0;
        };
    }

    /** Whether it can be written; without LDR, DFR and ICR again. */
    static boolean isWritable(int register) {
        return switch (register) {
            case TPR, EOI, SVR, ESR, TIMER_INITIAL, TIMER_DIVIDE, SELF_IPI -> true;
            default -> isLvt(register);
        };
    }

    /** Bits that software can write of a register that {@link #isWritable}. */
    static long writableBits(int register) {
        return switch (register) {
            case TPR, SELF_IPI -> 0xff;
            case EOI, ESR -> 0;
            case SVR -> 0x3ff;
            case TIMER_DIVIDE -> 0xb;
            case TIMER_INITIAL -> 0xffff_ffffL;
            default -> LVT_WRITABLE[lvtIndex(register)];
        };
    }

    /** Whether it is an entry of the local vector table. */
    static boolean isLvt(int register) {
        return register >= LVT_TIMER && register <= LVT_ERROR && (register & 0xf) == 0;
    }

    /** Index of an entry of the local vector table, from 0. */
    static int lvtIndex(int register) {
        return register - LVT_TIMER >>> 4;
    }
}
