package dev.xenolith.dom0.build;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The page of call stubs that kernels with a HYPERCALL_PAGE note expect: 128 of 32 bytes, one for each hypercall number
 * (xen/arch/x86/pv/hypercall.c describes the contents; newer kernels bring their own stubs).
 */
final class HypercallPage {
    private static final int STUBS = 128;
    private static final int STUB_SIZE = 32;
    private static final int IRET = 23;

    private HypercallPage() {
    }

    /** The page of a 64-bit PV guest: {@code push rcx; push r11; mov eax, nr; syscall; pop r11; pop rcx; ret}. */
    static byte[] forPv() {
        ByteBuffer page = ByteBuffer.allocate(STUBS * STUB_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        for (int number = 0; number < STUBS; number++) {
            page.position(number * STUB_SIZE);
            if (number == IRET) {
                // push rcx; push r11; push rax; mov eax, 23; syscall: the frame that the iret hypercall pops.
                page.put(new byte[]{0x51, 0x41, 0x53, 0x50, (byte) 0xb8}).putInt(number).put(new byte[]{0x0f, 0x05});
            } else {
                page.put(new byte[]{0x51, 0x41, 0x53, (byte) 0xb8}).putInt(number)
                        .put(new byte[]{0x0f, 0x05, 0x41, 0x5b, 0x59, (byte) 0xc3});
            }
        }
        return page.array();
    }
}
