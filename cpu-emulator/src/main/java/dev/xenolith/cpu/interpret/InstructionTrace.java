package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.processor.Processor;

/** Told about each instruction by the stepping loop. */
public interface InstructionTrace {
    /** Whether the instruction at linear address {@code rip} is to be reported; if not, it need not be disassembled. */
    default boolean wants(Processor processor, long rip) {
        return true;
    }

    /**
     * An instruction has been retired, or an iteration of a repeated one.
     *
     * @param processor with the registers after it
     * @param rip its linear address
     * @param bytes its bytes
     * @param disassembly in Intel syntax
     * @param before general registers RAX to R15 before it, reused for the next call
     */
    void retired(Processor processor, long rip, byte[] bytes, String disassembly, long[] before);
}
