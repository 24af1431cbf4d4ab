package dev.xenolith.cpu.execute;

/** Addition and subtraction. Carry vectors hold in bit i the carry (borrow) out of bit i. */
public final class Arithmetic {
    private Arithmetic() {}

    public static long add(long a, long b) {
        return a + b;
    }

    /** ADC: {@code carry} is 0 or 1. */
    public static long adc(long a, long b, long carry) {
        return a + b + carry;
    }

    /** Carries of {@code a + b}, with or without a carry in, whose sum is {@code r}. */
    public static long addCarries(long a, long b, long r) {
        return a & b | (a | b) & ~r;
    }

    public static long sub(long a, long b) {
        return a - b;
    }

    /** SBB: {@code borrow} is 0 or 1. */
    public static long sbb(long a, long b, long borrow) {
        return a - b - borrow;
    }

    /** Borrows of {@code a - b}, with or without a borrow in, whose difference is {@code r}. */
    public static long subCarries(long a, long b, long r) {
        return ~a & b | ~(a ^ b) & r;
    }
}
