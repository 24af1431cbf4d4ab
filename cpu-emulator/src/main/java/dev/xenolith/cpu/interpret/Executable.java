package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.processor.Processor;
import org.jspecify.annotations.Nullable;

/** What a block executes by one call: an instruction, or several in a row. */
public abstract class Executable {
    /** What the block executes after it; null if it is the last. */
    @Nullable
    Executable next;

    Executable() {}

    /**
     * Executes it, other than moving RIP to the next instruction, which the block loop has done if this is the last of its block.
     *
     * @throws dev.xenolith.cpu.processor.GuestFault before the instruction that faults has changed anything
     */
    public abstract void exec(Processor p);

    /** How many instructions it is. */
    abstract int instructions();
}
