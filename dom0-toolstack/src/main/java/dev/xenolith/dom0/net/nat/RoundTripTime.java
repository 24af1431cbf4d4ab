package dev.xenolith.dom0.net.nat;

/** The retransmission timeout (RFC 6298), ns; one segment is timed at a time, and none that was sent twice (Karn). */
final class RoundTripTime {
    static final long MIN_TIMEOUT = 200_000_000L;
    static final long INITIAL_TIMEOUT = 1_000_000_000L;
    static final long MAX_TIMEOUT = 60_000_000_000L;

    private long smoothed;
    private long variation;
    private long timeout = INITIAL_TIMEOUT;
    private int backoff;
    private boolean measured;
    private boolean timing;
    private int timedSequence;
    private long timedSince;

    /** The segment that ends before {@code sequence} was sent for the first time. */
    void sent(int sequence, long now) {
        if (!timing) {
            timing = true;
            timedSequence = sequence;
            timedSince = now;
        }
    }

    /** Something was sent again: what is being timed says nothing any more. */
    void retransmitted() {
        timing = false;
    }

    /** New bytes before {@code sequence} have been acknowledged. */
    void acknowledged(int sequence, long now) {
        backoff = 0;
        if (timing && !TcpSegment.before(sequence, timedSequence)) {
            timing = false;
            measure(now - timedSince);
        }
    }

    private void measure(long sample) {
        if (measured) {
            variation += (Math.abs(smoothed - sample) - variation) / 4;
            smoothed += (sample - smoothed) / 8;
        } else {
            measured = true;
            smoothed = sample;
            variation = sample / 2;
        }
        timeout = Math.clamp(smoothed + 4 * variation, MIN_TIMEOUT, MAX_TIMEOUT);
    }

    /** The timer has run out: the next timeout is twice as long. */
    void backOff() {
        backoff++;
        timing = false;
    }

    /** Timeouts since something was last acknowledged. */
    int backoffs() {
        return backoff;
    }

    /** The timeout as it is now. */
    long timeout() {
        return Math.min(timeout << Math.min(backoff, 10), MAX_TIMEOUT);
    }
}
