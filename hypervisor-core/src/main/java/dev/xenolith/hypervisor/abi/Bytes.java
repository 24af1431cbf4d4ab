package dev.xenolith.hypervisor.abi;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Little-endian values in a byte array: how code reads and fills its private copy of a public structure. */
public final class Bytes {
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private Bytes() {
    }

    public static int get8(byte[] bytes, int offset) {
        return bytes[offset] & 0xFF;
    }

    public static int get16(byte[] bytes, int offset) {
        return (short) SHORT.get(bytes, offset) & 0xFFFF;
    }

    public static int get32(byte[] bytes, int offset) {
        return (int) INT.get(bytes, offset);
    }

    public static long get64(byte[] bytes, int offset) {
        return (long) LONG.get(bytes, offset);
    }

    public static void put8(byte[] bytes, int offset, int value) {
        bytes[offset] = (byte) value;
    }

    public static void put16(byte[] bytes, int offset, int value) {
        SHORT.set(bytes, offset, (short) value);
    }

    public static void put32(byte[] bytes, int offset, int value) {
        INT.set(bytes, offset, value);
    }

    public static void put64(byte[] bytes, int offset, long value) {
        LONG.set(bytes, offset, value);
    }
}
