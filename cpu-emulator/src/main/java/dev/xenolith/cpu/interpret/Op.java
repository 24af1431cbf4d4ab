package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.processor.Processor;

/**
 * One decoded instruction that can execute. Subclasses are generated from the opcode table, one per semantic, operand size and
 * operand form; their fields are the operands of this instance, as far as they are needed. Immutable and position-independent, so that one
 * instance serves all processors and all addresses at which its page is mapped.
 */
public abstract class Op extends Executable {
    protected Op() {}

    @Override
    final int instructions() {
        return 1;
    }

    // ---- for generated code -----------------------------------------------------------------------------------------

    /**
     * Offset of a memory operand in its segment: slots of {@link Processor#gpr} of its base and its index, log2 of the index's factor,
     * displacement, and 64 minus the address size in bits.
     */
    public static long offset(long[] gpr, int base, int index, int scale, long displacement, int addressShift) {
        return gpr[base] + (gpr[index] << scale) + displacement << addressShift >>> addressShift;
    }

    /** Linear address of {@code size} bytes at {@code offset} in a segment that is checked for the access. */
    public static long checkedAddress(Processor p, long offset, int segment, int size, boolean write) {
        return write ? p.segments.writable(segment, offset, size) : p.segments.readable(segment, offset, size);
    }

    /** 8-bit register {@code number}, sign-extended. */
    public static long readByte(long[] gpr, int number) {
        return (byte) (gpr[number & 15] >> ((number & 16) >> 1));
    }

    /** Writes the low byte of {@code value} into 8-bit register {@code number}. */
    public static void writeByte(long[] gpr, int number, long value) {
        int shift = (number & 16) >> 1;
        int slot = number & 15;
        gpr[slot] = gpr[slot] & ~(0xffL << shift) | (value & 0xff) << shift;
    }

    /** Writes the low word of {@code value} into 16-bit register {@code number}. */
    public static void writeWord(long[] gpr, int number, long value) {
        gpr[number] = gpr[number] & ~0xffffL | value & 0xffff;
    }
}
