package dev.xenolith.hypervisor.abi;

/**
 * xen/include/public/io/ring.h: what precedes the entries of a ring that a frontend shares with a backend. Indexes run freely; requests
 * and responses share the entries.
 */
public final class Ring {
    /** How many requests the frontend has produced. */
    public static final int REQ_PROD = 0;
    /** The frontend notifies when it produces the request before this one. */
    public static final int REQ_EVENT = 4;
    /** How many responses the backend has produced. */
    public static final int RSP_PROD = 8;
    /** The backend notifies when it produces the response before this one. */
    public static final int RSP_EVENT = 12;
    /** Where the entries begin. */
    public static final int ENTRIES = 64;

    private Ring() {
    }

    /** Entries of {@code entryBytes} that a ring of {@code bytes} has: a power of two (__RING_SIZE). */
    public static int size(int bytes, int entryBytes) {
        return Integer.highestOneBit((bytes - ENTRIES) / entryBytes);
    }
}
