package dev.xenolith.dom0.net.nat;

/** Memory that the connections of a NAT share beyond what each may have in any case. */
final class Budget {
    private long left;

    /** @param bytes that may be taken in all */
    Budget(long bytes) {
        left = bytes;
    }

    /** Takes so many bytes, or none. */
    boolean take(long bytes) {
        if (bytes > left) {
            return false;
        }
        left -= bytes;
        return true;
    }

    void give(long bytes) {
        left += bytes;
    }

    /** Bytes that may still be taken. */
    long left() {
        return left;
    }
}
