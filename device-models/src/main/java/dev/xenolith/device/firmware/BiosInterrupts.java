package dev.xenolith.device.firmware;

import dev.xenolith.cpu.memory.PhysicalMemory;

/**
 * The interrupt vectors of real mode as a BIOS leaves them: the timer's counts its ticks, those of other interrupt requests
 * acknowledge them, and all others return. That is what a kernel needs that enters real mode with interrupts on; services there
 * are none.
 */
public final class BiosInterrupts {
    /** The vectors at which a BIOS has the two 8259As deliver IRQ 0 and IRQ 8. */
    public static final int FIRST_VECTOR = 0x08;
    public static final int SECOND_VECTOR = 0x70;

    /** 32 bits in the BIOS data area: ticks since the start, at 18.2 Hz. */
    static final int TICKS = 0x46c;

    private static final int SEGMENT = 0xf000;
    private static final int VECTORS = 256;
    private static final int IRQS = 8;

    /** Where the IBM PC's BIOS had its timer's handler and its bare IRET, and software knows the latter. */
    private static final int TIMER = 0xfea5;
    private static final int FIRST_IRQS = 0xfed0;
    private static final int SECOND_IRQS = 0xfee0;
    private static final int RETURN = 0xff53;

    /** push ax; push ds; xor ax, ax; mov ds, ax; inc dword [TICKS]; mov al, 20h; out 20h, al; pop ds; pop ax; iret. */
    private static final byte[] TIMER_CODE = {0x50, 0x1e, 0x31, (byte) 0xc0, (byte) 0x8e, (byte) 0xd8, 0x66,
        (byte) 0xff,
        0x06, TICKS & 0xff, TICKS >>> 8, (byte) 0xb0, 0x20, (byte) 0xe6, 0x20, 0x1f, 0x58, (byte) 0xcf};
    /** push ax; mov al, 20h; out 20h, al; pop ax; iret. */
    private static final byte[] FIRST_CODE = {0x50, (byte) 0xb0, 0x20, (byte) 0xe6, 0x20, 0x58, (byte) 0xcf};
    /** The same, with out 0a0h, al before. */
    private static final byte[] SECOND_CODE = {0x50, (byte) 0xb0, 0x20, (byte) 0xe6, (byte) 0xa0, (byte) 0xe6, 0x20,
        0x58, (byte) 0xcf};
    private static final byte[] RETURN_CODE = {(byte) 0xcf};

    private BiosInterrupts() {}

    /** Writes vectors and handlers into {@code memory}, which has RAM there. */
    public static void install(PhysicalMemory memory) {
        put(memory, TIMER, TIMER_CODE);
        put(memory, FIRST_IRQS, FIRST_CODE);
        put(memory, SECOND_IRQS, SECOND_CODE);
        put(memory, RETURN, RETURN_CODE);
        for (int vector = 0; vector < VECTORS; vector++) {
            memory.write32(4L * vector, SEGMENT << 16 | handler(vector));
        }
        memory.write32(TICKS, 0);
    }

    private static int handler(int vector) {
        if (vector == FIRST_VECTOR) {
            return TIMER;
        }
        if (vector > FIRST_VECTOR && vector < FIRST_VECTOR + IRQS) {
            return FIRST_IRQS;
        }
        return vector >= SECOND_VECTOR && vector < SECOND_VECTOR + IRQS ? SECOND_IRQS : RETURN;
    }

    private static void put(PhysicalMemory memory, int offset, byte[] code) {
        memory.copyIn(code, 0, ((long) SEGMENT << 4) + offset, code.length);
    }
}
