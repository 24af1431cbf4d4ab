package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.processor.Processor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A straight run of instructions in one page, found by physical address and mode, and shared by all processors and addresses at
 * which the page is mapped. Ends at a branch, at an instruction that must be last, at {@link #MAX_OPS}, or before an instruction
 * that crosses the end of the page; one that does is a block of its own, bound to both frames.
 */
final class Block {
    static final int MAX_OPS = 32;
    /** {@link #secondFrame} of a block within one frame. */
    static final long NO_FRAME = -1;

    /** What stands in place of every operation of a block whose bytes have changed: sends the processor to look again. */
    private static final class Stale extends Op {
        Stale() {
            super();
        }

        @Override
        public void exec(Processor p) {
            throw p.restartPrecisely();
        }
    }

    private static final Op STALE = new Stale();

    /** The operations in order; replaced one by one when the block becomes stale, also while it executes. */
    final Op[] ops;
    /** Offset in its page of each instruction, then that of the one after the last. */
    final short[] offsets;
    /** Offset and decode mode: see {@link FrameCode}. */
    final int key;
    /** Frame of the first byte. */
    final long frame;
    /** Frame of the last byte if it is another, else {@link #NO_FRAME}. */
    final long secondFrame;
    /** Next in its chain of {@link FrameCode}. */
    @Nullable
    Block next;
    private boolean stale;

    Block(Op[] ops, short[] offsets, int key, long frame, long secondFrame) {
        this.ops = ops;
        this.offsets = offsets;
        this.key = key;
        this.frame = frame;
        this.secondFrame = secondFrame;
    }

    /** Offset of the instruction after the last one. */
    int end() {
        return offsets[ops.length];
    }

    /** Bytes of all its instructions. */
    int bytes() {
        return offsets[ops.length] - offsets[0];
    }

    int length(int i) {
        return offsets[i + 1] - offsets[i];
    }

    boolean isStale() { return stale; }

    /** Whether {@code op} stands for an instruction that is no longer there. */
    static boolean isStale(Op op) {
        return op == STALE;
    }

    /** Makes whoever executes the block, now or later, leave it before the next instruction. */
    void invalidate() {
        stale = true;
        Arrays.fill(ops, STALE);
    }
}
