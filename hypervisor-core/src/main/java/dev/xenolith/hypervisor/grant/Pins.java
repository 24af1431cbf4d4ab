package dev.xenolith.hypervisor.grant;

/**
 * How one grant is in use: four counts of 0 to 255 in an int, for mappings and copies by processors ("host") and for devices, for
 * reading and for writing.
 */
final class Pins {
    static final int HOST_READ = 1;
    static final int HOST_WRITE = 1 << 8;
    static final int DEVICE_READ = 1 << 16;
    static final int DEVICE_WRITE = 1 << 24;

    private static final int HOST_WRITES = 0xff << 8;
    private static final int DEVICE_WRITES = 0xff << 24;
    /** The top bit of each count: set in a count that must not be raised further. */
    private static final int FULL = 0x8080_8080;

    private Pins() {}

    static boolean forWriting(int pins) {
        return (pins & (HOST_WRITES | DEVICE_WRITES)) != 0;
    }

    /** Whether adding {@code increment}, a sum of the constants, might overflow a count. */
    static boolean wouldOverflow(int pins, int increment) {
        return (pins & FULL & increment * 0x80) != 0;
    }
}
