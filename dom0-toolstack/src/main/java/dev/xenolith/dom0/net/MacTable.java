package dev.xenolith.dom0.net;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** MAC addresses and what is behind each, in open addressing: learning and finding allocate nothing. */
final class MacTable<T> {
    private static final int INITIAL_SLOTS = 64;
    private static final long HASH = 0x9E3779B97F4A7C15L;

    private final int limit;
    private final long ageing;
    private long[] macs = new long[INITIAL_SLOTS];
    private long[] seen = new long[INITIAL_SLOTS];
    /** Null where there is no address. */
    private @Nullable Object[] values = new Object[INITIAL_SLOTS];
    private int size;
    /** When the table was last full and had nothing to forget: until some time later it is not searched again. */
    private long fullSince = Long.MIN_VALUE;

    /**
     * @param limit addresses at most
     * @param ageing ns after which an address that was not seen is forgotten
     */
    MacTable(int limit, long ageing) {
        this.limit = limit;
        this.ageing = ageing;
    }

    int size() {
        return size;
    }

    /** What is behind {@code mac}, or null if nobody knows or it was too long ago. */
    @SuppressWarnings("unchecked")
    @Nullable
    T find(long mac, long now) {
        int slot = slot(mac);
        return values[slot] == null || now - seen[slot] >= ageing ? null : (T) values[slot];
    }

    /** Notes that {@code mac} was seen; false if it is new and there is no room. */
    boolean learn(long mac, T value, long now) {
        int slot = slot(mac);
        if (values[slot] == null) {
            if (size == limit && !makeRoom(now)) {
                return false;
            }
            if (2 * (size + 1) > values.length) {
                rebuild(values.length * 2);
            }
            slot = slot(mac);
            macs[slot] = mac;
            size++;
        }
        values[slot] = value;
        seen[slot] = now;
        return true;
    }

    /** Forgets what was seen behind {@code value}. */
    void forget(T value) {
        for (int slot = 0; slot < values.length; slot++) {
            if (values[slot] == value) {
                seen[slot] = Long.MIN_VALUE;
            }
        }
        expire(0);
    }

    private boolean makeRoom(long now) {
        if (fullSince != Long.MIN_VALUE && now - fullSince < ageing / 16) {
            return false;
        }
        expire(now);
        fullSince = size == limit ? now : Long.MIN_VALUE;
        return size < limit;
    }

    private void expire(long now) {
        for (int slot = 0; slot < values.length; slot++) {
            if (values[slot] != null && (seen[slot] == Long.MIN_VALUE || now - seen[slot] >= ageing)) {
                values[slot] = null;
                size--;
            }
        }
        rebuild(values.length);
    }

    private void rebuild(int slots) {
        long[] oldMacs = macs;
        long[] oldSeen = seen;
        @Nullable
        Object[] oldValues = values;
        macs = new long[slots];
        seen = new long[slots];
        values = new Object[slots];
        Arrays.fill(seen, Long.MIN_VALUE);
        for (int old = 0; old < oldValues.length; old++) {
            if (oldValues[old] != null) {
                int slot = slot(oldMacs[old]);
                macs[slot] = oldMacs[old];
                seen[slot] = oldSeen[old];
                values[slot] = oldValues[old];
            }
        }
    }

    /** Where {@code mac} is, or the free slot where it would be. */
    private int slot(long mac) {
        int mask = values.length - 1;
        int slot = (int) (mac * HASH >>> 40) & mask;
        while (values[slot] != null && macs[slot] != mac) {
            slot = slot + 1 & mask;
        }
        return slot;
    }
}
