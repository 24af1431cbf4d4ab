package dev.xenolith.cpu.processor;

/**
 * Near branches outside 64-bit mode, where {@link Processor#rip} is linear but programs see an offset in CS: 32 bits, or 16 if the
 * branch has that operand size (SDM 1 6.3.7, SDM 2A JMP).
 */
public final class NearBranch {
    private static final long WRAP = 0xffff_ffffL;

    private NearBranch() {}

    /** Offset of the next instruction. */
    public static long next(Processor p) {
        return p.rip - p.segmentBase[Processor.CS] & WRAP;
    }

    /** Checks that a branch of {@code bits} (16, 32) to offset {@code target} stays within the limit of CS: #GP(0). */
    public static void check(Processor p, long target, int bits) {
        if ((bits == 16 ? target & 0xffff : target & WRAP) > p.segmentLimit[Processor.CS]) {
            throw p.raise(Vector.GP, 0);
        }
    }

    /** Branches to offset {@code target}. */
    public static void jump(Processor p, long target, int bits) {
        check(p, target, bits);
        p.rip = p.segmentBase[Processor.CS] + (bits == 16 ? target & 0xffff : target & WRAP) & WRAP;
    }
}
