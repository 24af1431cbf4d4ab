package dev.xenolith.cpu.decode;

import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Writes instructions in Intel syntax, from the same rows that decode them: {@code mov rax, qword ptr [rbp-0x8]}. Addresses are
 * absolute where they are known: branch targets and RIP-relative operands.
 */
public final class Disassembler {
    private static final List<String> REGISTERS = List.of("ax", "cx", "dx", "bx", "sp", "bp", "si", "di");
    private static final List<String> SEGMENTS = List.of("es", "cs", "ss", "ds", "fs", "gs");
    private static final List<String> HIGH_BYTES = List.of("ah", "ch", "dh", "bh");

    /** Semantics that take an immediate byte as a count, a port or a level rather than extend it. */
    private static final Set<String> UNEXTENDED = Set.of("rol", "ror", "rcl", "rcr", "shl", "shr", "sar", "shld",
            "shrd", "rorx",
            "bti", "btsi", "btri", "btci", "in", "out", "enter");

    private Disassembler() {}

    /** The instruction {@code instruction} whose first byte is at linear address {@code address}. */
    public static String format(DecodedInstruction instruction, long address) {
        OpcodeRow row = instruction.row;
        StringBuilder text = new StringBuilder();
        if (instruction.locked) {
            text.append("lock ");
        }
        if (instruction.repeat != DecodedInstruction.REPEAT_NONE) {
            boolean compares = row.repeat() == OpcodeRow.Repeat.WHILE_EQUAL;
            text.append(
                    instruction.repeat == DecodedInstruction.REPEAT_NOT_EQUAL ? "repne " : compares ? "repe " : "rep ");
        }
        text.append(mnemonic(instruction));
        boolean first = true;
        for (int i = 0; i < instruction.operands(); i++) {
            OperandType type = row.operands().get(i).type();
            // XMM0 as a destination goes without saying.
            boolean implied = type == OperandType.VECTOR_VEX && !row.encoding().vex()
                    || type == OperandType.VECTOR_FIXED && i == 0;
            if (instruction.bits(i) == 0 && !instruction.form(i).isMemory() || implied) {
                continue;
            }
            text.append(first ? " " : ", ");
            first = false;
            operand(text, instruction, i, address);
        }
        return text.toString();
    }

    /** Name of register {@code number} (16 to 19 with 8 bits: AH to BH) as a {@code bits}-bit operand. */
    public static String register(int number, int bits) {
        if (bits == 8) {
            if (number >= DecodedInstruction.HIGH_BYTE) {
                return HIGH_BYTES.get(number - DecodedInstruction.HIGH_BYTE);
            }
            if (number < 8) {
                String name = REGISTERS.get(number);
                return number < 4 ? name.charAt(0) + "l" : name + "l";
            }
            return "r" + number + "b";
        }
        if (number < 8) {
            return (bits == 64 ? "r" : bits == 32 ? "e" : "") + REGISTERS.get(number);
        }
        return "r" + number + (bits == 64 ? "" : bits == 32 ? "d" : "w");
    }

    private static String mnemonic(DecodedInstruction instruction) {
        String name = instruction.row.mnemonic().toLowerCase(Locale.ROOT);
        if (instruction.row.semantic().name().equals("jrcxz")) {
            return instruction.addressBits == 64 ? name : instruction.addressBits == 32 ? "jecxz" : "jcxz";
        }
        boolean suffixed = name.equals("iret") || name.equals("retf") || name.equals("sysret")
                || name.equals("sysexit");
        if (suffixed && instruction.operandBits != 32) {
            return name + (instruction.operandBits == 64 ? "q" : "w");
        }
        return name;
    }

    private static void operand(StringBuilder text, DecodedInstruction instruction, int i, long address) {
        OperandSpec spec = instruction.row.operands().get(i);
        int bits = instruction.bits(i);
        int register = instruction.register(i);
        switch (instruction.form(i)) {
            case REGISTER -> text.append(switch (spec.type()) {
                case STACK -> "st(" + register + ")";
                case MMX_REG, MMX_RM, MMX_RM_REGISTER -> "mm" + register;
                case VECTOR_REG, VECTOR_RM, VECTOR_RM_REGISTER, VECTOR_VEX, VECTOR_IMMEDIATE, VECTOR_FIXED ->
                    (bits == 256 ? "ymm" : "xmm") + register;
                default -> register(register, bits);
            });
            case SEGMENT -> text.append(SEGMENTS.get(register));
            case SPECIAL -> text.append(spec.type() == OperandType.CONTROL ? "cr" : "dr").append(register);
            case IMMEDIATE -> immediate(text, instruction, spec, instruction.immediate, bits);
            case SECOND_IMMEDIATE -> immediate(text, instruction, spec, instruction.displacement, bits);
            case RELATIVE -> hex(text, address + instruction.length + instruction.immediate);
            case BASE, GENERAL, SEGMENTED -> {
                text.append(size(spec.width() == 'p' ? bits + 16 : bits));
                String index = spec.type() == OperandType.VECTOR_INDEXED
                        ? (spec.fixed() == 256 ? "ymm" : "xmm") + register
                        : instruction.index == DecodedInstruction.ZERO
                                ? ""
                                : register(instruction.index, instruction.addressBits);
                memory(text, instruction, index, address);
            }
            case STRING -> {
                boolean source = spec.type() == OperandType.STRING_SOURCE;
                text.append(size(bits));
                int segment = source ? instruction.segment == DecodedInstruction.FLAT ? 3 : instruction.segment : 0;
                text.append(SEGMENTS.get(segment)).append(":[")
                        .append(register(source ? 6 : 7, instruction.addressBits)).append(']');
            }
        }
    }

    private static String size(int bits) {
        return switch (bits) {
            case 8 -> "byte ptr ";
            case 16 -> "word ptr ";
            case 32 -> "dword ptr ";
            case 48 -> "fword ptr ";
            case 64 -> "qword ptr ";
            case 80 -> "tbyte ptr ";
            case 128 -> "xmmword ptr ";
            case 256 -> "ymmword ptr ";
            default -> "";
        };
    }

    private static void immediate(StringBuilder text, DecodedInstruction instruction, OperandSpec spec, long value,
            int bits) {
        if (spec.type() == OperandType.CONSTANT) {
            text.append(value);
            return;
        }
        // A byte that is combined with a wider operand is sign-extended to it; alone it is what it is, and so it is beside vectors.
        int shown = instruction.operands() > 1 && spec.width() != 'w' || instruction.row.mnemonic().equals("PUSH")
                ? Math.max(bits, instruction.operandBits)
                : bits;
        boolean unextended = UNEXTENDED.contains(instruction.row.semantic().name())
                || instruction.row.hasVector(false) || instruction.row.hasVector(true);
        int unused = 64 - (unextended ? bits : shown);
        hex(text, value << unused >>> unused);
    }

    private static void hex(StringBuilder text, long value) {
        text.append("0x").append(Long.toHexString(value));
    }

    private static void memory(StringBuilder text, DecodedInstruction instruction, String index, long address) {
        if (instruction.segment != DecodedInstruction.FLAT
                && (instruction.segment >= 4 || instruction.addressBits != 64)) {
            text.append(SEGMENTS.get(instruction.segment)).append(':');
        }
        text.append('[');
        boolean empty = true;
        long displacement = instruction.displacement;
        if (instruction.row.semantic().addressAfterRsp() && instruction.base == 4) {
            displacement -= instruction.operandBits / 8;
        }
        if (instruction.base == DecodedInstruction.PAGE) {
            displacement += address & -4096;
            if (instruction.addressBits == 32) {
                displacement &= 0xffff_ffffL;
            }
        } else if (instruction.base != DecodedInstruction.ZERO) {
            text.append(register(instruction.base, instruction.addressBits));
            empty = false;
        }
        if (!index.isEmpty()) {
            text.append(empty ? "" : "+").append(index).append('*').append(1 << instruction.scale);
            empty = false;
        }
        if (empty) {
            hex(text, displacement);
        } else if (displacement != 0) {
            text.append(displacement < 0 ? '-' : '+');
            hex(text, Math.abs(displacement));
        }
        text.append(']');
    }
}
