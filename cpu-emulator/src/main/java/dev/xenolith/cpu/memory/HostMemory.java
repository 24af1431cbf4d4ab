package dev.xenolith.cpu.memory;

import java.util.Objects;
import jdk.internal.misc.Unsafe;

/**
 * The one door to memory of the host outside the Java heap: plain access to 1, 2, 4 and 8 bytes at an absolute host address,
 * little-endian and at any alignment.
 *
 * <p>Nothing here checks an address: callers do, by a TLB hit or by the bounds of {@link PhysicalMemory}. A wrong address ends
 * the JVM. Built on {@code jdk.internal.misc.Unsafe} because C2 stops inlining MemorySegment accessors after about twelve of
 * them in one method, while translated code has dozens; no other class may name Unsafe.
 */
public final class HostMemory {
    private static final Unsafe UNSAFE = Unsafe.getUnsafe();

    static {
        if (!UNSAFE.unalignedAccess() || UNSAFE.isBigEndian()) {
            throw new UnsupportedOperationException("the host must be little-endian and allow unaligned access");
        }
    }

    private HostMemory() {}

    /** Byte at {@code address}, zero-extended. */
    public static int get8(long address) {
        return UNSAFE.getByte(address) & 0xff;
    }

    /** Two bytes at {@code address}, zero-extended. */
    public static int get16(long address) {
        return UNSAFE.getShort(address) & 0xffff;
    }

    /** Four bytes at {@code address}; the sign is the caller's business. */
    public static int get32(long address) {
        return UNSAFE.getInt(address);
    }

    /** Eight bytes at {@code address}. */
    public static long get64(long address) {
        return UNSAFE.getLong(address);
    }

    /** Stores the low byte of {@code value}. */
    public static void put8(long address, int value) {
        UNSAFE.putByte(address, (byte) value);
    }

    /** Stores the low two bytes of {@code value}. */
    public static void put16(long address, int value) {
        UNSAFE.putShort(address, (short) value);
    }

    public static void put32(long address, int value) {
        UNSAFE.putInt(address, value);
    }

    public static void put64(long address, long value) {
        UNSAFE.putLong(address, value);
    }

    /** The low {@code size} (1, 2, 4, 8) bytes at {@code address}, zero-extended. */
    public static long get(long address, int size) {
        return switch (size) {
            case 1 -> get8(address);
            case 2 -> get16(address);
            case 4 -> get32(address) & 0xffff_ffffL;
            case 8 -> get64(address);
            default -> throw new IllegalArgumentException("size " + size);
        };
    }

    /** Stores the low {@code size} (1, 2, 4, 8) bytes of {@code value}. */
    public static void put(long address, int size, long value) {
        switch (size) {
            case 1 -> put8(address, (int) value);
            case 2 -> put16(address, (int) value);
            case 4 -> put32(address, (int) value);
            case 8 -> put64(address, value);
            default -> throw new IllegalArgumentException("size " + size);
        }
    }

    /**
     * Compares the {@code size} (1, 2, 4, 8) bytes at {@code address} with {@code expected} and, if equal, stores
     * {@code value}; returns the bytes found, zero-extended. Atomic when aligned. A misaligned exchange (a split lock) is a
     * plain read and write, which one machine thread cannot tell from an atomic one.
     */
    public static long compareExchange(long address, int size, long expected, long value) {
        if ((address & (size - 1)) != 0) {
            long found = get(address, size);
            if (found == zeroExtend(expected, size)) {
                put(address, size, value);
            }
            return found;
        }
        return switch (size) {
            case 1 -> UNSAFE.compareAndExchangeByte(null, address, (byte) expected, (byte) value) & 0xffL;
            case 2 -> UNSAFE.compareAndExchangeShort(null, address, (short) expected, (short) value) & 0xffffL;
            case 4 -> UNSAFE.compareAndExchangeInt(null, address, (int) expected, (int) value) & 0xffff_ffffL;
            case 8 -> UNSAFE.compareAndExchangeLong(null, address, expected, value);
            default -> throw new IllegalArgumentException("size " + size);
        };
    }

    private static long zeroExtend(long value, int size) {
        return size == 8 ? value : value & ((1L << (size * 8)) - 1);
    }

    /** Copies {@code length} bytes; the ranges may overlap. */
    public static void copy(long source, long destination, long length) {
        UNSAFE.copyMemory(source, destination, length);
    }

    /** Copies {@code length} bytes from the host into {@code destination}, whose bounds are checked. */
    public static void copyOut(long source, byte[] destination, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, destination.length);
        UNSAFE.copyMemory(null, source, destination, Unsafe.ARRAY_BYTE_BASE_OFFSET + offset, length);
    }

    /** Copies {@code length} bytes of {@code source}, whose bounds are checked, to the host. */
    public static void copyIn(byte[] source, int offset, long destination, int length) {
        Objects.checkFromIndexSize(offset, length, source.length);
        UNSAFE.copyMemory(source, Unsafe.ARRAY_BYTE_BASE_OFFSET + offset, null, destination, length);
    }

    /** Sets {@code length} bytes to {@code value}. */
    public static void fill(long address, long length, int value) {
        UNSAFE.setMemory(address, length, (byte) value);
    }

    /** Whether the two ranges of {@code length} bytes hold the same. */
    public static boolean equal(long first, long second, long length) {
        long i = 0;
        for (; i <= length - 8; i += 8) {
            if (get64(first + i) != get64(second + i)) {
                return false;
            }
        }
        for (; i < length; i++) {
            if (get8(first + i) != get8(second + i)) {
                return false;
            }
        }
        return true;
    }

    /** Whether all {@code length} bytes, a multiple of 8, are zero. */
    public static boolean isZero(long address, long length) {
        for (long i = 0; i < length; i += 8) {
            if (get64(address + i) != 0) {
                return false;
            }
        }
        return true;
    }
}
