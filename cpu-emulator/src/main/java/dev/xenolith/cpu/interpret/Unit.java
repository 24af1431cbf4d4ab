package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.Processor;
import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * Code that was hot, as one method: a single-entry region of one page with its loops. The class is a function of the region's bytes, their
 * offsets in the page and the mode, and bakes in nothing of a frame, an address or a processor; an object of it is that code in one frame.
 *
 * <p>Subclasses are generated while guests run, see package {@code translate}.
 */
public abstract class Unit extends Code {
    /**
     * What a unit is made of, wherever it is.
     *
     * @param entry offset in its page of the first instruction
     * @param mode the decoder's bits of the mode word
     * @param longest most instructions from the entry, or from one look at the budget, to the next
     * @param links highest number of an exit; those from {@link #FIRST_LINK} on lead to one place in the same page
     * @param starts offset in its page of each run of code bytes
     * @param code the bytes of each run
     * @param offsets offset in its page of each instruction
     * @param instructions those instructions
     * @param ops what executes those instructions that the unit does not do itself; null for the others
     */
    public record Layout(int entry, int mode, int longest, int links, int[] starts, byte[][] code, short[] offsets,
            DecodedInstruction[] instructions, Op[] ops) {
        /** Whether {@code page} has the same code. */
        public boolean isIn(byte[] page) {
            for (int i = 0; i < starts.length; i++) {
                int end = starts[i] + code[i].length;
                if (!Arrays.equals(page, starts[i], end, code[i], 0, code[i].length)) {
                    return false;
                }
            }
            return true;
        }

        /** Marks it as code in {@code frame}. */
        void mark(PhysicalMemory memory, int frame) {
            for (int i = 0; i < starts.length; i++) {
                memory.markCode(frame, PhysicalMemory.granules(starts[i], code[i].length));
            }
        }
    }

    /** Number of exits from {@link #run} before an instruction, after a return, and to other pages. */
    public static final int NO_LINK = 0;
    /** Number of exits by a jump or call to where a register or memory says. */
    public static final int INDIRECT = 1;
    /** Number of the first exit that always leads to the same place in the page. */
    public static final int FIRST_LINK = 2;

    /** What it is made of. */
    final Layout layout;
    /** {@link Layout#ops}. */
    protected final Op[] ops;
    /** What was executed after each of its exits that lead to one place in its page, by number. */
    protected final @Nullable Code[] links;
    /** The exit by which it was left the last time. */
    protected int exit;
    /** {@link Layout#longest}. */
    final int longest;
    final int frame;
    /** Instructions that it has executed. */
    private long executed;
    /** Offsets in the page for which it was left by indirect jumps and calls. */
    private @Nullable BitSet targets;
    /** Instructions after which a better one is asked for. */
    private long best = Long.MAX_VALUE;

    /** Of {@code layout} in {@code frame}. */
    protected Unit(Layout layout, int frame) {
        this.layout = layout;
        this.frame = frame;
        ops = layout.ops;
        longest = layout.longest;
        links = new Code[Math.max(layout.links, INDIRECT) + 1];
    }

    /**
     * Executes from the entry, where RIP is, until the code is left, at most until {@link Processor#retired} is {@code end}, which
     * is at least {@link Layout#longest} away. RIP, registers and {@code retired} are exact when it returns. It comes back before an
     * instruction that it cannot do, maybe the first.
     *
     * @return what was executed next when it was left by the same exit before, if that is known; it may be stale
     * @throws dev.xenolith.cpu.processor.GuestFault from an operation that it called: {@link Processor#fusedPart} is the number of the
     *         instruction, which is counted in {@code retired}, and RIP is not exact
     */
    public abstract @Nullable Code run(Processor p, long end);

    /** Has a better one asked for after {@code instructions} more. */
    final void improveAfter(long instructions) {
        best = executed + instructions;
    }

    /** Notes that it has executed {@code instructions}; true, once, if it is so hot that a better one is to be asked for. */
    final boolean isHot(long instructions) {
        executed += instructions;
        if (executed < best) {
            return false;
        }
        best = Long.MAX_VALUE;
        return true;
    }

    final long executed() {
        return executed;
    }

    /** The block that is known to be at {@code offset} in the page, where the unit was left; null if none is. */
    final @Nullable Block successor(int offset) {
        return links[exit] instanceof Block block && block.start == offset && !block.stale ? block : null;
    }

    /** Notes that {@code next} was executed where the unit was left. */
    final void link(Code next) {
        if (exit >= FIRST_LINK) {
            links[exit] = next;
        }
    }

    /** Notes that it was left for {@code offset} in the page, which may become part of a better one if a jump that tells no target led there. */
    final void leftFor(int offset) {
        if (exit == INDIRECT && best != Long.MAX_VALUE) {
            if (targets == null) {
                targets = new BitSet(PhysicalMemory.FRAME_SIZE);
            }
            targets.set(offset);
        }
    }

    /** Adds offsets in the page of what indirect jumps and calls have led to. */
    final void addTargets(BitSet all) {
        if (targets != null) {
            all.or(targets);
        }
    }

    /** Takes it out of execution. */
    void retire() {
        stale = true;
        Arrays.fill(links, null);
    }
}
