package dev.xenolith.cpu.decode;

import java.util.Locale;

/** How a row finds its operand size: the column "size" of {@code opcodes.txt}. */
public enum OperandSize {
    /** 8 bits. */
    B,
    /** 16 bits. */
    W,
    /** 32 bits. */
    D,
    /** 64 bits. */
    Q,
    /** 16, 32 or 64 bits by operand-size prefix and REX.W. */
    V,
    /** 16 or 32 bits by operand-size prefix. */
    Z,
    /** 32 or 64 bits by REX.W. */
    Y,
    /** As V, but 64 bits instead of 32 in 64-bit mode. */
    D64,
    /** 64 bits in 64-bit mode; as V elsewhere. */
    F64,
    /** 64 bits in 64-bit mode, 32 elsewhere. */
    N,
    /** 128 bits, or 256 by VEX.L. */
    X,
    /** The instruction has no operand size. */
    NONE;

    static OperandSize parse(String text) {
        return text.equals("-") ? NONE : valueOf(text.toUpperCase(Locale.ROOT));
    }

    /** Operand size in bits for a default code size of {@code codeBits}. */
    public int bits(int codeBits, boolean prefix66, boolean rexW) {
        int byPrefix = (codeBits == 16) != prefix66 ? 16 : 32;
        boolean wide = codeBits == 64;
        return switch (this) {
            case B -> 8;
            case W -> 16;
            case D -> 32;
            case Q -> 64;
            case V -> rexW ? 64 : byPrefix;
            case Z -> rexW ? 32 : byPrefix;
            case Y -> rexW ? 64 : 32;
            case D64 -> wide ? rexW || !prefix66 ? 64 : 16 : byPrefix;
            case F64 -> wide ? 64 : byPrefix;
            case N -> wide ? 64 : 32;
            case X -> 128;
            case NONE -> 32;
        };
    }

    /** The operand sizes that are possible outside 64-bit mode. */
    public int[] sizesOutside64BitMode() {
        return switch (this) {
            case B -> new int[]{8};
            case W -> new int[]{16};
            case D, Y, N, NONE -> new int[]{32};
            case Q -> new int[]{64};
            case V, Z, D64, F64 -> new int[]{16, 32};
            case X -> new int[]{128, 256};
        };
    }

    /** The operand sizes that are possible in 64-bit mode. */
    public int[] sizesIn64BitMode() {
        return switch (this) {
            case B -> new int[]{8};
            case W -> new int[]{16};
            case D, NONE -> new int[]{32};
            case Q, F64, N -> new int[]{64};
            case V -> new int[]{16, 32, 64};
            case Z -> new int[]{16, 32};
            case Y -> new int[]{32, 64};
            case D64 -> new int[]{16, 64};
            case X -> new int[]{128, 256};
        };
    }
}
