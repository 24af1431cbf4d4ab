package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.time.MachineClock;

/**
 * One logical CPU: its registers, modes and events, and the one way to execute on it, {@link #run}.
 *
 * <p>Fields are public because instructions generated from the opcode table work on them; nothing outside the module writes
 * them other than between runs. All of it belongs to the machine thread.
 *
 * <p>General registers live in {@link #gpr}: 0..15 are RAX RCX RDX RBX RSP RBP RSI RDI R8..R15; slot {@link #ZERO} always
 * holds 0 and slot {@link #PAGE} holds the linear address of the page that the current block executes from, so that every
 * addressing mode, RIP-relative included, is {@code gpr[base] + (gpr[index] << scale) + displacement}.
 */
public final class Processor {
    public static final int RAX = 0;
    public static final int RCX = 1;
    public static final int RDX = 2;
    public static final int RBX = 3;
    public static final int RSP = 4;
    public static final int RBP = 5;
    public static final int RSI = 6;
    public static final int RDI = 7;
    /** Slot of {@link #gpr} that is always zero: absent base or index. */
    public static final int ZERO = 16;
    /** Slot of {@link #gpr} with the linear address of the current block's page. */
    public static final int PAGE = 17;

    public static final int ES = 0;
    public static final int CS = 1;
    public static final int SS = 2;
    public static final int DS = 3;
    public static final int FS = 4;
    public static final int GS = 5;
    public static final int LDTR = 6;
    public static final int TR = 7;
    /** Slot of {@link #segmentBase} that is always zero: segments whose base is ignored in 64-bit mode. */
    public static final int FLAT = 8;

    /** Index of this processor in its machine, 0..7. */
    public final int index;
    /** The machine's time; published by the engine before any instruction that reads it. */
    public final MachineClock clock;
    /** Why the latest run ended. */
    public final Stop stop = new Stop();

    // ---- registers -------------------------------------------------------------------------------------------------

    public final long[] gpr = new long[18];
    /** Linear address of the next instruction; exact between runs and whenever an instruction that may look at it executes. */
    public long rip;
    /** Lazy status flags, first word: the latest result, sign-extended to 64 bits (see {@code execute.Flags}). */
    public long flagResult;
    /** Lazy status flags, second word: carries (see {@code execute.Flags}). */
    public long flagCarries;
    /** RFLAGS without the six status flags: TF, IF, DF, IOPL, NT, RF, VM, AC, VIF, VIP, ID and the fixed bit 1. */
    public long rflagsSystem = 2;

    /** Selector values, indexed ES..TR. */
    public final int[] segmentSelector = new int[8];
    /** Segment bases, indexed ES..TR; in 64-bit mode the engine uses slot FLAT for ES, CS, SS and DS. */
    public final long[] segmentBase = new long[9];
    /** Segment limits in bytes, already scaled by G, as unsigned 32-bit values. */
    public final long[] segmentLimit = new long[8];
    /** Segment attributes: descriptor bits 40..55 in the VMX access-rights layout (type, S, DPL, P, AVL, L, D/B, G; bit 16 unusable). */
    public final int[] segmentAttributes = new int[8];

    /** Non-zero asks the engine to stop at the next block boundary: the one word for everything that must interrupt execution. */
    public int poll;

    /** Instructions retired since the processor was made; exact at every stop. */
    public long retired;

    /** The fault that {@link GuestFault} announces: vector, error code, and for #PF the linear address. */
    public int faultVector;
    public int faultErrorCode;
    public long faultAddress;

    public Processor(int index, MachineClock clock) {
        this.index = index;
        this.clock = clock;
    }
}
