package dev.xenolith.cpu.decode;

/**
 * The mode word: all that the meaning of code bytes depends on besides the bytes, in 16 bits. Part of the key of decoded blocks
 * and translated units, so that nothing in it is tested while they execute.
 */
public final class Mode {
    /** Bits 0 and 1: default code size, one of {@link #CODE_16}, {@link #CODE_32}, {@link #CODE_64}. */
    public static final int CODE_SIZE = 3;
    public static final int CODE_16 = 0;
    public static final int CODE_32 = 1;
    /** 64-bit mode: EFER.LMA and CS.L. */
    public static final int CODE_64 = 2;
    /** SS.B: the stack pointer is ESP rather than SP; set in 64-bit mode too, where it says nothing. */
    public static final int STACK_32 = 1 << 2;
    /** CPL is 3. */
    public static final int USER = 1 << 3;
    /** ES, CS, SS and DS have base 0 and limit 4 GiB and may be read, all but CS written too; always so in 64-bit mode. */
    public static final int FLAT = 1 << 4;
    /** Alignment checks are on: CR0.AM and RFLAGS.AC at CPL 3. */
    public static final int ALIGNMENT = 1 << 5;
    /** Every instruction needs attention after it (RFLAGS.TF, instruction breakpoints): only the stepping loop may execute. */
    public static final int STEP = 1 << 6;
    /** Real-address mode: CR0.PE is clear. */
    public static final int REAL = 1 << 7;
    /** Virtual-8086 mode. */
    public static final int VIRTUAL_8086 = 1 << 8;
    /** Reserved: x87 and SSE instructions raise #NM or #UD (CR0.EM, CR0.TS). */
    public static final int NO_FPU = 1 << 9;
    /** Reserved: a guest in VMX non-root operation or under SVM. */
    public static final int GUEST = 1 << 10;
    /** Reserved: a guest of a guest. */
    public static final int NESTED = 1 << 11;

    /** The bits that the decoder looks at; code decoded under one value serves all that differ elsewhere. */
    public static final int DECODE = CODE_SIZE | STACK_32 | FLAT | REAL | VIRTUAL_8086;

    private Mode() {}

    /** Default code size of a mode word in bits: 16, 32 or 64. */
    public static int codeBits(int mode) {
        return 16 << (mode & CODE_SIZE);
    }
}
