package dev.xenolith.device.display;

/**
 * How the CRT controller makes an address in the planes of its counter (IBM Video Subsystem, "CRT Mode Control Register").
 *
 * @param shift 0 in byte mode, 1 in word mode, 2 in doubleword mode
 * @param wrapBit the bit of the counter that becomes bit 0 in word mode
 * @param row0 whether bit 13 is the lowest bit of the row
 * @param row1 whether bit 14 is the second bit of the row
 * @param divide how often, as a power of two, the counter stays for a character
 * @param mask addresses that there are
 */
record Addressing(int shift, int wrapBit, boolean row0, boolean row1, int divide, int mask) {
    private static final int VGA_MASK = 0xffff;

    static Addressing of(RegisterFile crtc) {
        boolean doubleword = crtc.has(0x14, 6);
        boolean bytes = crtc.has(0x17, 6);
        int divide = crtc.has(0x14, 5) ? 2 : crtc.has(0x17, 3) ? 1 : 0;
        return new Addressing(doubleword ? 2 : bytes ? 0 : 1, crtc.has(0x17, 5) ? 15 : 13, !crtc.has(0x17, 0),
                !crtc.has(0x17, 1), divide, VGA_MASK);
    }

    /** Every address as it is counted. */
    static Addressing plain(int addresses) {
        return new Addressing(0, 0, false, false, 0, addresses - 1);
    }

    /** Address of the {@code character}th fetch of a line whose counter starts with {@code counter}. */
    int address(int counter, int character, int row) {
        int count = counter + (character >>> divide);
        int address = count << shift;
        if (shift == 1) {
            address |= count >>> wrapBit & 1;
        }
        if (row0) {
            address = address & ~(1 << 13) | (row & 1) << 13;
        }
        if (row1) {
            address = address & ~(1 << 14) | (row >>> 1 & 1) << 14;
        }
        return address & mask;
    }
}
