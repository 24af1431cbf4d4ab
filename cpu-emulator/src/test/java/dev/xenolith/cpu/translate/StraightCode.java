package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.decode.OpcodeRow;
import dev.xenolith.cpu.decode.OpcodeTable;
import dev.xenolith.cpu.decode.OperandSpec;
import dev.xenolith.cpu.decode.OperandType;
import dev.xenolith.cpu.decode.RowEncoder;
import dev.xenolith.cpu.decode.Semantic;
import dev.xenolith.cpu.processor.Processor;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * Single instructions of any row of the opcode table that goes on at the next one, with random operands. RSI, RDI, RBP and R13 point to
 * data, R12, R14 and R15 count loops: no instruction changes these or RSP.
 */
final class StraightCode {
    private static final int[] POINTERS = {Processor.RSI, Processor.RDI, Processor.RBP, 13};
    private static final int[] FREE = {0, 1, 2, 3, 8, 9, 10, 11};
    private static final int KEPT = 1 << Processor.RSP | 1 << Processor.RBP | 1 << Processor.RSI | 1 << Processor.RDI
            | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15;
    /** What moves the stack, or changes what programs live by. */
    private static final Set<String> LEFT_OUT = Set.of("ud", "push", "pop", "popmem", "pusha", "popa", "enter", "leave",
            "popseg", "lss", "lfs", "lgs", "movsr", "wrfsbase", "wrgsbase", "cli", "sti", "rdrand", "xsave", "xsaveopt",
            "xsavec", "xrstor", "xsaves", "xrstors", "fxsave", "fxrstor", "fnsave", "frstor", "xgetbv", "stac",
            "maskmovq",
            "maskmovdqu", "movs", "stos", "lods", "scas", "cmps", "rdpid", "monitor", "mwait", "hlt");
    /** Those whose exceptions come often enough by themselves. */
    private static final Set<String> DIVISIONS = Set.of("div", "div8", "idiv", "idiv8");
    /** What makes or uses flags, and deserves to be met more often than by its share of the table. */
    private static final Set<String> FLAGS = Set.of("adc", "sbb", "setcc", "cmovcc", "lahf", "sahf", "cmc", "stc",
            "clc",
            "inc", "dec", "cmp", "test", "add", "sub", "adcx", "adox", "rcl", "rcr", "shl", "shr", "sar", "bt", "neg",
            "cmpxchg", "cmpxchgr", "xadd");
    /** The part of a program's memory operands at which an odd one is. */
    private static final int ODD_ADDRESS = 40;

    private final Random random;
    private final Decoder decoder = new Decoder(OpcodeTable.load(), ProgramMachine.MODEL::has);
    private final List<OpcodeRow> integer;
    private final List<OpcodeRow> flags;
    private final List<OpcodeRow> other;

    StraightCode(Random random) {
        this.random = random;
        List<OpcodeRow> rows = OpcodeTable.load().rows().stream().filter(StraightCode::usable).toList();
        integer = rows.stream().filter(StraightCode::isInteger).toList();
        flags = integer.stream().filter(row -> FLAGS.contains(row.semantic().name())).toList();
        other = rows.stream().filter(row -> !isInteger(row)).toList();
    }

    private static boolean usable(OpcodeRow row) {
        return row.in64BitMode() && row.intercept().isEmpty() && !LEFT_OUT.contains(row.semantic().name())
                && (!row.semantic().endsBlock() || row.semantic().name().equals("rdfsbase"))
                && row.operands().stream().noneMatch(operand -> operand.type() == OperandType.RELATIVE
                        || operand.type() == OperandType.SEGMENT || operand.type() == OperandType.CONTROL
                        || operand.type() == OperandType.DEBUG || operand.type() == OperandType.FIXED_SEGMENT);
    }

    private static boolean isInteger(OpcodeRow row) {
        return row.semantic().unit() == Semantic.Unit.NONE && !row.hasVector(true) && !row.hasVector(false)
                && row.operands().stream().noneMatch(operand -> operand.type() == OperandType.VECTOR_INDEXED);
    }

    /** A vector or x87 instruction. */
    byte[] vector() {
        return any(other);
    }

    /** An instruction on integers. */
    byte[] integer() {
        return any(random.nextInt(3) == 0 ? flags : integer);
    }

    private byte[] any(List<OpcodeRow> rows) {
        while (true) {
            OpcodeRow row = rows.get(random.nextInt(rows.size()));
            if (DIVISIONS.contains(row.semantic().name()) && random.nextInt(8) != 0) {
                continue;
            }
            byte[] bytes = encode(row);
            if (bytes.length <= DecodedInstruction.MAX_LENGTH && isHarmless(bytes)) {
                return bytes;
            }
        }
    }

    /** Whether it is what it should be, and changes no register that is to be kept. */
    private boolean isHarmless(byte[] bytes) {
        DecodedInstruction decoded = decoder.decode(bytes, 0, bytes.length, 0, Mode.CODE_64 | Mode.FLAT);
        if (decoded == null || decoded.row.semantic().name().equals("ud")) {
            return false;
        }
        InstructionForm form = InstructionForm.of(decoded);
        int writes = InstructionForm.usesProcessor(form.program()) ? 0 : form.registers().writes(decoded);
        for (int i = 0; i < decoded.operands(); i++) {
            OperandType type = decoded.row.operands().get(i).type();
            boolean general = !type.isVector() && !type.isMmx() && type != OperandType.STACK;
            writes |= general && decoded.row.semantic().writes(i) && !decoded.form(i).isMemory()
                    ? 1 << (decoded.register(i) & 15)
                    : 0;
        }
        return (writes & KEPT) == 0;
    }

    private byte[] encode(OpcodeRow row) {
        int[] sizes = Arrays.stream(row.size().sizesIn64BitMode()).filter(row::allowsSize).toArray();
        int bits = sizes[random.nextInt(sizes.length)];
        RowEncoder encoder = new RowEncoder(row, bits);
        boolean offset = row.operands().stream().anyMatch(operand -> operand.type() == OperandType.OFFSET);
        encoder.immediate(offset ? ProgramMachine.DATA + random.nextInt(ProgramMachine.DATA_BYTES - 8) : immediate());
        encoder.secondImmediate(random.nextInt(64));
        int rm = row.rmOperand();
        OperandType type = rm < 0 ? OperandType.CONSTANT : row.operands().get(rm).type();
        boolean memory = type == OperandType.RM_MEMORY || type == OperandType.VECTOR_INDEXED
                || type.isRegisterOrMemory() && random.nextInt(5) < 2;
        // AH and its like are out of reach behind a REX prefix.
        boolean high = bits < 64 && random.nextInt(4) == 0;
        if (memory) {
            memory(encoder, high);
            if (row.lockable() && random.nextInt(4) == 0) {
                encoder.lock();
            }
        }
        for (int i = 0; i < row.operands().size(); i++) {
            OperandSpec spec = row.operands().get(i);
            if (!memory || i != rm || spec.type() == OperandType.VECTOR_INDEXED) {
                encoder.register(i, register(spec, bits, high));
            }
        }
        return encoder.bytes();
    }

    private int register(OperandSpec spec, int bits, boolean high) {
        if (spec.type().isMmx() || spec.type() == OperandType.STACK) {
            return random.nextInt(8);
        }
        if (spec.type().isVector() || spec.type() == OperandType.VECTOR_INDEXED) {
            return random.nextInt(16);
        }
        if (high) {
            boolean byteRegister = spec.bits(bits) == 8;
            return random.nextInt(4) + (byteRegister && random.nextBoolean() ? DecodedInstruction.HIGH_BYTE : 0);
        }
        // Pointers too, as long as they are only read.
        return random.nextInt(6) == 0 ? random.nextInt(16) : FREE[random.nextInt(FREE.length)];
    }

    private void memory(RowEncoder encoder, boolean low) {
        int base = POINTERS[random.nextInt(low ? 3 : 4)];
        int displacement = switch (random.nextInt(4)) {
            case 0 -> 0;
            case 1 -> random.nextInt(256) - 128;
            default -> 8 * random.nextInt(64) - 128;
        };
        switch (random.nextInt(ODD_ADDRESS)) {
            case 0 -> {
                // Any index, so hardly ever an address.
                encoder.memory(base, FREE[random.nextInt(low ? 4 : FREE.length)], random.nextInt(4), displacement);
            }
            case 1, 2, 3, 4 -> encoder.memory(DecodedInstruction.ZERO, DecodedInstruction.ZERO, 0,
                    (int) (ProgramMachine.DATA + random.nextInt(ProgramMachine.DATA_BYTES)));
            case 5, 6, 7 -> encoder.segment(4 + random.nextInt(2)).memory(DecodedInstruction.ZERO,
                    DecodedInstruction.ZERO, 0, random.nextInt(0x800));
            case 8 -> encoder.memory(DecodedInstruction.ZERO, DecodedInstruction.ZERO, 0,
                    (int) ProgramMachine.MOVED_DATA + random.nextInt(4096));
            case 9, 10 -> encoder.memory(Processor.RSP, DecodedInstruction.ZERO, 0, -8 * random.nextInt(1, 16));
            case 11, 12 -> encoder.shortAddress().memory(base, DecodedInstruction.ZERO, 0, displacement);
            // The counters of loops are small.
            case 13, 14, 15, 16 -> encoder.memory(base, low ? DecodedInstruction.ZERO : 14 + random.nextInt(2),
                    random.nextInt(4), displacement);
            default -> encoder.memory(base, DecodedInstruction.ZERO, 0, displacement);
        }
    }

    /** A number of which there are many kinds. */
    long immediate() {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextInt(16) - 4;
            case 1 -> 1L << random.nextInt(64);
            case 2 -> (1L << random.nextInt(64)) - 1;
            default -> random.nextLong();
        };
    }

    /** A string instruction with a size of operands that it has, repeated or not. */
    byte[] string() {
        List<String> names = List.of("movs", "stos", "lods", "scas", "cmps");
        String name = names.get(random.nextInt(names.size()));
        List<OpcodeRow> rows = OpcodeTable.load().rows().stream().filter(row -> row.semantic().name().equals(name))
                .toList();
        OpcodeRow row = rows.get(random.nextInt(rows.size()));
        int[] sizes = Arrays.stream(row.size().sizesIn64BitMode()).filter(row::allowsSize).toArray();
        return new RowEncoder(row, sizes[random.nextInt(sizes.length)]).repeat(random.nextInt(3)).bytes();
    }
}
