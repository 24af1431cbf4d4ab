package dev.xenolith.device.board;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Assembles small 64-bit guests: what the instructions are is said by the methods' names; addresses have 64 bits. */
public final class GuestCode {
    private final long base;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** Code that will stand at {@code base}. */
    public GuestCode(long base) {
        this.base = base;
    }

    public GuestCode bytes(int... values) {
        for (int value : values) {
            out.write(value);
        }
        return this;
    }

    private GuestCode little(long value, int size) {
        for (int i = 0; i < size; i++) {
            out.write((int) (value >>> 8 * i));
        }
        return this;
    }

    /** Address of the next instruction. */
    public long here() {
        return base + out.size();
    }

    public GuestCode movEax(long value) {
        return bytes(0xb8).little(value, 4);
    }

    public GuestCode movEdx(int value) {
        return bytes(0xba).little(value, 4);
    }

    /** OUT of {@code size} bytes to any port. */
    public GuestCode out(int port, int size, long value) {
        movEdx(port).movEax(value);
        return size == 1 ? bytes(0xee) : size == 2 ? bytes(0x66, 0xef) : bytes(0xef);
    }

    /** IN of {@code size} bytes into AL, AX or EAX. */
    public GuestCode in(int port, int size) {
        movEdx(port);
        return size == 1 ? bytes(0xec) : size == 2 ? bytes(0x66, 0xed) : bytes(0xed);
    }

    /** Stores EAX. */
    public GuestCode storeEax(long address) {
        return bytes(0xa3).little(address, 8);
    }

    /** Loads EAX. */
    public GuestCode loadEax(long address) {
        return bytes(0xa1).little(address, 8);
    }

    public GuestCode store(long address, long value) {
        return movEax(value).storeEax(address);
    }

    public GuestCode incEax() {
        return bytes(0xff, 0xc0);
    }

    public GuestCode cmpEax(int value) {
        return bytes(0x3d).little(value, 4);
    }

    public GuestCode testAl(int value) {
        return bytes(0xa8, value);
    }

    public GuestCode jnz(long target) {
        bytes(0x0f, 0x85);
        return little(target - (here() + 4), 4);
    }

    public GuestCode jz(long target) {
        bytes(0x0f, 0x84);
        return little(target - (here() + 4), 4);
    }

    public GuestCode jb(long target) {
        bytes(0x0f, 0x82);
        return little(target - (here() + 4), 4);
    }

    public GuestCode jmp(long target) {
        bytes(0xe9);
        return little(target - (here() + 4), 4);
    }

    public GuestCode sti() {
        return bytes(0xfb);
    }

    public GuestCode cli() {
        return bytes(0xfa);
    }

    public GuestCode hlt() {
        return bytes(0xf4);
    }

    public GuestCode pushRax() {
        return bytes(0x50, 0x52);
    }

    public GuestCode popRaxAndReturn() {
        return bytes(0x5a, 0x58, 0x48, 0xcf);
    }

    /** LIDT of what stands at {@code address}, below 2 GiB. */
    public GuestCode lidt(long address) {
        return bytes(0x0f, 0x01, 0x1c, 0x25).little(address, 4);
    }

    public GuestCode lgdt(long address) {
        return bytes(0x0f, 0x01, 0x14, 0x25).little(address, 4);
    }

    public GuestCode ud2() {
        return bytes(0x0f, 0x0b);
    }

    public byte[] code() {
        return out.toByteArray();
    }

    /** A bzImage with {@code code} at its 64-bit entry, to be loaded at 1 MiB, so that the entry is at 0x100200. */
    public static byte[] bzImage(byte[] code) {
        int setup = 2 * 512;
        ByteBuffer image = ByteBuffer.allocate(setup + 0x200 + code.length).order(ByteOrder.LITTLE_ENDIAN);
        image.put(0x1f1, (byte) 1).putShort(0x1fe, (short) 0xaa55).put(0x200, (byte) 0xeb).put(0x201, (byte) 0x66);
        image.putInt(0x202, 0x5372_6448).putShort(0x206, (short) 0x20f).put(0x211, (byte) 1).putInt(0x214, 0x10_0000);
        image.putInt(0x22c, 0x7fff_ffff).putInt(0x230, 0x20_0000).put(0x234, (byte) 1).putShort(0x236, (short) 1)
                .putInt(0x238, 2047).putLong(0x258, 0x10_0000).putInt(0x260, 0x10_0000);
        image.put(setup + 0x200, code);
        return image.array();
    }
}
