package dev.xenolith.device.firmware;

/** The checksum of firmware tables: all bytes add up to 0. */
final class Checksum {
    private Checksum() {}

    /** What the checksum byte, now 0 or what it was, must be for {@code length} bytes from {@code start} to add up to 0. */
    static byte of(byte[] bytes, int start, int length) {
        int sum = 0;
        for (int i = start; i < start + length; i++) {
            sum += bytes[i];
        }
        return (byte) -sum;
    }
}
