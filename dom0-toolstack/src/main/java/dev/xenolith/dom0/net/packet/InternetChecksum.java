package dev.xenolith.dom0.net.packet;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The checksum of IP, ICMP, TCP and UDP (RFC 1071): the one's complement of the one's complement sum of 16-bit words. Sums are
 * kept unfolded in a long between the parts of a packet; each part but the last has an even length.
 */
public final class InternetChecksum {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private InternetChecksum() {
    }

    /** Adds {@code length} bytes, at most 64 MiB, to an unfolded sum. An odd byte at the end counts as if a zero followed. */
    public static long add(long sum, byte[] bytes, int offset, int length) {
        long total = sum;
        int at = offset;
        int end = offset + length;
        for (; at + 8 <= end; at += 8) {
            long word = (long) LONGS.get(bytes, at);
            total += (word >>> 32) + (word & 0xffff_ffffL);
        }
        for (; at + 2 <= end; at += 2) {
            total += Bytes.get16(bytes, at);
        }
        return at < end ? total + (Bytes.get8(bytes, at) << 8) : total;
    }

    /** Folds a sum to 16 bits, not complemented. */
    public static int fold(long sum) {
        long folded = (sum >>> 32) + (sum & 0xffff_ffffL);
        while (folded >>> 16 != 0) {
            folded = (folded >>> 16) + (folded & 0xffff);
        }
        return (int) folded;
    }

    /** The checksum of what was summed. */
    public static int finish(long sum) {
        return ~fold(sum) & 0xffff;
    }

    /** The checksum of a range. */
    public static int of(byte[] bytes, int offset, int length) {
        return finish(add(0, bytes, offset, length));
    }

    /** Whether a range that contains its checksum sums up, with what is already in {@code sum}. */
    public static boolean verifies(long sum, byte[] bytes, int offset, int length) {
        return fold(add(sum, bytes, offset, length)) == 0xffff;
    }

    /** The unfolded sum of a pseudo header over IPv4 (RFC 9293 3.1). */
    public static long pseudoV4(int source, int destination, int protocol, int length) {
        return (source & 0xffff_ffffL) + (destination & 0xffff_ffffL) + protocol + length;
    }
}
