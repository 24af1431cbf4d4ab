package dev.xenolith.cpu.processor;

import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * A debugger's breakpoints and watchpoints, on linear addresses of whatever address space a processor is in. They are no part of the
 * guest: its memory and its debug registers know nothing of them. Pages with breakpoints are executed instruction by instruction,
 * pages with watchpoints have no entries in the TLB; everything else is as fast as without. Immutable; see
 * {@link Debugger#setPoints}.
 */
public final class DebugPoints {
    /** No points at all. */
    public static final DebugPoints NONE = new DebugPoints(new long[0], List.of());

    private static final long PAGE = -4096L;

    /** Which accesses a watchpoint stops at. */
    public enum Access {
        WRITE, READ, ANY
    }

    /**
     * A watchpoint.
     *
     * @param address linear address of the first byte
     * @param length bytes, at least 1
     */
    public record Watchpoint(Access access, long address, long length) {
        /** Throws {@link IllegalArgumentException} for a range that is empty or wraps around the address space. */
        public Watchpoint {
            if (length < 1 || Long.compareUnsigned(address + length - 1, address) < 0) {
                throw new IllegalArgumentException(length + " bytes at 0x" + Long.toHexString(address));
            }
        }

        private boolean covers(long start, int size, boolean write) {
            return (access == Access.ANY || access == Access.WRITE == write)
                    && (Long.compareUnsigned(start - address, length) < 0
                            || Long.compareUnsigned(address - start, size) < 0);
        }
    }

    private final long[] breakpoints;
    private final List<Watchpoint> watchpoints;

    /** Breakpoints before the instructions at {@code breakpoints}, and {@code watchpoints}. */
    public DebugPoints(long[] breakpoints, List<Watchpoint> watchpoints) {
        this.breakpoints = LongStream.of(breakpoints).sorted().distinct().toArray();
        this.watchpoints = List.copyOf(watchpoints);
    }

    public boolean isEmpty() { return breakpoints.length == 0 && watchpoints.isEmpty(); }

    /** Whether an instruction in the page of {@code rip} has a breakpoint. */
    boolean breaksInPage(long rip) {
        int at = Arrays.binarySearch(breakpoints, rip & PAGE);
        return at >= 0 || -1 - at < breakpoints.length && (breakpoints[-1 - at] & PAGE) == (rip & PAGE);
    }

    boolean breaksAt(long rip) {
        return Arrays.binarySearch(breakpoints, rip) >= 0;
    }

    /** Whether an access would stop at a watchpoint. */
    boolean watches(long address, int size, boolean write) {
        for (int i = 0; i < watchpoints.size(); i++) {
            if (watchpoints.get(i).covers(address, size, write)) {
                return true;
            }
        }
        return false;
    }

    /** The watchpoint that an access stops at; there is one. */
    Watchpoint watchpoint(long address, int size, boolean write) {
        for (Watchpoint each : watchpoints) {
            if (each.covers(address, size, write)) {
                return each;
            }
        }
        throw new IllegalArgumentException("0x" + Long.toHexString(address) + " is not watched");
    }

    /** Whether the page of {@code linear} has a watched byte. */
    boolean watchesPage(long linear) {
        for (Watchpoint each : watchpoints) {
            long first = each.address & PAGE;
            if (Long.compareUnsigned((linear & PAGE) - first, each.address + each.length - first) < 0) {
                return true;
            }
        }
        return false;
    }

    /** Whether TLBs need to hold other pages with {@code other} than with this. */
    boolean watchesOtherThan(DebugPoints other) {
        return !watchpoints.equals(other.watchpoints);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof DebugPoints points && Arrays.equals(breakpoints, points.breakpoints)
                && watchpoints.equals(points.watchpoints);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(breakpoints) * 31 + watchpoints.hashCode();
    }
}
