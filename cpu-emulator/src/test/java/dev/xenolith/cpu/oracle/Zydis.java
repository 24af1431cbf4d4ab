package dev.xenolith.cpu.oracle;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The decoder of libzydis, version 4.0: structures as in Zydis/DecoderTypes.h. Operands are told in the notation of
 * {@link OperandText}, so that they can be compared.
 */
final class Zydis {
    private static final String LIBRARY = "libZydis.so.4.0";

    private static final int DECODER_SIZE = 20;
    private static final int INSTRUCTION_SIZE = 328;
    private static final int OPERAND_SIZE = 80;
    private static final int MAX_OPERANDS = 10;
    private static final int FORMATTER_SIZE = 584;

    /** Offsets in ZydisDecodedInstruction. */
    private static final int MNEMONIC = 4;
    private static final int LENGTH = 8;
    private static final int ENCODING = 12;
    private static final int ADDRESS_WIDTH = 23;
    private static final int VISIBLE = 25;
    private static final int ISA_EXTENSION = 100;

    /** Offsets in ZydisDecodedOperand. */
    private static final int SIZE = 16;
    private static final int TYPE = 32;
    private static final int VALUE = 40;
    private static final int MEMORY_SEGMENT = 44;
    private static final int MEMORY_BASE = 48;
    private static final int MEMORY_INDEX = 52;
    private static final int MEMORY_SCALE = 56;
    private static final int MEMORY_DISPLACEMENT = 72;
    private static final int POINTER_OFFSET = 44;
    private static final int IMMEDIATE_RELATIVE = 41;
    private static final int IMMEDIATE_VALUE = 48;

    private static final int REGISTER = 1;
    private static final int MEMORY = 2;
    private static final int POINTER = 3;

    /** Ranges of ZydisRegister. */
    private static final int AL = 1;
    private static final int AH = 5;
    private static final int SPL = 9;
    private static final int AX = 21;
    private static final int EAX = 37;
    private static final int RAX = 53;
    private static final int ST0 = 69;
    private static final int MM0 = 80;
    private static final int XMM0 = 88;
    private static final int YMM0 = 120;
    private static final int EIP = 196;
    private static final int RIP = 197;
    private static final int ES = 198;
    private static final int CR0 = 216;
    private static final int DR0 = 232;

    private final Memory decoder = new Memory(DECODER_SIZE);
    private final Memory instruction = new Memory(INSTRUCTION_SIZE);
    private final Memory operands = new Memory((long) OPERAND_SIZE * MAX_OPERANDS);
    private final Memory formatter = new Memory(FORMATTER_SIZE);
    private final Memory text = new Memory(256);
    private final Memory code = new Memory(16);
    private final boolean long64;

    /** The functions of Zydis/Zydis.h that we call; bound directly, so that JNA caches nothing per call. */
    static final class Functions {
        private Functions() {
        }

        static native int ZydisDecoderInit(Pointer decoder, int machineMode, int stackWidth);

        static native int ZydisDecoderEnableMode(Pointer decoder, int mode, byte enabled);

        static native int ZydisDecoderDecodeFull(Pointer decoder, Pointer buffer, long length, Pointer instruction,
                Pointer operands);

        static native int ZydisFormatterInit(Pointer formatter, int style);

        static native int ZydisFormatterFormatInstruction(Pointer formatter, Pointer instruction, Pointer operands,
                byte operandCount, Pointer buffer, long length, long address, Pointer userData);

        static native String ZydisMnemonicGetString(int mnemonic);

        static native String ZydisISAExtGetString(int extension);
    }

    /** Why there is none; empty if there is. */
    static Optional<String> unavailable() {
        try {
            NativeLibrary.getInstance(LIBRARY);
            return Optional.empty();
        } catch (UnsatisfiedLinkError e) {
            return Optional.of("the disassembler " + LIBRARY + " (Debian: libzydis4.0) is not installed");
        }
    }

    /** @param bits code size: 16, 32 or 64 */
    Zydis(int bits) {
        Native.register(Functions.class, LIBRARY);
        long64 = bits == 64;
        // ZYDIS_MACHINE_MODE_LEGACY_16, LEGACY_32, LONG_64; ZYDIS_STACK_WIDTH_16, 32, 64.
        check(Functions.ZydisDecoderInit(decoder, bits == 64 ? 0 : bits == 32 ? 3 : 4,
                bits == 64 ? 2 : bits == 32 ? 1 : 0));
        // ZYDIS_DECODER_MODE_KNC, MPX, CET, CLDEMOTE: our processors have none of them.
        for (int mode : new int[]{2, 3, 4, 8}) {
            check(Functions.ZydisDecoderEnableMode(decoder, mode, (byte) 0));
        }
        check(Functions.ZydisFormatterInit(formatter, 1));
    }

    private static void check(int status) {
        if (status < 0) {
            throw new IllegalStateException("libzydis: status %x".formatted(status));
        }
    }

    /** Whether the code is for 64-bit mode. */
    boolean long64() {
        return long64;
    }

    /** Decodes the first instruction of {@code bytes}; returns its length, or 0 if it is none. */
    int decode(byte[] bytes) {
        int count = Math.min(15, bytes.length);
        code.write(0, bytes, 0, count);
        int status = Functions.ZydisDecoderDecodeFull(decoder, code, count, instruction, operands);
        return status < 0 ? 0 : instruction.getByte(LENGTH);
    }

    /** The rest is about the instruction that {@link #decode} found last: its name, in lower case. */
    String mnemonic() {
        return Functions.ZydisMnemonicGetString(instruction.getInt(MNEMONIC));
    }

    /** Name of the instruction set extension, as ZydisISAExt has it: {@code SSE4}, {@code AVX512EVEX}. */
    String extension() {
        return Functions.ZydisISAExtGetString(instruction.getInt(ISA_EXTENSION));
    }

    /** Whether it is neither in a legacy nor in a VEX encoding: 3DNow!, XOP, EVEX, MVEX. */
    boolean foreign() {
        int encoding = instruction.getInt(ENCODING);
        return encoding != 0 && encoding != 3;
    }

    String text() {
        check(Functions.ZydisFormatterFormatInstruction(formatter, instruction, operands, instruction.getByte(VISIBLE),
                text,
                text.size(), 0, Pointer.NULL));
        return text.getString(0);
    }

    List<OperandText> operands() {
        List<OperandText> all = new ArrayList<>();
        for (int i = 0; i < instruction.getByte(VISIBLE); i++) {
            Pointer operand = operands.share((long) i * OPERAND_SIZE);
            int bits = operand.getShort(SIZE);
            all.add(switch (operand.getInt(TYPE)) {
                case REGISTER -> register(operand.getInt(VALUE));
                case MEMORY -> memory(operand, bits);
                case POINTER -> new OperandText("far", bits, operand.getShort(VALUE) & 0xffffL,
                        Integer.toHexString(operand.getInt(POINTER_OFFSET)));
                default -> new OperandText(operand.getByte(IMMEDIATE_RELATIVE) != 0 ? "relative" : "immediate", bits,
                        operand.getLong(IMMEDIATE_VALUE), "");
            });
        }
        return all;
    }

    private static OperandText register(int number) {
        if (number >= DR0) {
            return OperandText.register("debug", 0, number - DR0);
        } else if (number >= CR0) {
            return OperandText.register("control", 0, number - CR0);
        } else if (number >= ES) {
            return OperandText.register("segment", 0, number - ES);
        } else if (number >= YMM0) {
            return OperandText.register("vector", 256, number - YMM0);
        } else if (number >= XMM0) {
            return OperandText.register("vector", 128, number - XMM0);
        } else if (number >= MM0) {
            return OperandText.register("mmx", 0, number - MM0);
        } else if (number >= ST0) {
            return OperandText.register("stack", 0, number - ST0);
        } else if (number >= RAX) {
            return OperandText.register("general", 64, number - RAX);
        } else if (number >= EAX) {
            return OperandText.register("general", 32, number - EAX);
        } else if (number >= AX) {
            return OperandText.register("general", 16, number - AX);
        } else if (number >= SPL) {
            return OperandText.register("general", 8, number - SPL + 4);
        } else if (number >= AH) {
            return OperandText.register("general", 8, number - AH + 16);
        }
        return OperandText.register("general", 8, number - AL);
    }

    private OperandText memory(Pointer operand, int bits) {
        int base = operand.getInt(MEMORY_BASE);
        int index = operand.getInt(MEMORY_INDEX);
        int segment = operand.getInt(MEMORY_SEGMENT) - ES;
        int addressBits = instruction.getByte(ADDRESS_WIDTH);
        return OperandText.memory(bits, segment, long64, base == EIP || base == RIP ? "ip" : name(base), name(index),
                index == 0 ? 1 : operand.getByte(MEMORY_SCALE), operand.getLong(MEMORY_DISPLACEMENT), addressBits);
    }

    private static String name(int register) {
        if (register == 0) {
            return "";
        }
        OperandText text = register(register);
        return (text.kind().equals("vector") ? "v" : "") + text.value();
    }
}
