package dev.xenolith.cpu.processor;

/** Bits of RFLAGS, control registers, EFER and debug registers (SDM 3A 2.2 to 2.5 and 18.2). */
public final class Bits {
    public static final long RFLAGS_CF = 1;
    public static final long RFLAGS_FIXED = 1 << 1;
    public static final long RFLAGS_TF = 1 << 8;
    public static final long RFLAGS_IF = 1 << 9;
    public static final long RFLAGS_DF = 1 << 10;
    public static final long RFLAGS_IOPL = 3 << 12;
    public static final int IOPL_SHIFT = 12;
    public static final long RFLAGS_NT = 1 << 14;
    public static final long RFLAGS_RF = 1 << 16;
    public static final long RFLAGS_VM = 1 << 17;
    public static final long RFLAGS_AC = 1 << 18;
    public static final long RFLAGS_VIF = 1 << 19;
    public static final long RFLAGS_VIP = 1 << 20;
    public static final long RFLAGS_ID = 1 << 21;
    /** CF, PF, AF, ZF, SF, OF. */
    public static final long RFLAGS_STATUS = 0x8d5;
    /** All that exist other than the status flags. */
    public static final long RFLAGS_SYSTEM = RFLAGS_FIXED | RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_IOPL | RFLAGS_NT
            | RFLAGS_RF | RFLAGS_VM | RFLAGS_AC | RFLAGS_VIF | RFLAGS_VIP | RFLAGS_ID;

    public static final long CR0_PE = 1;
    public static final long CR0_MP = 1 << 1;
    public static final long CR0_EM = 1 << 2;
    public static final long CR0_TS = 1 << 3;
    public static final long CR0_ET = 1 << 4;
    public static final long CR0_NE = 1 << 5;
    public static final long CR0_WP = 1 << 16;
    public static final long CR0_AM = 1 << 18;
    public static final long CR0_NW = 1 << 29;
    public static final long CR0_CD = 1 << 30;
    public static final long CR0_PG = 1L << 31;

    public static final long CR4_VME = 1;
    public static final long CR4_PVI = 1 << 1;
    public static final long CR4_TSD = 1 << 2;
    public static final long CR4_DE = 1 << 3;
    public static final long CR4_PSE = 1 << 4;
    public static final long CR4_PAE = 1 << 5;
    public static final long CR4_MCE = 1 << 6;
    public static final long CR4_PGE = 1 << 7;
    public static final long CR4_PCE = 1 << 8;
    public static final long CR4_OSFXSR = 1 << 9;
    public static final long CR4_OSXMMEXCPT = 1 << 10;
    public static final long CR4_UMIP = 1 << 11;
    public static final long CR4_LA57 = 1 << 12;
    public static final long CR4_FSGSBASE = 1 << 16;
    public static final long CR4_PCIDE = 1 << 17;
    public static final long CR4_OSXSAVE = 1 << 18;
    public static final long CR4_SMEP = 1 << 20;
    public static final long CR4_SMAP = 1 << 21;
    public static final long CR4_PKE = 1 << 22;

    public static final long EFER_SCE = 1;
    public static final long EFER_LME = 1 << 8;
    public static final long EFER_LMA = 1 << 10;
    public static final long EFER_NXE = 1 << 11;

    /** DR6 after reset: the bits that always read as one. */
    public static final long DR6_FIXED = 0xffff_0ff0L;
    /** DR6: B0 to B3, which breakpoints have been hit. */
    public static final long DR6_B = 0xf;
    /** DR6: access to a debug register while DR7.GD was set. */
    public static final long DR6_BD = 1 << 13;
    /** DR6: single step. */
    public static final long DR6_BS = 1 << 14;
    /** DR6: a task switch to a TSS whose T flag is set. */
    public static final long DR6_BT = 1 << 15;
    public static final long DR7_FIXED = 1 << 10;
    public static final long DR7_GD = 1 << 13;
    /** DR7: L0 to G3. */
    public static final long DR7_ENABLED = 0xff;

    /** DR7: L0 to L3 and LE, which a task switch clears. */
    static final long DR7_LOCAL = 0x155;

    private Bits() {}
}
