package dev.xenolith.device.firmware;

import java.io.ByteArrayOutputStream;

/** Writes resource descriptors (ACPI 6.4, 6.4): what a device's _CRS and _PRS hold. */
final class ResourceTemplate {
    private static final int IRQ = 0x23;
    private static final int IO = 0x47;
    private static final int END_TAG = 0x79;
    private static final int MEMORY_32_FIXED = 0x86;
    private static final int DWORD_ADDRESS_SPACE = 0x87;
    private static final int WORD_ADDRESS_SPACE = 0x88;
    private static final int SPACE_MEMORY = 0;
    private static final int SPACE_IO = 1;
    private static final int SPACE_BUS = 2;
    /** Producer, positive decode, both ends fixed. */
    private static final int FIXED_PRODUCER = 0x0c;
    private static final int IO_ENTIRE_RANGE = 3;
    private static final int MEMORY_READ_WRITE = 1;
    /** Flags of an IRQ descriptor: level, low, shared; edge is bit 0. */
    static final int LEVEL_LOW_SHARED = 0x18;
    static final int EDGE = 0x01;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private ResourceTemplate put(int value, int bytes) {
        for (int i = 0; i < bytes; i++) {
            out.write(value >>> 8 * i);
        }
        return this;
    }

    /** {@code count} ports from {@code first}, 16 bits decoded. */
    ResourceTemplate io(int first, int count) {
        return put(IO, 1).put(1, 1).put(first, 2).put(first, 2).put(1, 1).put(count, 1);
    }

    /** One of the interrupts in {@code mask}. */
    ResourceTemplate irq(int mask, int flags) {
        return put(IRQ, 1).put(mask, 2).put(flags, 1);
    }

    ResourceTemplate memory(long address, int length) {
        return put(MEMORY_32_FIXED, 1).put(9, 2).put(1, 1).put((int) address, 4).put(length, 4);
    }

    ResourceTemplate busNumbers(int first, int last) {
        return word(SPACE_BUS, 0, first, last);
    }

    ResourceTemplate ioWindow(int first, int last) {
        return word(SPACE_IO, IO_ENTIRE_RANGE, first, last);
    }

    private ResourceTemplate word(int space, int flags, int first, int last) {
        return put(WORD_ADDRESS_SPACE, 1).put(13, 2).put(space, 1).put(FIXED_PRODUCER, 1).put(flags, 1).put(0, 2)
                .put(first, 2).put(last, 2).put(0, 2).put(last - first + 1, 2);
    }

    ResourceTemplate memoryWindow(long first, long last) {
        return put(DWORD_ADDRESS_SPACE, 1).put(23, 2).put(SPACE_MEMORY, 1).put(FIXED_PRODUCER, 1)
                .put(MEMORY_READ_WRITE, 1).put(0, 4).put((int) first, 4).put((int) last, 4).put(0, 4)
                .put((int) (last - first + 1), 4);
    }

    byte[] bytes() {
        put(END_TAG, 1).put(0, 1);
        return out.toByteArray();
    }
}
