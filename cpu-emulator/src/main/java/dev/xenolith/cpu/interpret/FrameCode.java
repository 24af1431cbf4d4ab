package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.decode.Mode;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The blocks that begin in one frame, chained by the 16-byte line that they begin in. */
final class FrameCode {
    /** Lowest bit of the mode in a key. */
    static final int MODE_SHIFT = 12;
    private static final int LINE_SHIFT = 4;

    private final @Nullable Block[] chains = new Block[4096 >> LINE_SHIFT];

    /** Key of a block at {@code offset} in its frame under the mode word {@code mode}. */
    static int key(int offset, int mode) {
        return offset | (mode & Mode.DECODE) << MODE_SHIFT;
    }

    @Nullable
    Block find(int key) {
        for (Block block = chains[line(key)]; block != null; block = block.next) {
            if (block.key == key && !block.isStale()) {
                return block;
            }
        }
        return null;
    }

    /** Adds {@code block} and drops stale ones from its chain. */
    void add(Block block) {
        int line = line(block.key);
        Block head = null;
        for (Block old = chains[line]; old != null;) {
            Block next = old.next;
            if (!old.isStale()) {
                old.next = head;
                head = old;
            }
            old = next;
        }
        block.next = head;
        chains[line] = block;
    }

    /** Has {@code cache} drop all blocks. */
    void drop(BlockCache cache) {
        visit(cache::drop);
        Arrays.fill(chains, null);
    }

    /** Shows {@code visitor} every block that is not stale. */
    void visit(Consumer<Block> visitor) {
        for (Block head : chains) {
            for (Block block = head; block != null; block = block.next) {
                if (!block.isStale()) {
                    visitor.accept(block);
                }
            }
        }
    }

    private static int line(int key) {
        return (key & 0xfff) >> LINE_SHIFT;
    }
}
