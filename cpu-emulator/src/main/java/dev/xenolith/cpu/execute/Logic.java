package dev.xenolith.cpu.execute;

/** Bitwise operations, extensions and selection. */
public final class Logic {
    private Logic() {}

    public static long and(long a, long b) {
        return a & b;
    }

    public static long or(long a, long b) {
        return a | b;
    }

    public static long xor(long a, long b) {
        return a ^ b;
    }

    public static long not(long a) {
        return ~a;
    }

    /** ANDN. */
    public static long andNot(long a, long b) {
        return ~a & b;
    }

    /** The low {@code bits} bits of {@code a}, zero-extended. */
    public static long zeroExtend(long a, int bits) {
        return a << 64 - bits >>> 64 - bits;
    }

    /** The low {@code bits} bits of {@code a}, sign-extended. */
    public static long signExtend(long a, int bits) {
        return a << 64 - bits >> 64 - bits;
    }

    /** {@code a} shifted right by {@code count}, 0..63, zeros coming in. */
    public static long shiftRight(long a, int count) {
        return a >>> count;
    }

    /** All bits the sign of {@code a}: CWD, CDQ, CQO. */
    public static long sign(long a) {
        return a >> 63;
    }

    /** CMOVcc. */
    public static long select(boolean condition, long ifTrue, long ifFalse) {
        return condition ? ifTrue : ifFalse;
    }
}
