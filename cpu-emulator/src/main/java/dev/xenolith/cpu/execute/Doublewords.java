package dev.xenolith.cpu.execute;

/**
 * What methods of the same names in {@link Arithmetic}, {@link Logic}, {@link Shift}, {@link Rotate} and {@link Multiply} do, for 32-bit
 * operands: in ints, which HotSpot compiles to the processor's own 32-bit instructions. Where the result of an instruction with such operands
 * is one of these, {@code ProgramEmitter} takes it from here.
 */
public final class Doublewords {
    private Doublewords() {}

    public static int add(int a, int b) {
        return a + b;
    }

    public static int sub(int a, int b) {
        return a - b;
    }

    public static int and(int a, int b) {
        return a & b;
    }

    public static int or(int a, int b) {
        return a | b;
    }

    public static int xor(int a, int b) {
        return a ^ b;
    }

    public static int not(int a) {
        return ~a;
    }

    public static int low(int a, int b) {
        return a * b;
    }

    /** Java takes the low 5 bits of a count, as the processor does; so below. */
    public static int shl(int a, int count, int bits) {
        return a << count;
    }

    public static int shr(int a, int count, int bits) {
        return a >>> count;
    }

    public static int sar(int a, int count, int bits) {
        return a >> count;
    }

    public static int rol(int a, int count, int bits) {
        return Integer.rotateLeft(a, count);
    }

    public static int ror(int a, int count, int bits) {
        return Integer.rotateRight(a, count);
    }
}
