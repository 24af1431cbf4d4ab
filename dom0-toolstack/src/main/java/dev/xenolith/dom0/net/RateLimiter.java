package dev.xenolith.dom0.net;

/**
 * Credit for bytes as netback gives it to a vif (drivers/net/xen-netback of Linux): so many bytes an interval; what is not used in
 * one interval is lost, but for a packet that is larger than an interval's worth, which then waits until enough has come together.
 */
public final class RateLimiter {
    /** No packet is larger: credit for one may be saved up to this, bytes. */
    private static final long MAX_PACKET = 131_072;

    private final long bytes;
    private final long interval;
    private long credit;
    private long windowStart;

    /**
     * @param bytes of an interval, positive
     * @param interval ns, positive
     * @param now ns; the first interval begins then, with its credit
     */
    public RateLimiter(long bytes, long interval, long now) {
        if (bytes <= 0 || interval <= 0) {
            throw new IllegalArgumentException(bytes + " bytes in " + interval + " ns are no rate");
        }
        this.bytes = bytes;
        this.interval = interval;
        credit = bytes;
        windowStart = now;
    }

    /**
     * Takes credit for a packet.
     *
     * @param size bytes, 0..131072
     * @param now ns, never before an earlier call's
     * @return false if there is not enough; {@link #nextCredit} says when there will be more
     */
    public boolean take(int size, long now) {
        refill(size, now);
        if (size > credit) {
            return false;
        }
        credit -= size;
        return true;
    }

    private void refill(int size, long now) {
        long intervals = (now - windowStart) / interval;
        if (intervals > 0) {
            windowStart += intervals * interval;
            long most = Math.max(bytes, Math.min(size, MAX_PACKET));
            // Whatever is missing to the most cannot be more than that many intervals bring.
            credit = intervals > most / bytes ? most : Math.min(credit + intervals * bytes, most);
        }
    }

    /** When the next interval's credit comes, ns. */
    public long nextCredit() {
        return windowStart + interval;
    }

    /** Bytes that could be sent at once at the last call. */
    public long credit() {
        return credit;
    }
}
