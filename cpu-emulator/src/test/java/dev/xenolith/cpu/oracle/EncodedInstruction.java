package dev.xenolith.cpu.oracle;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * A random legal encoding of an {@link InstructionForm} in 64-bit or in 32-bit code, and where its operands are. Reused from
 * instance to instance.
 */
final class EncodedInstruction {
    static final int NONE = -1;
    private static final int[] SEGMENT_PREFIXES = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};

    private final int codeBits;
    private final byte[] bytes = new byte[32];
    private int length;
    private boolean rexW;
    private int rexBits;
    /** Has a REX prefix: byte registers 4 to 7 are SPL to DIL, without it AH to BH. */
    boolean rexPrefix;

    /** In bits; 0 if the form has none. */
    int operandBits;
    /** 16, 32 or 64. */
    int addressBits;
    /** Whether the r/m operand, or an offset, is in memory. */
    boolean memory;
    /** Registers of the r/m operand's address, or NONE. */
    int base;
    int index;
    int scale;
    boolean ripRelative;
    /** Size in bytes of the displacement and where it is; 0 if there is none. */
    int displacementBytes;
    int displacementAt;
    /** FS, GS or NONE. */
    int segment;
    /** Register operands, or NONE. */
    int rmRegister;
    int regRegister;
    int vvvvRegister;
    /** Vector register of indices, or NONE. */
    int vectorIndex;
    boolean lock;
    /** Has a prefix that it must not have: raises #UD. */
    boolean invalid;
    /** 0, 1 (F3) or 2 (F2). */
    int repeat;
    /** Value of the last immediate, sign-extended. */
    long immediate;

    /** @param codeBits 32 or 64 */
    EncodedInstruction(int codeBits) {
        this.codeBits = codeBits;
    }

    byte[] code() {
        return Arrays.copyOf(bytes, length);
    }

    int length() {
        return length;
    }

    /** @param memoryAllowed whether an operand may be in memory where it may also be a register */
    void random(Variant variant, boolean memoryAllowed, SplittableRandom random) {
        InstructionForm form = variant.form();
        do {
            length = 0;
            operandBits = variant.operandBits();
            rexPrefix = false;
            memory = false;
            base = index = segment = rmRegister = regRegister = vvvvRegister = vectorIndex = NONE;
            ripRelative = false;
            displacementBytes = 0;
            immediate = 0;
            boolean modrm = form.modrm;
            boolean memoryForm = modrm && form.mayBeMemory()
                    && (!form.mayBeRegister() || memoryAllowed && random.nextInt(8) < 5);
            boolean offset = form.hasOperand('O');
            memory = memoryForm || offset;
            prefixes(form, random);
            boolean rex = codeBits == 64;
            rexBits = rex && random.nextInt(3) == 0 ? random.nextInt(8) : 0;
            if (form.withoutRexB) {
                rexBits &= ~1;
            }
            rexW = operandBits == 64 && form.wideByRex()
                    || rex && !form.wideByRex() && operandBits != 16 && random.nextInt(8) == 0;
            if (form.vex) {
                vexPrefix(form, random);
            } else {
                opcode(form, random);
            }
            if (form.registerInOpcode) {
                int low = random.nextInt(8);
                bytes[length - 1] |= (byte) low;
                rmRegister = low | (rexBits & 1) << 3;
            }
            if (form.conditionInOpcode) {
                bytes[length - 1] |= (byte) random.nextInt(16);
            }
            if (modrm) {
                modrm(form, memoryForm, random);
            }
            if (offset) {
                displacementBytes = addressBits / 8;
                displacementAt = length;
                length += displacementBytes;
            }
            for (String operand : form.operands) {
                immediate(operand, random);
            }
            // The three registers of a gather must be different, and a 16-bit address has no index.
            invalid |= form.hasVectorIndex() && (addressBits == 16 || vectorIndex == regRegister
                    || vectorIndex == vvvvRegister || regRegister == vvvvRegister);
        } while (length > 15);
    }

    // ---- prefixes ----------------------------------------------------------------------------------------------------

    private void prefixes(InstructionForm form, SplittableRandom random) {
        int[] prefixes = new int[9];
        int count = 0;
        boolean wide = operandBits == 64 && form.wideByRex();
        boolean operandSize = operandBits == 16 && !form.size.equals("w")
                || wide && !form.noPrefix && random.nextInt(16) == 0;
        if (form.mandatoryPrefix != 0) {
            prefixes[count++] = form.mandatoryPrefix;
        }
        if (operandSize && form.mandatoryPrefix != 0x66 && !form.vex) {
            prefixes[count++] = 0x66;
        }
        addressBits = random.nextInt(8) == 0 ? codeBits / 2 : codeBits;
        if (addressBits != codeBits) {
            prefixes[count++] = 0x67;
        }
        if (random.nextInt(6) == 0) {
            int chosen = random.nextInt(SEGMENT_PREFIXES.length);
            prefixes[count++] = SEGMENT_PREFIXES[chosen];
            segment = chosen >= Registers.FS ? chosen : NONE;
        }
        lock = form.lockable && memory && random.nextInt(8) == 0;
        if (lock) {
            prefixes[count++] = 0xf0;
        }
        repeat = form.repeatable && random.nextBoolean() ? random.nextInt(1, 3) : 0;
        if (repeat != 0) {
            prefixes[count++] = repeat == 1 ? 0xf3 : 0xf2;
        }
        count = oddities(form, prefixes, count, random);
        for (; count > 0; count--) {
            int chosen = random.nextInt(count);
            bytes[length++] = (byte) prefixes[chosen];
            prefixes[chosen] = prefixes[count - 1];
        }
    }

    /** Prefixes that say nothing new, have no meaning here, or make the instruction an invalid one. */
    private int oddities(InstructionForm form, int[] prefixes, int count, SplittableRandom random) {
        int added = count;
        invalid = false;
        if (!lock && random.nextInt(form.canFault(operandBits) ? 128 : 12) == 0 && !form.semantic.endsWith("cr")
                && !form.semantic.equals("verw")) {
            // Not for moves to and from control registers, where LOCK means CR8 on some of AMD's processors; nor for VERW, which
            // Zen 3 executes behind LOCK.
            prefixes[added++] = 0xf0;
            lock = form.lockable && memory;
            invalid = !lock;
        }
        if (count > 0 && random.nextInt(32) == 0) {
            prefixes[added++] = prefixes[random.nextInt(count)];
        }
        if (random.nextInt(32) == 0) {
            prefixes[added++] = SEGMENT_PREFIXES[random.nextInt(Registers.FS)];
        }
        if (form.isFloating() && !form.vex || random.nextInt(64) != 0) {
            return added;
        }
        if (form.vex) {
            prefixes[added++] = random.nextBoolean() ? 0x66 : 0xf2 + random.nextInt(2);
            invalid = true;
        } else if (form.noPrefix && !form.size.equals("v")) {
            prefixes[added++] = 0x66;
            invalid = true;
        } else
            if (form.opcode.length == 1 && form.opcode[0] != (byte) 0x90 && !form.repeatable
                    && !form.semantic.startsWith("loop")) {
                        // Not for LOOPE and LOOPNE: Zen 3 takes F2 and F3 for their condition.
                        prefixes[added++] = 0xf2 + random.nextInt(2);
                    }
        return added;
    }

    private void opcode(InstructionForm form, SplittableRandom random) {
        if (rexW || rexBits != 0 || codeBits == 64 && random.nextInt(4) == 0) {
            bytes[length++] = (byte) (0x40 | (rexW ? 8 : 0) | rexBits);
            rexPrefix = true;
        }
        System.arraycopy(form.opcode, 0, bytes, length, form.opcode.length);
        length += form.opcode.length;
    }

    private void vexPrefix(InstructionForm form, SplittableRandom random) {
        boolean second = form.hasVexOperand();
        vvvvRegister = second ? random.nextInt(codeBits / 4) : NONE;
        if (codeBits == 64 && random.nextInt(128) == 0) {
            bytes[length++] = (byte) (0x40 | random.nextInt(16));
            invalid = true;
        }
        boolean wide = switch (form.vexW) {
            case 0 -> false;
            case 1 -> true;
            case 2 -> random.nextBoolean();
            default -> operandBits == 64;
        };
        boolean longVector = form.vexLength == 1 || operandBits == 256 || form.vexLength == 3 && random.nextBoolean();
        int rest = (longVector ? 4 : 0) | (~(second ? vvvvRegister : 0) & 15) << 3 | form.vexPrefix;
        if (form.vexMap == 1 && !wide && (rexBits & 3) == 0 && random.nextBoolean()) {
            bytes[length++] = (byte) 0xc5;
            bytes[length++] = (byte) (~rexBits << 5 & 0x80 | rest);
        } else {
            bytes[length++] = (byte) 0xc4;
            bytes[length++] = (byte) ((~rexBits & 7) << 5 | form.vexMap);
            bytes[length++] = (byte) ((wide ? 0x80 : 0) | rest);
        }
        System.arraycopy(form.opcode, 0, bytes, length, form.opcode.length);
        length += form.opcode.length;
    }

    // ---- ModRM -------------------------------------------------------------------------------------------------------

    private void modrm(InstructionForm form, boolean memoryForm, SplittableRandom random) {
        if (form.modrmByte >= 0) {
            bytes[length++] = (byte) form.modrmByte;
            return;
        }
        int reg = form.digit;
        if (reg < 0) {
            reg = form.hasOperand('S') ? random.nextInt(6) : random.nextInt(8);
            regRegister = form.hasOperand('S') ? NONE : reg | (rexBits & 4) << 1;
        }
        if (!memoryForm) {
            int rm = random.nextInt(8);
            rmRegister = rm | (rexBits & 1) << 3;
            int mod = form.modIgnored ? random.nextInt(4) : 3;
            bytes[length++] = (byte) (mod << 6 | reg << 3 | rm);
            return;
        }
        int mod = random.nextInt(3);
        int rm = form.hasVectorIndex() ? 4 : random.nextInt(8);
        if (addressBits == 16) {
            bytes[length++] = (byte) (mod << 6 | reg << 3 | rm);
            displacementBytes = mod == 0 ? rm == 6 ? 2 : 0 : mod;
            random16(random);
            return;
        }
        bytes[length++] = (byte) (mod << 6 | reg << 3 | rm);
        displacementBytes = mod == 0 ? 0 : mod == 1 ? 1 : 4;
        if (rm == 4) {
            sib(mod, random);
            if (form.hasVectorIndex()) {
                vectorIndex = index == NONE ? 4 : index;
                index = NONE;
            }
        } else if (rm == 5 && mod == 0) {
            ripRelative = codeBits == 64;
            displacementBytes = 4;
        } else {
            base = rm | (rexBits & 1) << 3;
        }
        displacementAt = length;
        length += displacementBytes;
    }

    /** 16-bit addresses reach nothing that is mapped, so what they say does not matter other than for CR2. */
    private void random16(SplittableRandom random) {
        displacementAt = length;
        length += displacementBytes;
        putDisplacement(random.nextInt());
    }

    private void sib(int mod, SplittableRandom random) {
        int low = random.nextInt(8);
        int indexLow = random.nextInt(8);
        scale = random.nextInt(4);
        bytes[length++] = (byte) (scale << 6 | indexLow << 3 | low);
        index = indexLow | (rexBits & 2) << 2;
        if (index == 4) {
            index = NONE;
        }
        if (low == 5 && mod == 0) {
            displacementBytes = 4;
        } else {
            base = low | (rexBits & 1) << 3;
        }
    }

    // ---- immediates --------------------------------------------------------------------------------------------------

    private void immediate(String operand, SplittableRandom random) {
        int size = switch (operand) {
            case "Ib", "Jb", "Lx", "Ldq", "Lqq" -> 1;
            case "Iw" -> 2;
            case "Iz" -> operandBits == 16 ? 2 : 4;
            case "Iv" -> operandBits / 8;
            case "Jz" -> operandBits == 16 ? 2 : 4;
            default -> 0;
        };
        if (size == 0) {
            return;
        }
        long value = Values.any(random);
        if (operand.equals("Jz") && random.nextInt(4) != 0) {
            value = random.nextInt(-AddressMap.PAGE / 2, AddressMap.PAGE / 2);
        } else if (operand.equals("Jb") && random.nextBoolean()) {
            value = random.nextInt();
        }
        put(length, size, value);
        length += size;
        immediate = value << 64 - size * 8 >> 64 - size * 8;
    }

    void putDisplacement(long value) {
        put(displacementAt, displacementBytes, value);
    }

    /** Replaces the immediate byte that the instruction ends in. */
    void putImmediate(int value) {
        bytes[length - 1] = (byte) value;
        immediate = (byte) value;
    }

    /** Replaces the far pointer that the instruction ends in: an offset of operand size, then a selector. */
    void putFarPointer(long offset, int selector) {
        put(length - 2 - operandBits / 8, operandBits / 8, offset);
        put(length - 2, 2, selector);
    }

    private void put(int at, int size, long value) {
        for (int i = 0; i < size; i++) {
            bytes[at + i] = (byte) (value >>> 8 * i);
        }
    }
}
