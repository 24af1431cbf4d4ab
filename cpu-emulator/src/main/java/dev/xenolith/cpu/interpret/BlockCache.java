package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.memory.PhysicalMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** All blocks of a machine by physical address and mode. */
final class BlockCache {
    private static final int CHUNK_SHIFT = 10;
    /**
     * Operations to keep: three times what a Linux boot has. A guest can make a block at every byte it owns; beyond this many all
     * are dropped, so that no guest takes the host's heap.
     */
    static final int MAX_OPS = 3 << 19;

    /** Code of each frame, by frame number in chunks. */
    private final @Nullable FrameCode[] @Nullable [] chunks;
    /** Blocks that begin in another frame and end in this one; few. */
    private final Map<Long, List<Block>> crossing = new HashMap<>();

    /** Blocks found here when a processor's own lookup had none. */
    long hits;
    /** Blocks decoded. */
    long built;
    /** Blocks made stale. */
    long invalidated;

    /** Operations in blocks that are not stale. */
    private int ops;

    BlockCache(PhysicalMemory memory) {
        chunks = new FrameCode[(memory.frames() >> CHUNK_SHIFT) + 1][];
    }

    /** The block at physical address {@code address}, or null. */
    @Nullable
    Block find(long address, int mode) {
        FrameCode code = code(address >>> PhysicalMemory.FRAME_SHIFT);
        return code == null ? null : code.find(FrameCode.key((int) address & 0xfff, mode));
    }

    /** Offsets in {@code frame} of the blocks decoded under {@code mode} in which at least {@code heat} instructions were executed. */
    BitSet executed(int frame, int mode, int heat) {
        FrameCode code = code(frame);
        BitSet offsets = new BitSet();
        if (code != null) {
            code.visit(block -> {
                if (block.mode() == mode && (block.heat >= heat || block.heat < 0 || block.unit != null)) {
                    offsets.set(block.start);
                }
            });
        }
        return offsets;
    }

    void add(Block block) {
        ops += block.count;
        if (ops > MAX_OPS) {
            clear();
            ops = block.count;
        }
        int chunk = block.frame >>> CHUNK_SHIFT;
        FrameCode[] frames = chunks[chunk];
        if (frames == null) {
            frames = new FrameCode[1 << CHUNK_SHIFT];
            chunks[chunk] = frames;
        }
        int slot = block.frame & (1 << CHUNK_SHIFT) - 1;
        FrameCode code = frames[slot];
        if (code == null) {
            code = new FrameCode();
            frames[slot] = code;
        }
        code.add(block);
        if (block.secondFrame != Block.NO_FRAME) {
            List<Block> list = crossing.computeIfAbsent((long) block.secondFrame, frame -> new ArrayList<>());
            list.removeIf(Block::isStale);
            list.add(block);
        }
        built++;
    }

    /** Drops one block that has turned out not to be what it was. */
    void drop(Block block) {
        ops -= block.count;
        block.invalidate();
        invalidated++;
    }

    /** Makes every block stale. */
    private void clear() {
        for (FrameCode[] frames : chunks) {
            if (frames != null) {
                for (FrameCode code : frames) {
                    if (code != null) {
                        code.drop(this);
                    }
                }
            }
        }
        Arrays.fill(chunks, null);
        crossing.clear();
    }

    /** Makes every block with a byte in {@code frame} stale. */
    void invalidateFrame(long frame) {
        FrameCode code = code(frame);
        if (code != null) {
            code.drop(this);
            FrameCode[] frames = chunks[(int) (frame >>> CHUNK_SHIFT)];
            if (frames != null) {
                frames[(int) frame & (1 << CHUNK_SHIFT) - 1] = null;
            }
        }
        List<Block> blocks = crossing.remove(frame);
        if (blocks != null) {
            for (Block block : blocks) {
                if (!block.isStale()) {
                    drop(block);
                }
            }
        }
    }

    private @Nullable FrameCode code(long frame) {
        FrameCode[] frames = chunks[(int) (frame >>> CHUNK_SHIFT)];
        return frames == null ? null : frames[(int) frame & (1 << CHUNK_SHIFT) - 1];
    }
}
