package dev.xenolith.cpu.decode;

/** Where an operand comes from: the capital letters of SDM volume 2, appendix A, as {@code opcodes.txt} uses them. */
public enum OperandType {
    /** E: ModRM r/m, a register or memory. */
    RM,
    /** G: ModRM reg field. */
    REG,
    /** R: ModRM r/m, which must be a register. */
    RM_REGISTER,
    /** M: ModRM r/m, which must be memory. */
    RM_MEMORY,
    /** I: immediate bytes, sign-extended. */
    IMMEDIATE,
    /** J: branch target relative to the next instruction. */
    RELATIVE,
    /** O: offset in the segment, as wide as an address, without ModRM. */
    OFFSET,
    /** S: segment register in the reg field. */
    SEGMENT,
    /** C: control register in the reg field. */
    CONTROL,
    /** D: debug register in the reg field. */
    DEBUG,
    /** Z: register in the low three bits of the opcode. */
    OPCODE_REGISTER,
    /** B: register in VEX.vvvv. */
    VEX_REGISTER,
    /** X: source of a string instruction, at DS:rSI unless overridden. */
    STRING_SOURCE,
    /** Y: destination of a string instruction, at ES:rDI. */
    STRING_DESTINATION,
    /** V: vector register in the reg field. */
    VECTOR_REG,
    /** W: ModRM r/m, a vector register or memory. */
    VECTOR_RM,
    /** U: ModRM r/m, which must be a vector register. */
    VECTOR_RM_REGISTER,
    /** H: vector register in VEX.vvvv; in legacy encodings the register of operand 1, not written in assembly. */
    VECTOR_VEX,
    /** L: vector register in the high four bits of the immediate byte. */
    VECTOR_IMMEDIATE,
    /** XMM0, which the opcode implies. */
    VECTOR_FIXED,
    /** vm32x and its like: memory at ModRM r/m with a vector register of indices, one for each element. */
    VECTOR_INDEXED,
    /** P: MMX register in the reg field. */
    MMX_REG,
    /** Q: ModRM r/m, an MMX register or memory. */
    MMX_RM,
    /** N: ModRM r/m, which must be an MMX register. */
    MMX_RM_REGISTER,
    /** F: register of the x87 stack in ModRM r/m, which must be a register. */
    STACK,
    /** A general register that the opcode implies. */
    FIXED_REGISTER,
    /** A segment register that the opcode implies. */
    FIXED_SEGMENT,
    /** A number that the opcode implies. */
    CONSTANT;

    /** Whether it is a vector register, or memory in its place. */
    public boolean isVector() {
        return switch (this) {
            case VECTOR_REG, VECTOR_RM, VECTOR_RM_REGISTER, VECTOR_VEX, VECTOR_IMMEDIATE, VECTOR_FIXED -> true;
            default -> false;
        };
    }

    /** Whether it is an MMX register, or memory in its place. */
    public boolean isMmx() {
        return this == MMX_REG || this == MMX_RM || this == MMX_RM_REGISTER;
    }

    /** Whether it is in ModRM r/m. */
    boolean isRm() {
        return switch (this) {
            case RM, RM_REGISTER, RM_MEMORY, VECTOR_RM, VECTOR_RM_REGISTER, VECTOR_INDEXED, MMX_RM, MMX_RM_REGISTER,
                    STACK ->
                true;
            default -> false;
        };
    }

    /** Whether it is in ModRM r/m and may be a register as well as memory. */
    public boolean isRegisterOrMemory() {
        return this == RM || this == VECTOR_RM || this == MMX_RM;
    }
}
