package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.NetworkContext;

/**
 * The half of a connection that sends to the guest: keeps the host's bytes until the guest has acknowledged them, within its
 * window and a congestion window (RFC 5681, fast recovery as in RFC 6582), retransmits and probes a closed window.
 */
final class TcpSender {
    /** Capacity at most, bytes. */
    static final int LIMIT = 256 << 10;

    /** Segments that may be under way at first (RFC 6928). */
    private static final int INITIAL_WINDOW_SEGMENTS = 10;

    private static final int DUPLICATES = 3;

    /** Timeouts in a row after which the guest is given up. */
    static final int MAX_TIMEOUTS = 12;

    /** Sends a segment; the payload is {@code length} bytes of {@code ring} from {@code at} on, to be cut by {@code mss}. */
    interface Output {
        void segment(int sequence, int flags, Ring ring, int at, int length, int mss);
    }

    private final NetworkContext context;
    private final Output output;
    private final Ring ring;
    private final LazyTimer retransmission;
    private final LazyTimer persist;
    private final RoundTripTime rtt;
    private final Runnable givenUp;
    private final int maxBurst;

    private int mss;
    /** The oldest number that is not acknowledged (SND.UNA); the ring begins there. */
    private int unacknowledged;
    /** The next to send (SND.NXT), and the highest that was ever sent. */
    private int next;
    private int highest;
    private int window;
    private int largestWindow;
    private int windowSequence;
    private int windowAcknowledgement;
    private int congestionWindow;
    private int threshold = Integer.MAX_VALUE;
    private int duplicates;
    private boolean recovering;
    /** What was sent when the last loss was noticed; until all of it is acknowledged duplicates say nothing new. */
    private int recover;
    /** Probes since the window was closed, and since the guest last said anything. */
    private int probes;
    private int unanswered;
    /** The host will send nothing more. */
    private boolean finQueued;
    private boolean finAcknowledged;
    private boolean started;

    /**
     * @param maxBurst payload of one frame at most, which the bridge may cut, bytes
     * @param givenUp called when the guest does not answer any more
     */
    TcpSender(NetworkContext context, Budget budget, Output output, int maxBurst, Runnable givenUp) {
        this.context = context;
        this.output = output;
        this.maxBurst = maxBurst;
        this.givenUp = givenUp;
        ring = new Ring(LIMIT, budget);
        rtt = new RoundTripTime();
        retransmission = new LazyTimer(context, this::timedOut);
        persist = new LazyTimer(context, this::probe);
    }

    /**
     * Begins to send when the handshake is over.
     *
     * @param firstByte the number after our SYN
     * @param segmentSize payload of a segment
     * @param segment the one that acknowledged our SYN
     * @param firstWindow the guest's, scaled
     */
    void start(int firstByte, int segmentSize, TcpSegment segment, int firstWindow) {
        started = true;
        mss = segmentSize;
        unacknowledged = firstByte;
        next = firstByte;
        highest = firstByte;
        recover = firstByte;
        congestionWindow = INITIAL_WINDOW_SEGMENTS * mss;
        setWindow(segment, firstWindow);
    }

    /** The highest number that was sent, with FIN. */
    int highest() {
        return highest;
    }

    int mss() {
        return mss;
    }

    boolean isFinAcknowledged() { return finAcknowledged; }

    boolean isFinSent() { return finAcknowledged || finQueued && highest == finSequence() + 1; }

    /** Whether the host's next bytes have room. */
    boolean hasRoom() {
        return ring.free() >= HostStream.MAX_READ || ring.grow();
    }

    /** Appends bytes of the host, for which there is room. */
    void append(byte[] data) {
        ring.append(data, 0, data.length);
        send(false);
    }

    /** The host has ended its stream. */
    void end() {
        finQueued = true;
        send(false);
    }

    private int finSequence() {
        return unacknowledged + ring.size();
    }

    /**
     * Takes the acknowledgement and window of a segment, whose sequence number is in order.
     *
     * @param scaled the segment's window, scaled
     * @return false if it acknowledges what was never sent
     */
    boolean acknowledge(TcpSegment segment, int scaled) {
        int ack = segment.acknowledgement();
        if (TcpSegment.before(highest, ack)) {
            return false;
        }
        unanswered = 0;
        int oldWindow = window;
        if (TcpSegment.before(windowSequence, segment.sequence()) || windowSequence == segment.sequence()
                && !TcpSegment.before(ack, windowAcknowledgement)) {
            setWindow(segment, scaled);
        }
        if (TcpSegment.before(unacknowledged, ack)) {
            advance(ack);
        } else
            if (ack == unacknowledged && segment.sequenceLength() == 0 && window == oldWindow
                    && highest != unacknowledged) {
                        duplicate();
                    }
        send(false);
        return true;
    }

    private void setWindow(TcpSegment segment, int scaled) {
        window = scaled;
        if (window > 0) {
            probes = 0;
        }
        largestWindow = Math.max(largestWindow, window);
        windowSequence = segment.sequence();
        windowAcknowledgement = segment.acknowledgement();
    }

    private void advance(int ack) {
        int acknowledged = ack - unacknowledged;
        int bytes = acknowledged;
        if (isFinSent() && ack == highest) {
            bytes--;
            finAcknowledged = true;
        }
        ring.drop(bytes);
        unacknowledged = ack;
        if (TcpSegment.before(next, ack)) {
            next = ack;
        }
        rtt.acknowledged(ack, context.now());
        duplicates = 0;
        if (recovering && TcpSegment.before(ack, recover)) {
            // A partial acknowledgement: the next hole begins here.
            congestionWindow = Math.max(congestionWindow - bytes + mss, mss);
            retransmit();
        } else if (recovering) {
            recovering = false;
            congestionWindow = Math.max(threshold, 2 * mss);
        } else if (congestionWindow < threshold) {
            congestionWindow += Math.min(bytes, 2 * mss);
        } else {
            congestionWindow += Math.max(1, (int) ((long) mss * mss / congestionWindow));
        }
        congestionWindow = Math.min(congestionWindow, 4 * LIMIT);
        if (TcpSegment.before(recover, ack)) {
            recover = ack;
        }
        if (highest == unacknowledged) {
            retransmission.clear();
        } else {
            retransmission.set(rtt.timeout());
        }
    }

    private void duplicate() {
        duplicates++;
        if (recovering) {
            congestionWindow += mss;
        } else if (duplicates == DUPLICATES && !TcpSegment.before(unacknowledged, recover)) {
            threshold = Math.max((highest - unacknowledged) / 2, 2 * mss);
            recover = highest;
            recovering = true;
            congestionWindow = threshold + DUPLICATES * mss;
            retransmit();
        }
    }

    /** Sends the oldest segment again. */
    private void retransmit() {
        rtt.retransmitted();
        int length = Math.min(ring.size(), Math.min(mss, highest - unacknowledged));
        boolean fin = isFinSent() && length == ring.size();
        if (length > 0 || fin) {
            retransmission.set(rtt.timeout());
            output.segment(unacknowledged, fin ? TcpSegment.FIN : 0, ring, 0, length, mss);
        }
    }

    /** Sends what the windows let it; {@code force} also a little of what they would rather have whole. */
    private void send(boolean force) {
        if (!started || finAcknowledged) {
            return;
        }
        while (true) {
            int sent = next - unacknowledged;
            boolean finSent = finQueued && sent > ring.size();
            int available = finSent ? 0 : ring.size() - sent;
            int usable = Math.max(Math.min(window, congestionWindow) - sent, 0);
            int length = Math.min(Math.min(available, usable), maxBurst);
            if (length > mss && length < available) {
                length -= length % mss;
            }
            boolean last = length == available;
            if (length < mss && !last && length < largestWindow / 2 && !force) {
                length = 0;
                last = available == 0;
            }
            boolean fin = finQueued && last && !finSent;
            if (length == 0 && !fin) {
                break;
            }
            emit(length, fin, last);
        }
        if (highest == unacknowledged && ring.size() > 0) {
            if (!persist.isSet()) {
                persist.set(rtt.timeout());
            }
        } else {
            persist.clear();
        }
    }

    private void emit(int length, boolean fin, boolean last) {
        int from = next;
        int flags = (fin ? TcpSegment.FIN : 0) | (last && length > 0 ? TcpSegment.PSH : 0);
        next += length + (fin ? 1 : 0);
        if (from == highest) {
            rtt.sent(next, context.now());
        } else {
            rtt.retransmitted();
        }
        if (TcpSegment.before(highest, next)) {
            highest = next;
        }
        if (!retransmission.isSet()) {
            retransmission.set(rtt.timeout());
        }
        output.segment(from, flags, ring, from - unacknowledged, length, mss);
    }

    private void timedOut() {
        if (highest == unacknowledged) {
            return;
        }
        rtt.backOff();
        if (rtt.backoffs() > MAX_TIMEOUTS) {
            givenUp.run();
            return;
        }
        threshold = Math.max(Math.min(highest - unacknowledged, congestionWindow) / 2, 2 * mss);
        congestionWindow = mss;
        recover = highest;
        recovering = false;
        duplicates = 0;
        next = unacknowledged;
        retransmission.set(rtt.timeout());
        // Whatever the window says by now: this has been within it once.
        int length = Math.min(ring.size(), Math.min(mss, highest - unacknowledged));
        emit(length, isFinSent() && length == ring.size(), true);
    }

    /** The guest's window is closed, or too small for a whole segment, and nothing is under way that it would have to answer. */
    private void probe() {
        if (highest != unacknowledged || ring.size() == 0) {
            return;
        }
        probes++;
        if (++unanswered > MAX_TIMEOUTS) {
            givenUp.run();
            return;
        }
        if (window > 0) {
            send(true);
        } else {
            // A number that the guest has acknowledged: it answers with its window (RFC 9293 3.8.6.1).
            output.segment(unacknowledged - 1, 0, ring, 0, 0, mss);
        }
        if (highest == unacknowledged) {
            persist.set(Math.min(rtt.timeout() << Math.min(probes, 10), RoundTripTime.MAX_TIMEOUT));
        }
    }

    void release() {
        retransmission.cancel();
        persist.cancel();
        ring.release();
    }
}
