package dev.xenolith.cpu.decode;

/** What an operand of a decoded instruction turned out to be. Operations of the interpreter are specialised by it. */
public enum OperandForm {
    /** General register {@link DecodedInstruction#register}. */
    REGISTER('R'),
    /** Memory at base register plus a displacement of 32 bits in a flat segment, 64-bit address: the most frequent form. */
    BASE('M'),
    /** Memory at any address the architecture has, in a segment that needs no checks. */
    GENERAL('X'),
    /** Outside 64-bit mode: memory in a segment whose base counts and whose limit and rights are checked. */
    SEGMENTED('Z'),
    /** {@link DecodedInstruction#immediate}. */
    IMMEDIATE('I'),
    /** A second immediate, in {@link DecodedInstruction#displacement}. */
    SECOND_IMMEDIATE('K'),
    /** Branch target: next instruction plus {@link DecodedInstruction#immediate}. */
    RELATIVE('J'),
    /** Segment register {@link DecodedInstruction#register}. */
    SEGMENT('S'),
    /** Control or debug register {@link DecodedInstruction#register}. */
    SPECIAL('C'),
    /** Implied memory of a string instruction. */
    STRING('Y');

    /** Letter in the names of generated operations. */
    public final char letter;

    OperandForm(char letter) {
        this.letter = letter;
    }

    /** Whether it is memory with an address in the instruction. */
    public boolean isMemory() {
        return this == BASE || this == GENERAL || this == SEGMENTED;
    }
}
