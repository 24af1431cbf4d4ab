package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.processor.Processor;

/** Stands before the first operation of a block that is counted, so that the loop over blocks need not count. */
final class CountedOp extends Op {
    private final Op first;
    private final BlockProfile.Entry entry;

    CountedOp(Op first, BlockProfile.Entry entry) {
        this.first = first;
        this.entry = entry;
    }

    /** One that faults, or is to be done again in the stepping loop, has not been executed. */
    @Override
    public void exec(Processor p) {
        first.exec(p);
        entry.executions++;
    }
}
