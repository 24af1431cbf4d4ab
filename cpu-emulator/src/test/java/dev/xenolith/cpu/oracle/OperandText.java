package dev.xenolith.cpu.oracle;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.OperandSpec;
import dev.xenolith.cpu.decode.OperandType;
import java.util.ArrayList;
import java.util.List;

/**
 * One operand in words that do not depend on who decoded it.
 *
 * @param kind {@code general}, {@code memory}, {@code immediate} and so on
 * @param bits width, 0 where the kind says it
 * @param value number of the register; the immediate, sign-extended or not; the selector of a far pointer
 * @param place address of a memory operand
 */
record OperandText(String kind, int bits, long value, String place) {
    static OperandText register(String kind, int bits, long number) {
        return new OperandText(kind, bits, number, "");
    }

    static OperandText memory(int bits, int segment, boolean long64, String base, String index, int scale,
            long displacement, int addressBits) {
        // Base and index without a factor are alike.
        boolean swap = scale == 1 && !index.isEmpty() && (base.isEmpty() || index.compareTo(base) < 0);
        String name = long64 && segment < 4 ? "" : "%d:".formatted(segment);
        return new OperandText("memory", bits, 0, "%s%s+%s*%d+%x/%d".formatted(name, swap ? index : base,
                swap ? base : index, (swap ? base : index).isEmpty() ? 1 : scale, mask(displacement, addressBits),
                addressBits));
    }

    private static long mask(long value, int bits) {
        return bits >= 64 ? value : value & (1L << bits) - 1;
    }

    /** The operands of {@code instruction}, decoded at address 0, that assembly language shows. */
    static List<OperandText> of(DecodedInstruction instruction) {
        List<OperandText> all = new ArrayList<>();
        for (int i = 0; i < instruction.operands(); i++) {
            OperandSpec spec = instruction.row.operands().get(i);
            boolean implied = spec.type() == OperandType.VECTOR_FIXED
                    || spec.type() == OperandType.VECTOR_VEX && !instruction.row.encoding().vex();
            if (implied) {
                continue;
            }
            int bits = instruction.bits(i);
            int number = instruction.register(i);
            all.add(switch (instruction.form(i)) {
                case REGISTER -> spec.type() == OperandType.STACK
                        ? register("stack", 0, number)
                        : spec.type().isMmx()
                                ? register("mmx", 0, number)
                                : register(spec.type().isVector() ? "vector" : "general", vectorBits(spec, bits),
                                        number);
                case SEGMENT -> register("segment", 0, number);
                case SPECIAL -> register(spec.type() == OperandType.CONTROL ? "control" : "debug", 0, number);
                case IMMEDIATE -> new OperandText("immediate", bits,
                        spec.type() == OperandType.CONSTANT ? spec.fixed() : instruction.immediate, "");
                case SECOND_IMMEDIATE -> new OperandText("immediate", bits, instruction.displacement, "");
                case RELATIVE -> new OperandText("relative", bits, instruction.immediate, "");
                case BASE, GENERAL, SEGMENTED -> memory(instruction, spec,
                        spec.type() == OperandType.VECTOR_INDEXED ? "v" + number : name(instruction.index));
                case STRING -> string(instruction, spec, bits);
            });
        }
        return all;
    }

    private static int vectorBits(OperandSpec spec, int bits) {
        return spec.type().isVector() ? Math.max(bits, 128) : bits;
    }

    private static OperandText memory(DecodedInstruction instruction, OperandSpec spec, String index) {
        boolean page = instruction.base == DecodedInstruction.PAGE;
        return memory(8 * spec.memoryBytes(instruction.operandBits),
                instruction.segment == DecodedInstruction.FLAT ? 3 : instruction.segment,
                instruction.segment == DecodedInstruction.FLAT, page ? "ip" : name(instruction.base),
                index,
                1 << instruction.scale, instruction.displacement - (page ? instruction.length : 0),
                instruction.addressBits);
    }

    private static OperandText string(DecodedInstruction instruction, OperandSpec spec, int bits) {
        boolean source = spec.type() == OperandType.STRING_SOURCE;
        int segment = !source ? 0 : instruction.segment == DecodedInstruction.FLAT ? 3 : instruction.segment;
        return memory(bits, segment, instruction.segment == DecodedInstruction.FLAT, source ? "6" : "7", "", 1, 0,
                instruction.addressBits);
    }

    private static String name(int register) {
        return register == DecodedInstruction.ZERO ? "" : Integer.toString(register);
    }

    /** ST(0), which instructions imply that name another register of the stack. */
    boolean top() {
        return onStack() && value == 0;
    }

    /** Whether it is a register of the x87 stack. */
    boolean onStack() {
        return kind.equals("stack");
    }

    @Override
    public String toString() {
        return kind + (bits == 0 ? "" : bits) + " " + (place.isEmpty() ? Long.toHexString(value) : place);
    }

    /** Whether it is the same; immediates as far as both have bits. */
    boolean same(OperandText other) {
        if (!kind.equals(other.kind) || !place.equals(other.place)) {
            return false;
        }
        if (kind.equals("immediate") || kind.equals("relative")) {
            int common = Math.min(bits == 0 ? 64 : bits, other.bits == 0 ? 64 : other.bits);
            return mask(value, common) == mask(other.value, common);
        }
        // Operands that are an address only have no width.
        return value == other.value && (bits == other.bits || bits == 0 && kind.equals("memory"));
    }
}
