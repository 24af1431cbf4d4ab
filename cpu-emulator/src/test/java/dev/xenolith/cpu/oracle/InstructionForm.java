package dev.xenolith.cpu.oracle;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A row of the opcode table as a generator of encodings sees it. Read from the table's text by itself and not through the
 * decoder's loader, so that a row which the loader misunderstands is found.
 */
final class InstructionForm {
    private static final String TABLE = "/dev/xenolith/cpu/decode/opcodes.txt";
    private static final String FLAGS_IN_ORDER = "CPAZSO";
    private static final long[] FLAG_BITS = {1, 1 << 2, 1 << 4, 1 << 6, 1 << 7, 1 << 11};

    static final long STATUS = 0x8d5;

    /** With exceptions of their own, or that wait for those of the x87. */
    private static final Set<String> FAULTING_ATTRIBUTES = Set.of("fp", "x87", "wait", "mmx");
    /** Statements of a program that reach memory, or an address out of code, or raise an exception outright. */
    private static final List<String> FAULTING_STATEMENTS = List.of("push ", "= pop", "load ", "check ", "raise ",
            "branch ", "rip = ");
    /** Registers that a program reads by name; one before an equals sign is written. */
    private static final Pattern NAMED_REGISTER = Pattern.compile(
            "\\b(R[A-D]X|R[SD]I|RBP|rAX|rDX|AX|AL|AH)\\b(?! *= )");
    /** What works on the whole processor and cannot fail. */
    private static final List<String> FAULTLESS_CALLS = List.of("StringInstructions.setDirection",
            "SystemInstructions.pause", "SystemInstructions.readBase", "SystemCalls.syscall(", "VectorState.clear");

    /** Row as written, for reports. */
    final String encoding;
    final String assembly;
    final String mnemonic;
    final String semantic;
    final String size;
    final String modes;
    final String feature;
    final boolean lockable;
    final boolean repeatable;
    /** Status flags it reads or keeps, and those it writes, undefined ones included; in RFLAGS positions. */
    final long readFlags;
    final long writtenFlags;
    final long undefinedFlags;
    /** Attributes and program of the semantic, as written. */
    final List<String> attributes;
    final String program;
    /** Registers that the program reads by name. */
    final List<String> namedRegisters;
    /** Transfers control or works on more than registers, flags and its operands. */
    final boolean endsBlock;

    /** 0 none, 0x66, 0xf2, 0xf3. */
    int mandatoryPrefix;
    /** NP: neither F2 nor F3 nor 66 may stand before it. */
    boolean noPrefix;
    boolean vex;
    int vexPrefix;
    int vexMap;
    /** 0 128, 1 256, 2 both with different meanings, 3 both. */
    int vexLength;
    /** 0, 1, 2 ignored, 3 chooses the operand size. */
    int vexW;
    byte[] opcode = {};
    boolean registerInOpcode;
    boolean conditionInOpcode;
    boolean modrm;
    /** Fixed reg field of ModRM, or -1. */
    int digit = -1;
    /** Whole ModRM byte where it is fixed, or -1. */
    int modrmByte = -1;
    boolean modIgnored;
    boolean withoutRexB;
    final List<String> operands;
    private final String modrmOperand;
    private final boolean faulting;

    private InstructionForm(String[] columns, Map<String, String[]> semantics) {
        encoding = columns[0];
        assembly = columns[1];
        int space = assembly.indexOf(' ');
        mnemonic = space < 0 ? assembly : assembly.substring(0, space);
        operands = space < 0 ? List.of() : List.of(assembly.substring(space + 1).strip().split(", *"));
        size = columns[2];
        modes = columns[3];
        lockable = columns[4].equals("lock");
        repeatable = columns[4].startsWith("rep");
        feature = columns[5];
        semantic = columns[8];
        String[] meaning = semantics.get(semantic);
        if (meaning == null) {
            throw new IllegalStateException("row " + encoding + " names the unknown semantic " + semantic);
        }
        readFlags = flags(meaning[1]);
        writtenFlags = flags(meaning[2]) | flags(meaning[3]);
        undefinedFlags = flags(meaning[3]);
        attributes = List.of(meaning[4].split(" +"));
        program = meaning[5];
        namedRegisters = NAMED_REGISTER.matcher(program).results().map(MatchResult::group).toList();
        endsBlock = attributes.contains("end");
        modrmOperand = findModrmOperand(operands);
        parseEncoding();
        faulting = findFaulting();
    }

    private void parseEncoding() {
        String[] tokens = encoding.split(" +");
        List<Integer> bytes = new ArrayList<>();
        for (int i = 0; i < tokens.length; i++) {
            String token = tokens[i];
            if (token.equals("NP")) {
                noPrefix = true;
            } else if (i == 0 && tokens.length > 1 && token.matches("66|F2|F3")) {
                mandatoryPrefix = Integer.parseInt(token, 16);
            } else if (token.startsWith("VEX.")) {
                parseVex(token);
            } else if (token.equals("/r")) {
                modrm = true;
            } else if (token.startsWith("/=")) {
                modrm = true;
                modrmByte = Integer.parseInt(token.substring(2), 16);
            } else if (token.startsWith("/")) {
                modrm = true;
                digit = Integer.parseInt(token.substring(1));
            } else if (token.equals("mod*")) {
                modIgnored = true;
            } else if (token.equals("!B")) {
                withoutRexB = true;
            } else if (token.matches("[0-9A-F]{2}(\\+r|\\+cc)?")) {
                bytes.add(Integer.parseInt(token.substring(0, 2), 16));
                registerInOpcode |= token.endsWith("+r");
                conditionInOpcode |= token.endsWith("+cc");
            } else {
                throw new IllegalStateException("row " + encoding + ": what is " + token + "?");
            }
        }
        opcode = new byte[bytes.size()];
        for (int i = 0; i < opcode.length; i++) {
            opcode[i] = (byte) (int) bytes.get(i);
        }
    }

    /** VEX.128.pp.map.W */
    private void parseVex(String token) {
        String[] parts = token.split("\\.");
        vex = true;
        vexPrefix = List.of("NP", "66", "F3", "F2").indexOf(parts[2]);
        vexMap = List.of("", "0F", "0F38", "0F3A").indexOf(parts[3]);
        vexLength = List.of("128", "256", "L", "LIG").indexOf(parts[1]);
        vexW = List.of("W0", "W1", "WIG", "W").indexOf(parts[4]);
        if (vexLength < 0 || vexPrefix < 0 || vexMap < 1 || vexW < 0) {
            throw new IllegalStateException("no encodings are generated for " + token);
        }
    }

    /** Whether the row exists in 64-bit mode, or else in compatibility mode. */
    boolean existsIn(int codeBits) {
        boolean elsewhere = codeBits == 64 ? modes.equals("!64") || modes.equals("prot") : modes.equals("64");
        return !elsewhere && operandBits(codeBits).length > 0;
    }

    /** Operand sizes in bits that exist in code of {@code codeBits}, 32 or 64; 0 alone for a row without one. */
    int[] operandBits(int codeBits) {
        boolean wide = codeBits == 64;
        if (mnemonic.equals("MOVSXD") || hasFarPointer()) {
            // Where the vendors differ in the memory that is read: MOVSXD behind 66, far pointers behind REX.W.
            return mnemonic.equals("MOVSXD") ? new int[]{32, 64} : new int[]{16, 32};
        }
        return switch (size) {
            case "x" -> !vex || vexLength == 0 ? new int[]{128} : vexLength == 1 ? new int[]{256} : new int[]{128, 256};
            case "b" -> new int[]{8};
            case "w", "v=w" -> new int[]{16};
            case "d", "v=d", "y=d" -> new int[]{32};
            case "q", "v=q", "y=q" -> wide ? new int[]{64} : new int[0];
            case "n" -> new int[]{codeBits};
            case "f64" -> wide ? new int[]{64} : new int[]{16, 32};
            case "v" -> wide ? new int[]{16, 32, 64} : new int[]{16, 32};
            case "z" -> new int[]{16, 32};
            case "y" -> wide ? new int[]{32, 64} : new int[]{32};
            case "d64" -> new int[]{16, codeBits};
            case "-" -> new int[]{0};
            default -> throw new IllegalStateException("row " + encoding + ": what is size " + size + "?");
        };
    }

    /** Whether REX.W makes the operand 64 bits wide, which otherwise it is not. */
    boolean wideByRex() {
        return size.startsWith("v") || size.startsWith("y");
    }

    /** The operand in the r/m field, or an empty string. */
    String modrmOperand() {
        return modrmOperand;
    }

    private static String findModrmOperand(List<String> operands) {
        for (String operand : operands) {
            if ("EMRWUQNF".indexOf(operand.charAt(0)) >= 0 && !Character.isUpperCase(operand.charAt(1))
                    || operand.startsWith("vm")) {
                return operand;
            }
        }
        return "";
    }

    boolean mayBeMemory() {
        String operand = modrmOperand();
        return modrm && modrmByte < 0 && !modIgnored && "EMWQv".indexOf(operand.charAt(0)) >= 0;
    }

    boolean mayBeRegister() {
        return modrm && modrmByte < 0 && !modrmOperand().startsWith("M") && !hasVectorIndex();
    }

    /** Whether the index of its memory operand is a vector register. */
    boolean hasVectorIndex() {
        return modrmOperand().startsWith("vm");
    }

    private boolean hasFarPointer() {
        return operands.contains("Mp");
    }

    /** Whether operand {@code number}, from 0, is read: not where it is only written, or is an address alone. */
    boolean reads(int number) {
        return !attributes.contains("w" + (number + 1)) && !operands.get(number).endsWith("-")
                && !program.contains((number + 1) + "o") && !writesByAddress(number);
    }

    /** mw8 and the like: the bytes at the address of the one operand in memory are written. */
    private boolean writesByAddress(int number) {
        return "MvE".indexOf(operands.get(number).charAt(0)) >= 0
                && attributes.stream().anyMatch(attribute -> attribute.startsWith("mw"))
                && !attributes.contains("rw1");
    }

    /**
     * Whether the operation itself, of {@code operandBits}, can raise an exception at user level. What cannot works on registers and flags alone, and is
     * stopped only in the fetch or by a prefix that it must not have.
     */
    boolean canFault(int operandBits) {
        boolean canonical = operandBits == 32 && program.contains("writeBase"); // all of 32 bits are
        return faulting && !canonical;
    }

    private boolean findFaulting() {
        if (attributes.stream().anyMatch(FAULTING_ATTRIBUTES::contains)
                || operands.stream().anyMatch(operand -> "PQN".indexOf(operand.charAt(0)) >= 0)) {
            return true; // its own floating-point exceptions, or one that is pending
        }
        boolean address = operands.stream().anyMatch(operand -> operand.endsWith("-")) || program.contains("2o");
        if ((mayBeMemory() && !address || hasOperand('O')) && !program.equals("-")) {
            return true;
        }
        boolean calls = program.contains("(p") && FAULTLESS_CALLS.stream().noneMatch(program::contains)
                && !attributes.contains("x87n");
        return calls || FAULTING_STATEMENTS.stream().anyMatch(program::contains);
    }

    boolean hasOperand(char kind) {
        return operands.stream().anyMatch(operand -> operand.charAt(0) == kind && operand.length() == 2
                && Character.isLowerCase(operand.charAt(1)) || operand.equals(kind + "-"));
    }

    /** Whether it has vector or MMX operands, or is an x87 instruction. */
    boolean isFloating() {
        return feature.equals("fpu") || operands.stream().anyMatch(operand -> "VWUPQN".indexOf(operand.charAt(0)) >= 0);
    }

    boolean hasVexOperand() {
        return operands.stream().anyMatch(operand -> operand.charAt(0) == 'H' || operand.charAt(0) == 'B');
    }

    /** All rows of the table, in its order. */
    static List<InstructionForm> table() {
        Map<String, String[]> semantics = new HashMap<>();
        List<String[]> rows = new ArrayList<>();
        try (InputStream stream = InstructionForm.class.getResourceAsStream(TABLE)) {
            if (stream == null) {
                throw new IllegalStateException("there is no " + TABLE);
            }
            new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8)).lines().map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith("#")).forEach(line -> {
                        String[] columns = line.split("\\|", -1);
                        for (int i = 0; i < columns.length; i++) {
                            columns[i] = columns[i].strip();
                        }
                        if (columns[0].startsWith("semantic ")) {
                            semantics.put(columns[0].substring(9).strip(), columns);
                        } else {
                            rows.add(columns);
                        }
                    });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return rows.stream().map(columns -> new InstructionForm(columns, semantics)).toList();
    }

    private static long flags(String letters) {
        if (letters.equals("cc")) {
            return STATUS;
        }
        long flags = 0;
        for (int i = 0; i < FLAG_BITS.length; i++) {
            if (letters.indexOf(FLAGS_IN_ORDER.charAt(i)) >= 0) {
                flags |= FLAG_BITS[i];
            }
        }
        return flags;
    }

    @Override
    public String toString() {
        return encoding + " " + assembly;
    }

    /** Rows are the same if they are written the same. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof InstructionForm form && encoding.equals(form.encoding) && assembly.equals(form.assembly)
                && size.equals(form.size) && modes.equals(form.modes);
    }

    @Override
    public int hashCode() {
        return encoding.hashCode() * 31 + assembly.hashCode();
    }
}
