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
    /** A general register that the opcode implies. */
    FIXED_REGISTER,
    /** A segment register that the opcode implies. */
    FIXED_SEGMENT,
    /** A number that the opcode implies. */
    CONSTANT
}
