package dev.xenolith.device.network;

/** The checksum of IP, TCP and UDP (RFC 1071), as cards compute it on their way. */
public final class InternetChecksum {
    private InternetChecksum() {}

    /** Adds the bytes from {@code start} to before {@code end}, as big-endian words, to {@code sum}. */
    public static long add(long sum, byte[] bytes, int start, int end) {
        long total = sum;
        int at = start;
        for (; at + 1 < end; at += 2) {
            total += (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
        }
        return at < end ? total + ((bytes[at] & 0xff) << 8) : total;
    }

    /** The 16 bits to be stored for {@code sum}: its complement. */
    public static int finish(long sum) {
        long folded = sum;
        while (folded >>> 16 != 0) {
            folded = (folded & 0xffff) + (folded >>> 16);
        }
        return (int) ~folded & 0xffff;
    }
}
