package dev.xenolith.cpu.decode;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Turns bytes into {@link DecodedInstruction}s by the rows of an {@link OpcodeTable} (SDM 2A chapter 2).
 *
 * <p>Bytes that are no instruction decode to {@link OpcodeTable#invalid}, and those of an instruction over 15 bytes to {@link
 * OpcodeTable#overlong}, so that they raise their exception when executed. Holds the state of one decoding: not for several
 * threads.
 */
public final class Decoder {
    private static final int MAPS = 4;
    private static final OpcodeRow[] NO_ROWS = {};

    private final OpcodeTable table;
    private final OpcodeRow[][] candidates = new OpcodeRow[MAPS * 256][];

    private byte[] code = {};
    private int start;
    private int position;
    private int limit;
    /** More bytes were asked for than there are. */
    private boolean incomplete;

    private int mode;
    private int codeBits;
    private boolean operandSizePrefix;
    private boolean addressSizePrefix;
    private boolean lockPrefix;
    /** 0, F2 or F3: the last of them. */
    private int repeatPrefix;
    /** Segment of the last override, -1 if none. */
    private int segmentPrefix;
    private int rex;
    private boolean rexPresent;
    private boolean vex;
    private Encoding.Prefix vexPrefix = Encoding.Prefix.NONE;
    private int vexRegister;
    private int vexLength;
    /** VEX.W, which outside 64-bit mode does not choose the operand size. */
    private int vexW;
    private int modRm;

    private int segment;
    private boolean stackSegment;
    private int base;
    private int index;
    private int scale;
    private long displacement;
    private boolean ripRelative;

    /** A decoder for a processor with all features. */
    public Decoder(OpcodeTable table) {
        this(table, feature -> true);
    }

    /** A decoder for a processor with the CPUID features that {@code hasFeature} accepts. */
    public Decoder(OpcodeTable table, Predicate<String> hasFeature) {
        this.table = table;
        List<List<OpcodeRow>> lists = new ArrayList<>();
        for (int i = 0; i < candidates.length; i++) {
            lists.add(new ArrayList<>());
        }
        for (OpcodeRow row : table.rows()) {
            if (row.feature().isEmpty() || hasFeature.test(row.feature())) {
                Encoding encoding = row.encoding();
                int count = encoding.opcodeRegister() ? 8 : 1;
                for (int i = 0; i < count; i++) {
                    lists.get(encoding.map() << 8 | encoding.opcode() + i).add(row);
                }
            }
        }
        for (int i = 0; i < candidates.length; i++) {
            candidates[i] = lists.get(i).toArray(NO_ROWS);
        }
    }

    /**
     * Decodes the instruction at {@code code[start]}, which lies {@code pageOffset} bytes into its page, under the mode word
     * {@code mode}. Returns null if it does not end before {@code limit}: the caller then fetches more bytes, which may fault.
     */
    public @Nullable DecodedInstruction decode(byte[] code, int start, int limit, int pageOffset, int mode) {
        this.code = code;
        this.start = start;
        this.limit = limit;
        this.mode = mode;
        position = start;
        codeBits = Mode.codeBits(mode);
        incomplete = false;
        DecodedInstruction instruction = decode(pageOffset);
        int length = position - start;
        if (length > DecodedInstruction.MAX_LENGTH || incomplete && limit - start >= DecodedInstruction.MAX_LENGTH) {
            return DecodedInstruction.of(table.overlong(), Math.min(length, DecodedInstruction.MAX_LENGTH));
        }
        if (incomplete) {
            return null;
        }
        return instruction != null ? instruction : DecodedInstruction.of(table.invalid(), length);
    }

    /** Null: no instruction, or {@link #incomplete}. */
    private @Nullable DecodedInstruction decode(int pageOffset) {
        int opcode = prefixes();
        int map = 0;
        if (startsVex(opcode)) {
            if (lockPrefix || operandSizePrefix || repeatPrefix != 0 || rexPresent) {
                return null;
            }
            map = vexPrefix(opcode);
            if (incomplete || map < 0) {
                return null;
            }
            opcode = next();
        } else if (opcode == 0x0f) {
            map = 1;
            opcode = next();
            if (opcode == 0x38 || opcode == 0x3a) {
                map = opcode == 0x38 ? 2 : 3;
                opcode = next();
            }
        }
        if (incomplete) {
            return null;
        }
        OpcodeRow[] rows = candidates[map << 8 | opcode];
        if (rows.length == 0) {
            return null;
        }
        if (rows[0].encoding().modRm()) {
            modRm = next();
            if (incomplete) {
                return null;
            }
        }
        for (OpcodeRow row : rows) {
            if (fits(row)) {
                return operands(row, opcode, pageOffset);
            }
        }
        return null;
    }

    // ---- bytes -----------------------------------------------------------------------------------------------------

    private int next() {
        if (position >= limit) {
            incomplete = true;
            return 0;
        }
        return code[position++] & 0xff;
    }

    /** The next {@code bytes} bytes, sign-extended. */
    private long signed(int bytes) {
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value |= (long) next() << 8 * i;
        }
        int unused = 64 - 8 * bytes;
        return value << unused >> unused;
    }

    /** Consumes prefixes and returns the byte after them. */
    private int prefixes() {
        operandSizePrefix = false;
        addressSizePrefix = false;
        lockPrefix = false;
        repeatPrefix = 0;
        segmentPrefix = -1;
        rex = 0;
        rexPresent = false;
        vex = false;
        while (true) {
            int b = next();
            if (incomplete) {
                return 0;
            }
            switch (b) {
                // In 64-bit mode they are not there, so an FS or GS before them stays (APM 3 1.2.4; seen on Zen 3).
                case 0x26, 0x2e, 0x36, 0x3e -> segmentPrefix = codeBits == 64 ? segmentPrefix : b >> 3 & 3;
                case 0x64, 0x65 -> segmentPrefix = b & 7;
                case 0x66 -> operandSizePrefix = true;
                case 0x67 -> addressSizePrefix = true;
                case 0xf0 -> lockPrefix = true;
                case 0xf2, 0xf3 -> repeatPrefix = b;
                default -> {
                    if (codeBits != 64 || (b & 0xf0) != 0x40) {
                        return b;
                    }
                    rex = b;
                    rexPresent = true;
                    continue;
                }
            }
            // A REX prefix counts only immediately before the opcode.
            rex = 0;
            rexPresent = false;
            if (position - start >= DecodedInstruction.MAX_LENGTH) {
                incomplete = true;
                return 0;
            }
        }
    }

    /** Outside 64-bit mode C4 and C5 are LES and LDS unless the next byte, as their ModRM, would name a register. */
    private boolean startsVex(int opcode) {
        if (opcode != 0xc4 && opcode != 0xc5 || (mode & (Mode.REAL | Mode.VIRTUAL_8086)) != 0) {
            return false;
        }
        if (codeBits == 64) {
            return true;
        }
        incomplete = position >= limit;
        return !incomplete && (code[position] & 0xc0) == 0xc0;
    }

    /** Consumes the rest of a VEX prefix and returns the opcode map, -1 if it is none (SDM 2A 2.3.5). */
    private int vexPrefix(int first) {
        vex = true;
        int payload = next();
        int map = 1;
        rex = 0x40 | (~payload >> 5 & 4);
        if (first == 0xc4) {
            map = payload & 0x1f;
            rex |= ~payload >> 5 & 3;
            payload = next();
            rex |= payload >> 4 & 8;
        }
        vexW = rex >> 3 & 1;
        vexRegister = ~payload >> 3 & 15;
        if (codeBits != 64) {
            rex = 0x40;
        }
        vexPrefix = switch (payload & 3) {
            case 0 -> Encoding.Prefix.NONE;
            case 1 -> Encoding.Prefix.OPERAND_SIZE;
            case 2 -> Encoding.Prefix.REP;
            default -> Encoding.Prefix.REPNE;
        };
        vexLength = payload >> 2 & 1;
        return map < MAPS && map > 0 ? map : -1;
    }

    // ---- row -------------------------------------------------------------------------------------------------------

    private boolean fits(OpcodeRow row) {
        Encoding encoding = row.encoding();
        if (encoding.vex() != vex || !prefixFits(row) || !row.modes().include(mode) || vex && !vexFits(row)) {
            return false;
        }
        if (encoding.modRm()) {
            boolean register = modRm >= 0xc0;
            if (encoding.digit() >= 0 && encoding.digit() != (modRm >> 3 & 7)
                    || encoding.exactModRm() >= 0 && encoding.exactModRm() != modRm || register && row.needsMemory()
                    || !register && row.needsRegister()) {
                return false;
            }
        }
        if (row.usesVectorIndex() && ((modRm & 7) != 4 || addressBits() == 16)) {
            return false;
        }
        if (encoding.notRexB() && (rex & 1) != 0) {
            return false;
        }
        return row.requiredBits() == 0 || row.requiredBits() == operandBits(row);
    }

    /** The register in VEX.vvvv; outside 64-bit mode there are eight, and the high bit says nothing. */
    private int vexRegister() {
        return codeBits == 64 ? vexRegister : vexRegister & 7;
    }

    /** VEX.vvvv that is no operand must be 1111b, all of it in every mode (SDM 2A 2.3.5.6). */
    private boolean vexFits(OpcodeRow row) {
        Encoding encoding = row.encoding();
        return encoding.allowsLength(vexLength)
                && (encoding.vexW() == Encoding.ANY || encoding.vexW() == vexW)
                && (vexRegister == 0 || row.usesVexRegister());
    }

    private boolean prefixFits(OpcodeRow row) {
        Encoding.Prefix prefix = row.encoding().prefix();
        if (vex) {
            return prefix == vexPrefix;
        }
        return switch (prefix) {
            case ANY -> true;
            // 66 is one of the prefixes that must not be there, unless it chooses the operand size.
            case NONE -> repeatPrefix == 0 && (!operandSizePrefix || row.size() == OperandSize.V);
            case OPERAND_SIZE -> operandSizePrefix && repeatPrefix == 0;
            case REP -> repeatPrefix == 0xf3;
            case REPNE -> repeatPrefix == 0xf2;
        };
    }

    private int operandBits(OpcodeRow row) {
        if (row.size() == OperandSize.X) {
            return vex && vexLength == 1 ? 256 : 128;
        }
        boolean prefix = operandSizePrefix && row.encoding().prefix() != Encoding.Prefix.OPERAND_SIZE;
        return row.size().bits(codeBits, prefix, (rex & 8) != 0);
    }

    private int addressBits() {
        return codeBits == 64
                ? addressSizePrefix ? 32 : 64
                : (codeBits == 16) != addressSizePrefix ? 16 : 32;
    }

    // ---- operands --------------------------------------------------------------------------------------------------

    private @Nullable DecodedInstruction operands(OpcodeRow row, int opcode, int pageOffset) {
        int operandBits = operandBits(row);
        int addressBits = addressBits();
        int count = row.operands().size();
        OperandForm[] forms = new OperandForm[count];
        int[] registers = new int[count];
        long immediate = 0;
        boolean haveImmediate = false;
        boolean destinationOnly = false;
        base = DecodedInstruction.ZERO;
        index = DecodedInstruction.ZERO;
        scale = 0;
        displacement = 0;
        ripRelative = false;
        segment = segment(3);
        int rm = row.rmOperand();
        if (rm >= 0 && modRm < 0xc0 && !row.encoding().modIgnored()) {
            memory(addressBits);
        }
        for (int i = 0; i < count; i++) {
            OperandSpec spec = row.operands().get(i);
            int bits = spec.bits(operandBits);
            switch (spec.type()) {
                case VECTOR_RM, VECTOR_RM_REGISTER, MMX_RM, MMX_RM_REGISTER, STACK -> {
                    boolean inRegister = modRm >= 0xc0 || row.encoding().modIgnored();
                    boolean vector = spec.type().isVector();
                    forms[i] = inRegister ? OperandForm.REGISTER : memoryForm();
                    registers[i] = inRegister ? modRm & 7 | (vector ? (rex & 1) << 3 : 0) : 0;
                }
                case VECTOR_REG, MMX_REG -> {
                    forms[i] = OperandForm.REGISTER;
                    registers[i] = modRm >> 3 & 7 | (spec.type().isVector() ? (rex & 4) << 1 : 0);
                }
                case VECTOR_VEX -> {
                    forms[i] = OperandForm.REGISTER;
                    registers[i] = vex ? vexRegister() : registers[0];
                }
                case VECTOR_FIXED -> forms[i] = OperandForm.REGISTER;
                case VECTOR_IMMEDIATE -> {
                    forms[i] = OperandForm.REGISTER;
                    registers[i] = (int) signed(1) >> 4 & (codeBits == 64 ? 15 : 7);
                }
                case RM, RM_REGISTER, RM_MEMORY -> {
                    if (modRm >= 0xc0 || row.encoding().modIgnored()) {
                        forms[i] = OperandForm.REGISTER;
                        registers[i] = register(modRm & 7 | (rex & 1) << 3, bits);
                    } else {
                        forms[i] = memoryForm();
                    }
                }
                case VECTOR_INDEXED -> {
                    forms[i] = memoryForm();
                    // Register 4 is an index here.
                    registers[i] = index == DecodedInstruction.ZERO ? 4 : index;
                    index = DecodedInstruction.ZERO;
                }
                case REG -> {
                    forms[i] = OperandForm.REGISTER;
                    registers[i] = register(modRm >> 3 & 7 | (rex & 4) << 1, bits);
                }
                case OPCODE_REGISTER -> {
                    forms[i] = OperandForm.REGISTER;
                    registers[i] = register(opcode & 7 | (rex & 1) << 3, bits);
                }
                case VEX_REGISTER -> {
                    forms[i] = OperandForm.REGISTER;
                    registers[i] = vexRegister();
                }
                case FIXED_REGISTER -> {
                    forms[i] = OperandForm.REGISTER;
                    registers[i] = spec.fixed();
                }
                case SEGMENT -> {
                    forms[i] = OperandForm.SEGMENT;
                    registers[i] = modRm >> 3 & 7;
                    if (registers[i] > 5 || registers[i] == 1 && i == 0) {
                        return null;
                    }
                }
                case FIXED_SEGMENT -> {
                    forms[i] = OperandForm.SEGMENT;
                    registers[i] = spec.fixed();
                }
                case CONTROL, DEBUG -> {
                    forms[i] = OperandForm.SPECIAL;
                    registers[i] = modRm >> 3 & 7 | (rex & 4) << 1;
                }
                case IMMEDIATE -> {
                    long value = signed(bits / 8);
                    if (haveImmediate) {
                        forms[i] = OperandForm.SECOND_IMMEDIATE;
                        displacement = value;
                    } else {
                        forms[i] = OperandForm.IMMEDIATE;
                        immediate = value;
                        haveImmediate = true;
                    }
                }
                case RELATIVE -> {
                    forms[i] = OperandForm.RELATIVE;
                    immediate = signed(bits / 8);
                }
                case OFFSET -> {
                    forms[i] = memoryForm();
                    displacement = signed(addressBits / 8);
                    if (addressBits < 64) {
                        displacement &= (1L << addressBits) - 1;
                    }
                }
                case STRING_SOURCE -> forms[i] = OperandForm.STRING;
                case STRING_DESTINATION -> {
                    forms[i] = OperandForm.STRING;
                    destinationOnly = count < 2 || row.operands().get(1 - i).type() != OperandType.STRING_SOURCE;
                }
                case CONSTANT -> {
                    forms[i] = OperandForm.IMMEDIATE;
                    immediate = spec.fixed();
                }
            }
        }
        if (incomplete) {
            return null;
        }
        stackSegment &= !destinationOnly; // that is in ES, whatever the prefixes
        if (row.usesVectorIndex() && (registers[0] == registers[1] || registers[0] == registers[2]
                || registers[1] == registers[2])) {
            return null;
        }
        int length = position - start;
        if (ripRelative) {
            displacement += pageOffset + length;
        }
        if (row.semantic().addressAfterRsp() && base == 4) {
            displacement += operandBits / 8;
        }
        for (int i = 0; i < count; i++) {
            if (forms[i] == OperandForm.GENERAL && addressBits == 64 && index == DecodedInstruction.ZERO
                    && segment == DecodedInstruction.FLAT && (int) displacement == displacement) {
                forms[i] = OperandForm.BASE;
            }
        }
        if (lockPrefix && !(row.lockable() && forms[0].isMemory())) {
            return null;
        }
        int repeat = repeatPrefix == 0 || row.repeat() == OpcodeRow.Repeat.NONE
                ? DecodedInstruction.REPEAT_NONE
                : repeatPrefix == 0xf2 && row.repeat() == OpcodeRow.Repeat.WHILE_EQUAL
                        ? DecodedInstruction.REPEAT_NOT_EQUAL
                        : DecodedInstruction.REPEAT;
        return new DecodedInstruction(row, operandBits, addressBits, length, lockPrefix, repeat, segment, stackSegment,
                base, index,
                scale,
                displacement, immediate, forms, registers);
    }

    private int register(int number, int bits) {
        return bits == 8 && !rexPresent && !vex && number >= 4 ? number - 4 + DecodedInstruction.HIGH_BYTE : number;
    }

    /** The segment of a memory operand whose default segment is {@code byDefault}. */
    private int segment(int byDefault) {
        if (codeBits == 64) {
            stackSegment = segmentPrefix < 4 && byDefault == 2;
            return segmentPrefix >= 4 ? segmentPrefix : DecodedInstruction.FLAT;
        }
        int number = segmentPrefix >= 0 ? segmentPrefix : byDefault;
        stackSegment = number == 2;
        boolean flat = (mode & Mode.FLAT) != 0 && number < 4 && number != 1;
        return flat ? DecodedInstruction.FLAT : number;
    }

    private OperandForm memoryForm() {
        return codeBits == 64 || segment == DecodedInstruction.FLAT ? OperandForm.GENERAL : OperandForm.SEGMENTED;
    }

    /** SDM 2A 2.1.5: tables 2-1 to 2-3. */
    private void memory(int addressBits) {
        int mod = modRm >> 6;
        int rm = modRm & 7;
        if (addressBits == 16) {
            memory16(mod, rm);
            return;
        }
        if (rm == 4) {
            int sib = next();
            scale = sib >> 6;
            index = sib >> 3 & 7 | (rex & 2) << 2;
            if (index == 4) {
                index = DecodedInstruction.ZERO;
            }
            base = sib & 7 | (rex & 1) << 3;
            if ((sib & 7) == 5 && mod == 0) {
                base = DecodedInstruction.ZERO;
                displacement = signed(4);
            }
        } else if (rm == 5 && mod == 0) {
            displacement = signed(4);
            if (codeBits == 64) {
                base = DecodedInstruction.PAGE;
                ripRelative = true;
            }
        } else {
            base = rm | (rex & 1) << 3;
        }
        if (mod == 1) {
            displacement = signed(1);
        } else if (mod == 2) {
            displacement = signed(4);
        }
        if (base == 4 || base == 5) {
            segment = segment(2);
        }
    }

    private void memory16(int mod, int rm) {
        int[] bases = {3, 3, 5, 5, 6, 7, 5, 3};
        base = bases[rm];
        index = rm < 4 ? 6 + (rm & 1) : DecodedInstruction.ZERO;
        if (mod == 0 && rm == 6) {
            base = DecodedInstruction.ZERO;
            displacement = signed(2) & 0xffff;
        } else if (mod == 1) {
            displacement = signed(1);
        } else if (mod == 2) {
            displacement = signed(2);
        }
        if (base == 5) {
            segment = segment(2);
        }
    }

    @Override
    public String toString() {
        return "Decoder of " + Arrays.stream(candidates).mapToInt(rows -> rows.length).sum() + " forms";
    }
}
