package dev.xenolith.cpu.processor;

/**
 * Whether x87, MMX, SSE and AVX instructions may execute: {@link Processor#floatGate} has a bit for each kind that may not, so that an
 * instruction looks at one word. Recomputed when CR0, CR4, XCR0 or the x87's error summary change. Which exception is due is found
 * out only then (SDM 3A table 2-2, tables 13-1 and 13-2; SDM 2A 2.4).
 */
public final class FloatGate {
    /** x87 instructions: CR0.EM or TS is set. */
    public static final int X87 = 1;
    /** An unmasked x87 exception waits: for waiting x87 instructions and MMX. */
    public static final int PENDING = 1 << 1;
    /** MMX instructions. */
    public static final int MMX = 1 << 2;
    /** Legacy SSE instructions, LDMXCSR and STMXCSR too. */
    public static final int SSE = 1 << 3;
    /** VEX-encoded instructions. */
    public static final int AVX = 1 << 4;
    /** FWAIT: CR0.MP and TS are set. */
    public static final int WAIT = 1 << 5;
    /** XSAVE and its kin. */
    public static final int XSAVE = 1 << 6;

    private static final long AVX_STATE = 6;

    private FloatGate() {}

    /** As {@link Processor#commitSse}, for programs that change what is no vector register. */
    public static void commit(Processor p) {
        p.commitSse();
    }

    /** The gate of the present state. */
    static int of(Processor p) {
        boolean emulated = (p.cr0 & Bits.CR0_EM) != 0;
        boolean switched = (p.cr0 & Bits.CR0_TS) != 0;
        int gate = p.fpu.hasPendingException() ? PENDING : 0;
        if (emulated || switched) {
            gate |= X87 | MMX | SSE;
        }
        if ((p.cr4 & Bits.CR4_OSFXSR) == 0) {
            gate |= SSE;
        }
        if (switched) {
            gate |= AVX | XSAVE | ((p.cr0 & Bits.CR0_MP) != 0 ? WAIT : 0);
        }
        if ((p.cr4 & Bits.CR4_OSXSAVE) == 0) {
            gate |= AVX | XSAVE;
        }
        if ((p.xcr0 & AVX_STATE) != AVX_STATE) {
            gate |= AVX;
        }
        return gate;
    }

    /** What an instruction of the kinds {@code kinds} raises, one of which the gate holds back. */
    static int exception(Processor p, int kinds) {
        int closed = of(p) & kinds;
        boolean emulated = (p.cr0 & Bits.CR0_EM) != 0;
        boolean undefined = (closed & (MMX | SSE)) != 0 && emulated
                || (closed & SSE) != 0 && (p.cr4 & Bits.CR4_OSFXSR) == 0
                || (closed & (AVX | XSAVE)) != 0 && (p.cr4 & Bits.CR4_OSXSAVE) == 0
                || (closed & AVX) != 0 && (p.xcr0 & AVX_STATE) != AVX_STATE;
        return undefined ? Vector.UD : closed == PENDING ? Vector.MF : Vector.NM;
    }
}
