package dev.xenolith.cpu.oracle;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;

/**
 * The linear addresses a snippet finds, natively and emulated alike; {@code protocol.h} holds the same numbers. Everything
 * is below 4 GB, so that 32-bit addressing and compatibility mode reach it, and each kind of page has each other kind as a
 * neighbour somewhere, so that an operand across a boundary meets every pair of rights. Pages not listed are not mapped.
 *
 * <pre>
 * 0x10000000  code, two pages          read, execute (filled with INT3)
 * 0x10009000  data                     read
 * 0x1000a000  data, two pages          read, write
 * 0x1000c000  data                     read
 * 0xfffff000  data                     read, write
 * </pre>
 */
final class AddressMap {
    static final int PAGE = 4096;

    static final long CODE = 0x1000_0000L;
    static final int CODE_BYTES = 2 * PAGE;

    static final long READ_ONLY_LOW = 0x1000_9000L;
    static final long WRITABLE = 0x1000_a000L;
    static final long READ_ONLY_HIGH = 0x1000_c000L;
    static final long WRITABLE_TOP = 0xffff_f000L;

    /** The writable pages as one array: two at {@link #WRITABLE}, then the one at {@link #WRITABLE_TOP}. */
    static final int WRITABLE_BYTES = 3 * PAGE;
    static final int TOP_OFFSET = 2 * PAGE;

    /** Opcode of INT3, which surrounds every snippet. */
    static final byte INT3 = (byte) 0xcc;

    /** Selectors that Linux gives a 64-bit process, and the code segment of a 32-bit one. */
    static final int CODE_SELECTOR_64 = 0x33;
    static final int CODE_SELECTOR_32 = 0x23;
    static final int DATA_SELECTOR = 0x2b;

    private AddressMap() {
    }

    /** Contents of a read-only page: the same in every run, values at the edges of the number ranges among random ones. */
    static byte[] readOnlyContents(long page) {
        long[] edges = {0, 1, -1, 0x7f, 0x80, 0x7fff, 0x8000, 0x7fff_ffffL, 0x8000_0000L, Long.MAX_VALUE,
            Long.MIN_VALUE};
        Random random = new Random(page);
        ByteBuffer contents = ByteBuffer.allocate(PAGE).order(ByteOrder.LITTLE_ENDIAN);
        while (contents.hasRemaining()) {
            contents.putLong(random.nextInt(4) == 0 ? edges[random.nextInt(edges.length)] : random.nextLong());
        }
        return contents.array();
    }
}
