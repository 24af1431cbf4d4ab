package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.processor.Processor;

/**
 * One decoded instruction that can execute. Subclasses are generated from the opcode table, one per semantic, operand size and
 * operand form; the fields are the operands of this instance. Immutable and position-independent, so that one instance serves
 * all processors and all addresses at which its page is mapped.
 */
public abstract class Op extends Executable {
    /** Displacement of the memory operand, or the second immediate. */
    public final long displacement;
    /** Immediate, or distance of the branch target from the next instruction. */
    public final long immediate;
    /** Register numbers of the operands; 16 to 19 are AH to BH for 8-bit operands. */
    public final byte register1;
    public final byte register2;
    public final byte register3;
    public final byte register4;
    /** Slot of {@link Processor#gpr} of the memory operand's base. */
    public final byte base;
    /** Slot of {@link Processor#gpr} of the memory operand's index. */
    public final byte index;
    /** Log2 of the index's factor. */
    public final byte scale;
    /** Slot of {@link Processor#segmentBase} of the memory operand. */
    public final byte segment;
    /** 64 minus the address size in bits. */
    public final byte addressShift;
    /** As {@link DecodedInstruction#repeat}. */
    public final byte repeat;
    /** Length of the instruction in bytes. */
    public final byte length;
    /** As {@link DecodedInstruction#stackSegment}. */
    final boolean stackSegment;
    /** As {@link dev.xenolith.cpu.decode.Semantic#usesStack}. */
    final boolean usesStack;
    /** Bytes that it pops before it reaches its memory operand: 0 but for POP. */
    final byte popped;
    /** Has a string destination besides a string source: in ES, which no prefix overrides. */
    final boolean hasTwoStrings;

    protected Op(DecodedInstruction instruction) {
        displacement = instruction.displacement;
        immediate = instruction.immediate;
        register1 = (byte) instruction.register(0);
        register2 = (byte) instruction.register(1);
        register3 = (byte) instruction.register(2);
        register4 = (byte) instruction.register(3);
        base = (byte) instruction.base;
        index = (byte) instruction.index;
        scale = (byte) instruction.scale;
        segment = (byte) instruction.segment;
        addressShift = (byte) (64 - instruction.addressBits);
        repeat = (byte) instruction.repeat;
        length = (byte) instruction.length;
        stackSegment = instruction.stackSegment;
        usesStack = instruction.row.semantic().usesStack();
        popped = (byte) (instruction.row.semantic().addressAfterRsp() ? instruction.operandBits / 8 : 0);
        hasTwoStrings = instruction.hasTwoStrings();
    }

    /** An operation with the operands of {@code other}. */
    Op(Op other) {
        displacement = other.displacement;
        immediate = other.immediate;
        register1 = other.register1;
        register2 = other.register2;
        register3 = other.register3;
        register4 = other.register4;
        base = other.base;
        index = other.index;
        scale = other.scale;
        segment = other.segment;
        addressShift = other.addressShift;
        repeat = other.repeat;
        length = other.length;
        stackSegment = other.stackSegment;
        usesStack = other.usesStack;
        popped = other.popped;
        hasTwoStrings = other.hasTwoStrings;
    }

    /** An operation without operands. */
    Op() {
        displacement = 0;
        immediate = 0;
        register1 = 0;
        register2 = 0;
        register3 = 0;
        register4 = 0;
        base = DecodedInstruction.ZERO;
        index = DecodedInstruction.ZERO;
        scale = 0;
        segment = DecodedInstruction.FLAT;
        addressShift = 0;
        repeat = 0;
        length = 0;
        stackSegment = false;
        usesStack = false;
        popped = 0;
        hasTwoStrings = false;
    }

    @Override
    final int instructions() {
        return 1;
    }

    /** Linear address of the memory operand. */
    public final long address(Processor p) {
        return offset(p.gpr) + p.segmentBase[segment];
    }

    /** Linear address {@code bytes} beyond the memory operand. */
    public final long displacedAddress(Processor p, long bytes) {
        return (offset(p.gpr) + bytes << addressShift >>> addressShift) + p.segmentBase[segment];
    }

    /**
     * Linear address {@code bytes} beyond the memory operand in a segment that is checked for an access to {@code size} bytes
     * there.
     */
    public final long checkedAddress(Processor p, long bytes, int size, boolean write) {
        long checked = offset(p.gpr) + bytes << addressShift >>> addressShift;
        return write ? p.segments.writable(segment, checked, size) : p.segments.readable(segment, checked, size);
    }

    /** Offset of the memory operand in its segment. */
    public final long offset(long[] gpr) {
        return gpr[base] + (gpr[index] << scale) + displacement << addressShift >>> addressShift;
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
