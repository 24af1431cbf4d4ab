package dev.xenolith.device.firmware;

import java.util.List;

/** Kinds of devices that firmware looks for something to boot on, in the order that two bytes of CMOS RAM say (SeaBIOS, boot.c). */
public enum BootDevice {
    DISK(2), DISC(3), NETWORK(4);

    /** High digit: third device; bit 0: a floppy disk need not have a boot signature. */
    private static final int BOOT_FLAGS_1 = 0x38;
    /** First and second device. */
    private static final int BOOT_FLAGS_2 = 0x3d;
    private static final int NO_FLOPPY_CHECK = 1;
    private static final int MOST = 3;

    private final int code;

    BootDevice(int code) {
        this.code = code;
    }

    /** The CMOS bytes that say so: pairs of index and value. */
    public static int[][] cmos(List<BootDevice> order) {
        int digits = 0;
        for (int i = 0; i < Math.min(order.size(), MOST); i++) {
            digits |= order.get(i).code << 4 * i;
        }
        return new int[][]{{BOOT_FLAGS_1, digits >>> 4 & 0xf0 | NO_FLOPPY_CHECK}, {BOOT_FLAGS_2, digits & 0xff}};
    }
}
