package dev.xenolith.dom0.net.nat;

/**
 * The half of a connection that takes what the guest sends: puts segments in order and keeps the bytes until the host takes them.
 * What came early lies in the ring already, at its place; only a bounded number of ranges of it is known.
 */
final class TcpReceiver {
    /** Capacity at most, bytes. */
    static final int LIMIT = 256 << 10;

    /** Ranges that may wait for what is missing before them. */
    static final int MAX_RANGES = 32;

    private final Ring ring;
    /** The next sequence number expected (RCV.NXT). */
    private int next;
    private final int[] rangeStart = new int[MAX_RANGES];
    private final int[] rangeEnd = new int[MAX_RANGES];
    private int ranges;
    private boolean finKnown;
    private int finSequence;
    private boolean finReceived;

    TcpReceiver(Budget budget) {
        ring = new Ring(LIMIT, budget);
    }

    /** Begins after the guest's SYN. */
    void start(int firstByte) {
        next = firstByte;
    }

    int next() {
        return next;
    }

    /** Bytes that the guest may send from {@link #next} on. */
    int window() {
        return finReceived ? 0 : ring.free();
    }

    int size() {
        return ring.size();
    }

    int capacity() {
        return ring.capacity();
    }

    /** The guest has said that it sends no more, and everything before that is here. */
    boolean isFinished() {
        return finReceived;
    }

    boolean hasGaps() {
        return ranges > 0;
    }

    /** Takes the payload and FIN of a segment, as far as they are in the window and new. */
    void receive(TcpSegment segment) {
        if (finReceived) {
            return;
        }
        int window = finKnown ? Math.min(ring.free(), finSequence - next) : ring.free();
        int skip = Math.max(next - segment.sequence(), 0);
        int start = segment.sequence() - next + skip;
        int length = Math.min(segment.length() - skip, window - start);
        if (segment.has(TcpSegment.FIN) && length >= 0 && length == segment.length() - skip && !finKnown) {
            // Not one before bytes that are here already.
            finSequence = next + start + length;
            finKnown = ranges == 0 || !TcpSegment.before(finSequence, rangeEnd[ranges - 1]);
        }
        if (length > 0 && note(next + start, next + start + length)) {
            ring.store(ring.size() + start, segment.buffer(), segment.offset() + skip, length);
        }
        advance();
        if (ring.size() > ring.capacity() / 2 || ranges > 0 && rangeEnd[ranges - 1] - next > ring.capacity() / 2) {
            ring.grow();
        }
    }

    /** Merges a range into those known, which are sorted and apart; false if there is no room for one more. */
    private boolean note(int start, int end) {
        int first = 0;
        while (first < ranges && TcpSegment.before(rangeEnd[first], start)) {
            first++;
        }
        int last = first;
        int newStart = start;
        int newEnd = end;
        while (last < ranges && !TcpSegment.before(end, rangeStart[last])) {
            newStart = TcpSegment.before(rangeStart[last], newStart) ? rangeStart[last] : newStart;
            newEnd = TcpSegment.before(newEnd, rangeEnd[last]) ? rangeEnd[last] : newEnd;
            last++;
        }
        if (first == last && ranges == MAX_RANGES) {
            return false;
        }
        System.arraycopy(rangeStart, last, rangeStart, first + 1, ranges - last);
        System.arraycopy(rangeEnd, last, rangeEnd, first + 1, ranges - last);
        rangeStart[first] = newStart;
        rangeEnd[first] = newEnd;
        ranges += 1 - (last - first);
        return true;
    }

    private void advance() {
        if (ranges > 0 && rangeStart[0] == next) {
            ring.commit(rangeEnd[0] - next);
            next = rangeEnd[0];
            ranges--;
            System.arraycopy(rangeStart, 1, rangeStart, 0, ranges);
            System.arraycopy(rangeEnd, 1, rangeEnd, 0, ranges);
        }
        if (finKnown && next == finSequence) {
            next++;
            finReceived = true;
            ranges = 0;
        }
    }

    /** Takes the next bytes for the host, at most {@code most}. */
    byte[] take(int most) {
        byte[] data = new byte[Math.min(most, ring.size())];
        ring.copy(0, data, 0, data.length);
        ring.drop(data.length);
        return data;
    }

    void release() {
        ring.release();
        ranges = 0;
    }
}
