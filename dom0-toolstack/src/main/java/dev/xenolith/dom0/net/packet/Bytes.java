package dev.xenolith.dom0.net.packet;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Numbers in network byte order in arrays. */
public final class Bytes {
    private static final VarHandle SHORTS = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

    private Bytes() {
    }

    /** 8 bits, unsigned. */
    public static int get8(byte[] bytes, int offset) {
        return bytes[offset] & 0xff;
    }

    /** 16 bits, unsigned. */
    public static int get16(byte[] bytes, int offset) {
        return (short) SHORTS.get(bytes, offset) & 0xffff;
    }

    /** 32 bits. */
    public static int get32(byte[] bytes, int offset) {
        return (int) INTS.get(bytes, offset);
    }

    public static void put16(byte[] bytes, int offset, int value) {
        SHORTS.set(bytes, offset, (short) value);
    }

    public static void put32(byte[] bytes, int offset, int value) {
        INTS.set(bytes, offset, value);
    }
}
