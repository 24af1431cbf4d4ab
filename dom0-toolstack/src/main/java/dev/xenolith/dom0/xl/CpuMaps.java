package dev.xenolith.dom0.xl;

import java.util.BitSet;

/** Sets of processors as xl prints them. */
final class CpuMaps {
    private CpuMaps() {
    }

    /** Returns such as {@code all}, {@code none} or {@code 0-2,5} (print_bitmap of tools/xl/xl_utils.c). */
    static String format(BitSet set, int size) {
        if (set.nextClearBit(0) >= size) {
            return "all";
        }
        StringBuilder text = new StringBuilder();
        for (int first = set.nextSetBit(0); first >= 0 && first < size; first = set.nextSetBit(first)) {
            int end = Math.min(set.nextClearBit(first), size);
            text.append(text.isEmpty() ? "" : ",").append(first);
            if (end - 1 > first) {
                text.append('-').append(end - 1);
            }
            first = end;
        }
        return text.isEmpty() ? "none" : text.toString();
    }
}
