package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.execute.Logic;

/**
 * MASKMOVQ, MASKMOVDQU, VMASKMOVPS and its kin (SDM 2B, 2C): elements whose mask is negative are moved. Of the latter's others nothing
 * is accessed.
 */
public final class MaskedMove {
    private static final int PAGE_SHIFT = 12;

    private MaskedMove() {}

    /** Stores the bytes of {@code low} and {@code high} that the masks select at {@code address}; {@code bytes} 8 or 16. */
    public static void store(Processor p, long address, long low, long high, long lowMask, long highMask, int bytes) {
        // All of it must be writable, whatever the mask: so it is on the processors.
        for (int i = 0; i < bytes; i += 8) {
            // A quadword that crosses 4 GiB faults, but the second of two may be at 0.
            p.probeStore(p.wrap(address + i), 8);
        }
        for (int i = 0; i < bytes; i++) {
            if (isSelected(i, lowMask, highMask)) {
                p.store8(p.wrap(address + i), (i < 8 ? low : high) >>> 8 * (i & 7));
            }
        }
    }

    private static boolean isSelected(int i, long lowMask, long highMask) {
        return ((i < 8 ? lowMask : highMask) >>> 8 * (i & 7) + 7 & 1) != 0;
    }

    // ---- AVX: masks of doublewords and quadwords -------------------------------------------------------------------------

    /** Linear address of {@code bytes} at {@code offset}, truncated to {@code addressBits}, in {@code segment}. */
    static long linear(Processor p, int segment, long offset, int addressBits, int bytes, boolean write) {
        long at = Logic.zeroExtend(offset, addressBits);
        if (p.is64Bit() || segment == Processor.FLAT) {
            return p.segmentBase[segment] + at;
        }
        return write ? p.segments.writable(segment, at, bytes) : p.segments.readable(segment, at, bytes);
    }

    /** The element of {@code bits} 32 or 64 at {@code offset}; its alignment is not checked. */
    static long load(Processor p, int segment, long offset, int addressBits, int bits) {
        int bytes = bits / 8;
        long address = linear(p, segment, offset, addressBits, bytes, false);
        if (isMisaligned(p, address, bytes)) {
            long value = 0;
            for (int i = 0; i < bytes; i++) {
                value |= p.load8(p.wrap(address + i)) << 8 * i;
            }
            return value;
        }
        return bits == 32 ? p.load32(address) : p.load64(address);
    }

    private static void store(Processor p, long address, int bytes, long value) {
        if (isMisaligned(p, address, bytes)) {
            for (int i = 0; i < bytes; i++) {
                p.store8(p.wrap(address + i), value >>> 8 * i);
            }
        } else if (bytes == 4) {
            p.store32(address, value);
        } else {
            p.store64(address, value);
        }
    }

    private static void probeStore(Processor p, long address, int bytes) {
        if (isMisaligned(p, address, bytes)) {
            long last = p.wrap(address + bytes - 1);
            boolean crosses = (address ^ last) >>> PAGE_SHIFT != 0;
            p.probeStore(address, 1);
            p.probeStore(crosses ? last >>> PAGE_SHIFT << PAGE_SHIFT : last, 1); // the fault is at the first byte of its page
        } else {
            p.probeStore(address, bytes);
        }
    }

    /** Whether alignment is checked and the access would fail. */
    private static boolean isMisaligned(Processor p, long address, int bytes) {
        return (p.codeContext & Mode.ALIGNMENT) != 0 && (address & bytes - 1) != 0;
    }

    /** The doublewords of quadword {@code quadword} of memory at {@code offset}, zero where not selected. */
    public static long load32(Processor p, int segment, long offset, int addressBits, long mask, int quadword) {
        long low = (int) mask < 0 ? load(p, segment, offset + 8 * quadword, addressBits, 32) : 0;
        long high = mask < 0 ? load(p, segment, offset + 8 * quadword + 4, addressBits, 32) : 0;
        return low | high << 32;
    }

    /** Quadword {@code quadword} of memory at {@code offset}, zero if not selected. */
    public static long load64(Processor p, int segment, long offset, int addressBits, long mask, int quadword) {
        return mask < 0 ? load(p, segment, offset + 8 * quadword, addressBits, 64) : 0;
    }

    /** Stores those elements of {@code elementBits} 32 or 64 of vector register {@code source} that register {@code mask} selects. */
    public static void storeElements(Processor p, int segment, long offset, int addressBits, int mask, int source,
            int elementBits, int bits) {
        int bytes = elementBits / 8;
        for (int i = 0; i < bits / 8; i += bytes) {
            if (element(p, mask, i, elementBits) < 0) {
                probeStore(p, linear(p, segment, offset + i, addressBits, bytes, true), bytes);
            }
        }
        for (int i = 0; i < bits / 8; i += bytes) {
            if (element(p, mask, i, elementBits) < 0) {
                store(p, linear(p, segment, offset + i, addressBits, bytes, true), bytes,
                        element(p, source, i, elementBits));
            }
        }
    }

    /** The element at byte {@code at} of a vector register, sign-extended. */
    private static long element(Processor p, int register, int at, int bits) {
        long quadword = p.vector[4 * register + (at >> 3)];
        return bits == 64 ? quadword : (int) (quadword >>> 8 * (at & 4));
    }
}
