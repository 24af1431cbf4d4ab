package dev.xenolith.cpu.decode;

import java.util.List;

/**
 * The bytes of a row other than operands: the column "encoding" of {@code opcodes.txt}.
 *
 * @param map opcode map: 0 one-byte, 1 0F, 2 0F 38, 3 0F 3A
 * @param opcode opcode byte, with the low bits clear that hold a register or condition
 * @param prefix mandatory prefix
 * @param vex whether a VEX prefix is required
 * @param modRm whether a ModRM byte follows
 * @param digit required reg field of ModRM, -1 if it is an operand
 * @param exactModRm required ModRM byte, -1 if not fixed
 * @param modIgnored whether r/m is a register whatever mod says
 * @param opcodeRegister whether the low three opcode bits are a register
 * @param opcodeCondition whether the low four opcode bits are a condition
 * @param notRexB whether the row is not for REX.B
 * @param vexLength required VEX.L, or ANY
 * @param vexW required VEX.W, or ANY
 */
public record Encoding(int map, int opcode, Prefix prefix, boolean vex, boolean modRm, int digit, int exactModRm,
        boolean modIgnored,
        boolean opcodeRegister, boolean opcodeCondition, boolean notRexB, int vexLength, int vexW) {

    /** {@link #vexLength} and {@link #vexW}: either value. */
    static final int ANY = -1;

    /** Mandatory prefixes. */
    public enum Prefix {
        /** F2 and F3 are ignored or mean REP, 66 is operand size. */
        ANY,
        /** Neither F2 nor F3 (VEX: pp = 0). */
        NONE,
        /** 66. */
        OPERAND_SIZE,
        /** F3. */
        REP,
        /** F2. */
        REPNE
    }

    static Encoding parse(String text) {
        int map = 0;
        int opcode = -1;
        Prefix prefix = Prefix.ANY;
        boolean vex = false;
        boolean modRm = false;
        int digit = -1;
        int exact = -1;
        boolean modIgnored = false;
        boolean register = false;
        boolean condition = false;
        boolean notRexB = false;
        int vexLength = ANY;
        int vexW = ANY;
        List<String> tokens = List.of(text.split(" +"));
        for (int i = 0; i < tokens.size(); i++) {
            String token = tokens.get(i);
            boolean first = opcode < 0 && map == 0;
            if (token.startsWith("VEX.")) {
                String[] fields = token.split("\\.");
                vex = true;
                vexLength = switch (fields[1]) {
                    case "128" -> 0;
                    case "256" -> 1;
                    case "L", "LIG" -> ANY;
                    default -> throw new IllegalArgumentException("unknown vector length " + fields[1]);
                };
                vexW = switch (fields[4]) {
                    case "W0" -> 0;
                    case "W1" -> 1;
                    case "W", "WIG" -> ANY;
                    default -> throw new IllegalArgumentException("unknown VEX.W " + fields[4]);
                };
                prefix = prefixOf(fields[2]);
                map = List.of("0F", "0F38", "0F3A").indexOf(fields[3]) + 1;
            } else
                if (first && (token.equals("NP") || token.equals("66") || token.equals("F3") || token.equals("F2"))
                        && i + 1 < tokens.size() && !tokens.get(i + 1).startsWith("/")) {
                            prefix = prefixOf(token);
                        } else
                    if (first && token.equals("0F")) {
                        map = 1;
                    } else if (map == 1 && !vex && opcode < 0 && (token.equals("38") || token.equals("3A"))) {
                        map = token.equals("38") ? 2 : 3;
                    } else if (token.equals("/r")) {
                        modRm = true;
                    } else if (token.startsWith("/=")) {
                        modRm = true;
                        exact = Integer.parseInt(token.substring(2), 16);
                    } else if (token.startsWith("/")) {
                        modRm = true;
                        digit = Integer.parseInt(token.substring(1));
                    } else if (token.equals("mod*")) {
                        modIgnored = true;
                    } else if (token.equals("!B")) {
                        notRexB = true;
                    } else {
                        register = token.endsWith("+r");
                        condition = token.endsWith("+cc");
                        opcode = Integer.parseInt(token.substring(0, 2), 16);
                    }
        }
        if (opcode < 0) {
            throw new IllegalArgumentException("encoding without opcode: " + text);
        }
        return new Encoding(map, opcode, prefix, vex, modRm, digit, exact, modIgnored, register, condition, notRexB,
                vexLength, vexW);
    }

    /** Whether the row is for VEX.L = {@code length}; legacy rows are for 0. */
    public boolean allowsLength(int length) {
        return vex ? vexLength == ANY || vexLength == length : length == 0;
    }

    private static Prefix prefixOf(String text) {
        return switch (text) {
            case "NP" -> Prefix.NONE;
            case "66" -> Prefix.OPERAND_SIZE;
            case "F3" -> Prefix.REP;
            case "F2" -> Prefix.REPNE;
            default -> throw new IllegalArgumentException("unknown mandatory prefix " + text);
        };
    }

    Encoding withCondition(int condition) {
        return new Encoding(map, opcode + condition, prefix, vex, modRm, digit, exactModRm, modIgnored, opcodeRegister,
                false,
                notRexB, vexLength, vexW);
    }
}
