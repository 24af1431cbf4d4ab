package dev.xenolith.cpu.oracle;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Looks whether an instance reads a value at the edge of its range: an integer next to zero, to a power of two or to the negative of
 * one, a floating-point number that is special or has the fewest or the most bits. It looks at what the snippet holds, not at what
 * its generator had in mind.
 */
final class SourceValues {
    /** What the operands that an instance reads are like. */
    enum Kind {
        /** It reads none. */
        NONE,
        /** All are somewhere in the midst. */
        ORDINARY,
        /** At least one is at an edge. */
        EDGE
    }

    private static final int RAX = 0;
    private static final int RDX = 2;
    private static final int RBX = 3;
    private static final int RSP = 4;
    private static final int RBP = 5;
    private static final int RSI = 6;
    private static final int RDI = 7;

    /** Instructions of the x87 that do not look at ST(0). */
    private static final Pattern WITHOUT_TOP = Pattern.compile(
            "fld\\w*|fild\\w*|fbld|ffree\\w*|fincstp|fdecstp|fn\\w+|fwait");

    private final int codeBits;
    private boolean any;
    private boolean edge;
    private InstructionForm form;
    private EncodedInstruction encoded;
    private Snippet snippet;
    private long target;

    SourceValues(int codeBits, InstructionForm form, EncodedInstruction encoded, Snippet snippet) {
        this.codeBits = codeBits;
        this.form = form;
        this.encoded = encoded;
        this.snippet = snippet;
    }

    /**
     * Looks at the instance of {@code form} that {@code snippet} holds.
     *
     * @param target linear address of its operand in memory, if there is one
     */
    Kind look(InstructionForm form, EncodedInstruction encoded, Snippet snippet, long target) {
        this.form = form;
        this.encoded = encoded;
        this.snippet = snippet;
        this.target = target;
        any = false;
        edge = false;
        for (int i = 0; i < form.operands.size(); i++) {
            if (form.reads(i)) {
                operand(form.operands.get(i));
            }
        }
        implied();
        return edge ? Kind.EDGE : any ? Kind.ORDINARY : Kind.NONE;
    }

    private void operand(String operand) {
        boolean fixed = Character.isUpperCase(operand.charAt(operand.length() - 1)) || operand.equals("1");
        if (fixed) {
            fixedOperand(operand);
            return;
        }
        if (operand.startsWith("vm")) {
            return; // an address
        }
        String width = operand.substring(1);
        switch (operand.charAt(0)) {
            case 'E', 'M', 'R', 'W', 'U', 'Q', 'N' -> modrm(operand.charAt(0), width);
            case 'G' -> general(encoded.regRegister, bits(width));
            case 'B' -> general(encoded.vvvvRegister, bits(width));
            case 'Z' -> general(encoded.rmRegister, bits(width));
            case 'V' -> vector(encoded.regRegister, vectorBytes(width));
            // In a legacy encoding, the register of operand 1.
            case 'H' -> vector(form.vex ? encoded.vvvvRegister : encoded.regRegister, vectorBytes(width));
            case 'L' -> vector((int) (encoded.immediate >> 4 & 15), vectorBytes(width));
            case 'P' -> mmx(encoded.regRegister);
            case 'F' -> stack(encoded.rmRegister);
            case 'I', 'J' -> integer(encoded.immediate, bits(width));
            case 'O' -> memory(target, bits(width) / 8);
            case 'X' -> memory(snippet.registers.gpr[RSI], bits(width) / 8);
            case 'Y' -> memory(snippet.registers.gpr[RDI], bits(width) / 8);
            default -> {
                // Selectors, control and debug registers have no edges.
            }
        }
    }

    private void fixedOperand(String operand) {
        long[] gpr = snippet.registers.gpr;
        switch (operand) {
            case "AL" -> integer(gpr[RAX], 8);
            case "CL" -> integer(gpr[1], 8);
            case "eAX" -> integer(gpr[RAX], Math.min(32, encoded.operandBits));
            case "rAX" -> integer(gpr[RAX], encoded.operandBits);
            case "XMM0" -> vector(0, 16);
            default -> {
                // A port, a selector, the number one.
            }
        }
    }

    private void modrm(char kind, String width) {
        if (encoded.memory && encoded.rmRegister < 0) {
            memory(target, switch (width) {
                case "t" -> 10;
                case "p" -> encoded.operandBits / 8;
                case "a" -> encoded.operandBits / 8;
                case "dq", "qq", "x", "ps", "pd" -> vectorBytes(width);
                default -> bits(width) / 8;
            });
            return;
        }
        switch (kind) {
            case 'E', 'R', 'M' -> general(encoded.rmRegister, bits(width));
            case 'W', 'U' -> vector(encoded.rmRegister, vectorBytes(width));
            default -> mmx(encoded.rmRegister & 7);
        }
    }

    // ---- operands that are not written -------------------------------------------------------------------------------------

    private void implied() {
        long[] gpr = snippet.registers.gpr;
        int bits = encoded.operandBits == 0 ? codeBits : encoded.operandBits;
        for (String name : form.namedRegisters) {
            switch (name) {
                case "AL" -> integer(gpr[RAX], 8);
                case "AH" -> integer(gpr[RAX] >> 8, 8);
                case "AX" -> integer(gpr[RAX], 16);
                case "rAX" -> integer(gpr[RAX], bits);
                case "rDX" -> integer(gpr[RDX], bits);
                default -> integer(gpr[List.of(Registers.NAMES).indexOf(name.toLowerCase(Locale.ROOT))], codeBits);
            }
        }
        boolean pops = form.program.contains("= pop") || form.program.contains("load RSP")
                || form.semantic.startsWith("retf") || form.semantic.equals("iret") || form.semantic.equals("popa");
        if (pops) {
            memory(gpr[RSP], bits / 8);
        }
        switch (form.semantic) {
            case "leave" -> memory(gpr[RBP], bits / 8);
            case "xlat" -> memory(gpr[RBX] + (gpr[RAX] & 0xff), 1);
            case "pusha" -> {
                for (int i = 0; i < 8; i++) {
                    integer(gpr[i], bits);
                }
            }
            case "cmpxchg8b", "cmpxchg16b" -> {
                int half = form.semantic.equals("cmpxchg8b") ? 4 : 8;
                integer(gpr[RAX], 8 * half);
                integer(gpr[RDX], 8 * half);
                memory(target, half);
                memory(target + half, half);
            }
            default -> {
                // Its operands are all it reads.
            }
        }
        if (form.attributes.contains("x87") && !WITHOUT_TOP.matcher(form.semantic).matches()) {
            stack(0);
        }
        if (form.attributes.contains("m10")) {
            memory(target, 10);
        }
    }

    // ---- registers and memory -----------------------------------------------------------------------------------------------

    private int bits(String width) {
        int wide = encoded.operandBits == 0 ? codeBits : Math.min(64, encoded.operandBits);
        return switch (width) {
            case "b" -> 8;
            case "w" -> 16;
            case "d", "ss" -> 32;
            case "q", "sd" -> 64;
            case "z" -> Math.min(32, wide);
            case "n" -> codeBits;
            default -> wide;
        };
    }

    private int vectorBytes(String width) {
        return switch (width) {
            case "b" -> 1;
            case "w" -> 2;
            case "ss", "d" -> 4;
            case "sd", "q" -> 8;
            case "qq" -> 32;
            case "x", "ps", "pd" -> Math.max(16, encoded.operandBits / 8);
            default -> 16;
        };
    }

    private void general(int number, int bits) {
        if (number < 0) {
            return;
        }
        boolean high = bits == 8 && number >= 4 && number < 8 && !encoded.rexPrefix && !form.vex;
        long[] gpr = snippet.registers.gpr;
        integer(high ? gpr[number - 4] >> 8 : gpr[number], bits);
    }

    private void mmx(int number) {
        ByteBuffer image = ByteBuffer.wrap(snippet.fx).order(ByteOrder.LITTLE_ENDIAN);
        lanes(image, FxImage.ST + 16 * (number - FxImage.top(snippet.fx) & 7), 8);
    }

    private void stack(int number) {
        ByteBuffer image = ByteBuffer.wrap(snippet.fx).order(ByteOrder.LITTLE_ENDIAN);
        extended(image, FxImage.ST + 16 * number);
    }

    private void vector(int number, int bytes) {
        if (number < 0) {
            return;
        }
        lanes(ByteBuffer.wrap(snippet.fx).order(ByteOrder.LITTLE_ENDIAN), FxImage.XMM + 16 * number, Math.min(16,
                bytes));
        if (bytes > 16) {
            lanes(ByteBuffer.wrap(snippet.ymmHigh).order(ByteOrder.LITTLE_ENDIAN), 16 * number, 16);
        }
    }

    /** What is not in the snippet's own pages is not looked at. */
    private void memory(long address, int bytes) {
        any = true;
        long at = codeBits == 32 ? address & 0xffff_ffffL : address;
        long offset = at - AddressMap.WRITABLE;
        if (offset < 0 || offset > AddressMap.TOP_OFFSET - bytes) {
            offset = at - AddressMap.WRITABLE_TOP + AddressMap.TOP_OFFSET;
            if (offset < AddressMap.TOP_OFFSET || offset > AddressMap.WRITABLE_BYTES - bytes) {
                return;
            }
        }
        if (bytes == 10) {
            extended(snippet.data(), (int) offset);
        } else {
            lanes(snippet.data(), (int) offset, bytes);
        }
    }

    // ---- edges --------------------------------------------------------------------------------------------------------------

    /** Elements as narrow as the value, and of 32 and 64 bits of what is wider. */
    private void lanes(ByteBuffer buffer, int at, int bytes) {
        if (bytes < 4) {
            integer(bytes == 1 ? buffer.get(at) : buffer.getShort(at), 8 * bytes);
            return;
        }
        for (int i = 0; i < bytes; i += 4) {
            int value = buffer.getInt(at + i);
            integer(value, 32);
            edge |= form.isFloating() && floatEdge(value, 8, 23);
        }
        for (int i = 0; i + 8 <= bytes; i += 8) {
            long value = buffer.getLong(at + i);
            integer(value, 64);
            edge |= form.isFloating() && floatEdge(value, 11, 52);
        }
    }

    private void extended(ByteBuffer buffer, int at) {
        any = true;
        long significand = buffer.getLong(at);
        int exponent = buffer.getShort(at + 8) & 0x7fff;
        edge |= exponent <= 1 || exponent >= 0x7ffe || significand >= 0 || fewBits(significand & Long.MAX_VALUE, 63);
    }

    private static boolean floatEdge(long value, int exponentBits, int fractionBits) {
        long most = (1L << exponentBits) - 1;
        long exponent = value >>> fractionBits & most;
        return exponent <= 1 || exponent >= most - 1 || fewBits(value & (1L << fractionBits) - 1, fractionBits);
    }

    /** Whether a fraction is zero, or its first or last bit alone is set, or all are: what rounding turns on. */
    private static boolean fewBits(long fraction, int bits) {
        return fraction <= 1 || fraction == 1L << bits - 1 || fraction == (1L << bits) - 1;
    }

    private void integer(long value, int bits) {
        any = true;
        edge |= integerEdge(value, bits);
    }

    /** Whether {@code value}, of {@code bits}, is within one of zero, of a power of two, or of the negative of one. */
    static boolean integerEdge(long value, int bits) {
        long mask = bits == 64 ? -1 : (1L << bits) - 1;
        for (int beside = -1; beside <= 1; beside++) {
            if (Long.bitCount(value + beside & mask) <= 1 || Long.bitCount(-(value + beside) & mask) <= 1) {
                return true;
            }
        }
        return false;
    }
}
