package dev.xenolith.hypervisor.abi;

import java.util.Arrays;

/**
 * The page of code through which older kernels make hypercalls: for each number an entry of 32 bytes. That of a 64-bit kernel saves
 * RCX and R11 around SYSCALL (hypercall_page_initialise_ring3_kernel), that of a 32-bit one uses INT 0x82
 * (hypercall_page_initialise_ring1_kernel).
 */
public final class HypercallPage {
    public static final int SIZE = 4096;
    private static final int ENTRY_SIZE = 32;
    private static final int INT3 = 0xcc;
    /** The software interrupt by which ring 1 makes hypercalls. */
    public static final int VECTOR = 0x82;

    private HypercallPage() {
    }

    /** The contents for a 64-bit PV guest, whoever fills the page: the builder by ELF note, or the guest by MSR. */
    public static byte[] contents() {
        byte[] page = new byte[SIZE];
        Arrays.fill(page, (byte) INT3);
        for (int number = 0; number < SIZE / ENTRY_SIZE; number++) {
            int at = number * ENTRY_SIZE;
            page[at++] = 0x51; // push %rcx
            page[at++] = 0x41; // push %r11
            page[at++] = 0x53;
            if (number == Hypercall.IRET) {
                page[at++] = 0x50; // push %rax
            }
            page[at++] = (byte) 0xb8; // mov $number,%eax
            Bytes.put32(page, at, number);
            at += 4;
            page[at++] = 0x0f; // syscall
            page[at++] = 0x05;
            if (number != Hypercall.IRET) {
                page[at++] = 0x41; // pop %r11
                page[at++] = 0x5b;
                page[at++] = 0x59; // pop %rcx
                page[at] = (byte) 0xc3; // ret
            }
        }
        return page;
    }

    /** The contents for a 32-bit PV guest. */
    public static byte[] compatContents() {
        byte[] page = new byte[SIZE];
        Arrays.fill(page, (byte) INT3);
        for (int number = 0; number < SIZE / ENTRY_SIZE; number++) {
            int at = number * ENTRY_SIZE;
            if (number == Hypercall.IRET) {
                page[at++] = 0x50; // push %eax
            }
            page[at++] = (byte) 0xb8; // mov $number,%eax
            Bytes.put32(page, at, number);
            at += 4;
            page[at++] = (byte) 0xcd; // int $0x82
            page[at++] = (byte) VECTOR;
            if (number != Hypercall.IRET) {
                page[at] = (byte) 0xc3; // ret
            }
        }
        return page;
    }
}
