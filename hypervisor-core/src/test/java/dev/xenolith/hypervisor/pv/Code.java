package dev.xenolith.hypervisor.pv;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Assembles the few 64-bit instructions that test guests need. */
final class Code {
    static final int RAX = 0;
    static final int RCX = 1;
    static final int RDX = 2;
    static final int RBX = 3;
    static final int RSP = 4;
    static final int RBP = 5;
    static final int RSI = 6;
    static final int RDI = 7;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Code bytes(int... values) {
        for (int value : values) {
            out.write(value);
        }
        return this;
    }

    private Code imm32(long value) {
        return bytes((int) value & 0xff, (int) (value >> 8) & 0xff, (int) (value >> 16) & 0xff,
                (int) (value >> 24) & 0xff);
    }

    /** mov $value, %reg (RAX to RDI, or 8 to 15). */
    Code set(int register, long value) {
        bytes(register < 8 ? 0x48 : 0x49, 0xb8 + (register & 7));
        byte[] eight = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
        out.writeBytes(eight);
        return this;
    }

    /** mov %reg, address, through RBP. */
    Code store(int register, long address) {
        set(RBP, address);
        return bytes(0x48 | (register >= 8 ? 4 : 0), 0x89, 0x45 | (register & 7) << 3, 0);
    }

    /** mov address, %reg, through RBP. */
    Code load(int register, long address) {
        set(RBP, address);
        return bytes(0x48 | (register >= 8 ? 4 : 0), 0x8b, 0x45 | (register & 7) << 3, 0);
    }

    /** incq address, through RBP. */
    Code increment(long address) {
        set(RBP, address);
        return bytes(0x48, 0xff, 0x45, 0);
    }

    /** push displacement(%rsp); pop to address: stores a word of the stack, through RAX and RBP. */
    Code storeStackWord(int displacement, long address) {
        bytes(0x48, 0x8b, 0x44, 0x24, displacement);
        return store(RAX, address);
    }

    /** syscall as a hypercall with up to three arguments. */
    Code hypercall(int number, long... arguments) {
        int[] registers = {RDI, RSI, RDX, 10, 8};
        for (int i = 0; i < arguments.length; i++) {
            set(registers[i], arguments[i]);
        }
        return set(RAX, number).bytes(0x0f, 0x05);
    }

    /** Hypercall iret with the frame at RSP as an entry by exception without error code left it: pushes flags, RCX, R11, RAX. */
    Code iret() {
        // The bounce frame holds rcx, r11, rip, cs, rflags, rsp, ss; iret_context wants rax, r11, rcx, flags before rip.
        return bytes(0x59, 0x41, 0x5b) // pop %rcx; pop %r11
                .bytes(0x6a, 0x00, 0x51, 0x41, 0x53, 0x50) // push $0; push %rcx; push %r11; push %rax
                .bytes(0xb8, 23, 0, 0, 0, 0x0f, 0x05);
    }

    /** movq $0, address, through RBP. */
    Code zero(long address) {
        return set(RBP, address).bytes(0x48, 0xc7, 0x45, 0, 0, 0, 0, 0);
    }

    /** Hypercall iret to {@code cs:rip} with the stack {@code ss:rsp}. */
    Code enter(int cs, long rip, long rflags, int ss, long rsp) {
        for (long word : new long[]{ss, rsp, rflags, cs, rip, 0, 0, 0, 0}) {
            set(RAX, word).bytes(0x50); // push %rax
        }
        return set(RAX, 23).bytes(0x0f, 0x05);
    }

    /** A branch to itself. */
    Code forever() {
        return bytes(0xeb, 0xfe);
    }

    /** sched_op(shutdown, poweroff), its argument in memory at {@code argument}, which holds 0. */
    Code powerOff(long argument) {
        return hypercall(29, 2, argument);
    }

    int length() {
        return out.size();
    }

    byte[] build() {
        return out.toByteArray();
    }
}
