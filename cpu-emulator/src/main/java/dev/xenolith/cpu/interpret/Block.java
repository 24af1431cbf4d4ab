package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.processor.Processor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A straight run of instructions in one page, found by physical address and mode, and shared by all processors and addresses at
 * which the page is mapped. Ends at a branch, at an instruction that must be last, at {@link #MAX_OPS}, or before an instruction
 * that crosses the end of the page; one that does is a block of its own, bound to both frames.
 */
final class Block extends Code {
    static final int MAX_OPS = 64;
    /** {@link #secondFrame} of a block within one frame. */
    static final int NO_FRAME = -1;
    private static final short NOWHERE = -1;

    /** What stands in place of every operation of a block whose bytes have changed: sends the processor to look again. */
    private static final class Stale extends Op {
        Stale() {
            super();
        }

        @Override
        public void exec(Processor p) {
            p.fusedPart = 0;
            throw p.restartPrecisely();
        }
    }

    private static final Op STALE = new Stale();

    /**
     * What executes it, sequences in one: this and {@link Executable#next} on; replaced one by one when the block becomes stale, also while
     * it executes.
     */
    Executable first;
    /** Its bytes and maybe some of those after it, see {@link BlockBuilder#instruction}. */
    final byte[] code;
    /** An operation for each instruction, for the stepping loop, once it has been there; replaced like {@link #first}. */
    Op @Nullable [] ops;
    /** Offset in its page of each instruction, then that of the one after the last. */
    final short[] offsets;
    /** Number of the first instruction of each executable; null if each is one. */
    private final byte @Nullable [] starts;
    /** Number of instructions. */
    final byte count;
    /** Offset in its page of the first instruction. */
    final short start;
    /** Offset in its page of the instruction after the last one: at most a little beyond the page. */
    final short end;
    /** Offset and decode mode: see {@link FrameCode}. */
    final int key;
    /** Frame of the first byte. */
    final int frame;
    /** Frame of the last byte if it is another, else {@link #NO_FRAME}. */
    final int secondFrame;
    /** Next in its chain of {@link FrameCode}. */
    @Nullable
    Block next;
    /** Blocks of the same page and mode that were executed after this one, the latest first. */
    private @Nullable Block successor;
    private @Nullable Block otherSuccessor;
    /** Their {@link #start}, kept here so that the wrong one is not looked at. */
    private short successorStart = NOWHERE;
    private short otherStart = NOWHERE;
    /** Instructions executed in it; less than 0 while it waits for a unit, or is part of that of another block. */
    int heat;
    /** What is executed instead of it. */
    @Nullable
    Unit unit;

    /** A block that {@code first} and what is linked to it execute, which are {@code length}. */
    Block(Executable first, int length, byte[] code, short[] offsets, int key, int frame, int secondFrame) {
        this.first = first;
        this.code = code;
        count = (byte) (offsets.length - 1);
        starts = length == count ? null : starts(first, length);
        this.offsets = offsets;
        start = offsets[0];
        end = offsets[count];
        this.key = key;
        this.frame = frame;
        this.secondFrame = secondFrame;
    }

    private static byte[] starts(Executable first, int length) {
        byte[] starts = new byte[length];
        int start = 0;
        int i = 0;
        for (Executable executable = first; executable != null; executable = executable.next) {
            starts[i++] = (byte) start;
            start += executable.instructions();
        }
        return starts;
    }

    /** Bytes of all its instructions. */
    int bytes() {
        return end - start;
    }

    /** Number of the instruction that is part {@code part} of executable {@code i}, or was before the block became stale. */
    int instruction(int i, int part) {
        if (starts == null) {
            return i;
        }
        int next = i + 1 < starts.length ? starts[i + 1] : count;
        return next - starts[i] > 1 ? starts[i] + part : starts[i];
    }

    /** The decoder's bits of the mode word. */
    int mode() {
        return key >> FrameCode.MODE_SHIFT;
    }

    /** The linked block at {@code offset} in the page, or null. */
    @Nullable
    Block successor(int offset) {
        Block next = successorStart == offset ? successor : otherStart == offset ? otherSuccessor : null;
        return next != null && !next.stale ? next : null;
    }

    /**
     * Notes that {@code next} follows this block. Only for flat code, which has no limit to be checked on entry, and only a block
     * all in this frame: then where this block may execute, that one may, in whatever address space.
     */
    void link(Block next) {
        otherSuccessor = successor;
        otherStart = successorStart;
        successor = next;
        successorStart = next.start;
    }

    /** Whether {@link #link} may be told of {@code next}, found in the same page under the same context. */
    boolean mayLink(Block next) {
        return (key & Mode.FLAT << FrameCode.MODE_SHIFT) != 0 && next.secondFrame == NO_FRAME;
    }

    /** What stands in place of its operations when it is stale. */
    Op[] staleOperations() {
        Op[] all = new Op[count];
        Arrays.fill(all, STALE);
        return all;
    }

    /** Makes whoever executes the block, now or later, leave it before the next instruction. */
    void invalidate() {
        stale = true;
        if (unit != null) {
            unit.retire();
            unit = null;
        }
        successor = null;
        otherSuccessor = null;
        successorStart = NOWHERE;
        otherStart = NOWHERE;
        Executable next = first;
        first = STALE;
        while (next != null) {
            Executable executable = next;
            next = executable.next;
            if (next != null) {
                executable.next = STALE;
            }
            if (executable instanceof Fused several) {
                several.stale = true;
            }
        }
        if (ops != null) {
            Arrays.fill(ops, STALE);
        }
    }
}
