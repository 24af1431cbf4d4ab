package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.processor.Processor;

/**
 * Several instructions in a row as one: a call for each is what interpreting costs most, and the host predicts it badly. Subclasses
 * are generated for the sequences that guests execute most often, see {@link dev.xenolith.cpu.emit.FrequentSequences}; each has
 * the code and the operands of all its operations.
 *
 * <p>Before a part that may fault {@link Processor#fusedPart} says which it is. After a part that writes memory comes a look at
 * {@link #stale}: it may have changed the instructions after it.
 */
public abstract class Fused extends Executable {
    private final byte instructions;
    /** The block has become stale: leave it before the next part. */
    public boolean stale;

    protected Fused(int instructions) {
        this.instructions = (byte) instructions;
    }

    @Override
    final int instructions() {
        return instructions;
    }
}
