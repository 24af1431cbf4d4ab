package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.NetworkContext;
import org.jspecify.annotations.Nullable;

/**
 * A TCP connection of a guest, ended here (RFC 9293): what the guest sends goes to a stream of the host and back, each direction
 * with its own flow control, so that neither side can make us keep more than two rings and a chunk in flight.
 */
final class TcpConnection implements HostStream.Listener {
    /** What we say in our SYN: windows in units of 8 bytes, for rings of up to 512 KiB. */
    static final int WINDOW_SCALE = 3;

    /** Twice the time that a segment may live, ns, as Linux has it. */
    static final long TIME_WAIT = 60_000_000_000L;

    private static final long ACK_DELAY = 40_000_000L;
    private static final long CHALLENGE_INTERVAL = 50_000_000L;
    private static final int MAX_HANDSHAKE_TIMEOUTS = 6;
    private static final int CHUNK = 32 << 10;
    private static final int DEFAULT_MSS = 536;
    private static final int MIN_MSS = 64;

    /** Where a connection is; half-closed ones are OPEN. */
    enum State {
        /** The guest has sent SYN, and the host's side is being connected. */
        CONNECTING,
        /** We have sent SYN to the guest, for a client of a forwarded port. */
        SYN_SENT,
        /** We have answered the guest's SYN. */
        SYN_RECEIVED, OPEN,
        /** Both have sent FIN, we first: a late FIN of the guest is to be acknowledged. */
        TIME_WAIT, CLOSED
    }

    /** What a connection needs of the table that it is in. */
    interface Owner {
        /** Sends a segment to the guest; {@code mss} and {@code scale} are of options, 0 and -1 for none. */
        void send(TcpKey key, int sequence, int acknowledgement, int flags, int window, int mss, int scale,
                @Nullable Ring ring, int at, int length, int segmentSize);

        /** The host's side cannot be connected: tells the guest, whose SYN had this sequence number. */
        void unreachable(TcpKey key, int sequence, Throwable cause);

        /** Both sides are done. */
        void closed(TcpConnection connection);
    }

    private final NetworkContext context;
    private final Owner owner;
    private final TcpKey key;
    private final int ourMss;
    private final TcpSender sender;
    private final TcpReceiver receiver;
    private final LazyTimer handshake;
    private final LazyTimer acknowledgement;
    private final LazyTimer timeWait;
    private @Nullable HostStream stream;
    private State state;
    private final int initialSequence;
    private int guestInitialSequence;
    private int guestMss = DEFAULT_MSS;
    /** Of the guest's windows; -1 until it has offered to scale. */
    private int guestScale = -1;
    private int handshakes;
    /** The highest end of a window that we have advertised. */
    private int advertised;
    private int unacknowledgedBytes;
    private boolean acknowledgeNow;
    private long lastChallenge = Long.MIN_VALUE / 2;
    private boolean reading;
    private boolean hostEnded;
    private boolean writing;
    private boolean outputShut;
    /** Our FIN was on its way before the guest's came. */
    private boolean closedFirst;

    /** @param ourMss payload of the segments that we take and send at most, bytes */
    TcpConnection(NetworkContext context, Owner owner, Budget budget, TcpKey key, int ourMss, int maxBurst) {
        this.context = context;
        this.owner = owner;
        this.key = key;
        this.ourMss = ourMss;
        initialSequence = context.random().nextInt();
        receiver = new TcpReceiver(budget);
        sender = new TcpSender(context, budget, this::emit, maxBurst, this::abort);
        handshake = new LazyTimer(context, this::handshakeTimedOut);
        acknowledgement = new LazyTimer(context, this::acknowledge);
        timeWait = new LazyTimer(context, this::timeWaitOver);
        state = State.CLOSED;
    }

    TcpKey key() {
        return key;
    }

    State state() {
        return state;
    }

    /** Begins with the guest's SYN; the stream will say when it is connected. */
    void open(HostStream hostStream, TcpSegment syn) {
        stream = hostStream;
        guestSyn(syn);
        state = State.CONNECTING;
    }

    /** Begins with a stream that is connected: sends SYN to the guest. */
    void accept(HostStream hostStream) {
        stream = hostStream;
        state = State.SYN_SENT;
        sendSyn();
    }

    private void guestSyn(TcpSegment syn) {
        guestInitialSequence = syn.sequence();
        guestMss = syn.mss() == 0 ? DEFAULT_MSS : syn.mss();
        guestScale = syn.windowScale();
        receiver.start(syn.sequence() + 1);
        advertised = syn.sequence() + 1;
    }

    // What the guest sends

    /** Takes a segment of the guest. */
    void input(TcpSegment segment) {
        switch (state) {
            case CONNECTING -> {
                if (segment.has(TcpSegment.RST) && segment.sequence() - guestInitialSequence >>> 1 == 0) {
                    abandon();
                }
            }
            case SYN_SENT -> inputSynSent(segment);
            case SYN_RECEIVED, OPEN, TIME_WAIT -> inputSynchronized(segment);
            case CLOSED -> {
            }
        }
    }

    private void inputSynSent(TcpSegment segment) {
        boolean acknowledged = segment.has(TcpSegment.ACK) && segment.acknowledgement() == initialSequence + 1;
        if (segment.has(TcpSegment.ACK) && !acknowledged) {
            if (!segment.has(TcpSegment.RST)) {
                owner.send(key, segment.acknowledgement(), 0, TcpSegment.RST, 0, 0, -1, null, 0, 0, 0);
            }
        } else if (segment.has(TcpSegment.RST)) {
            if (acknowledged) {
                abandon();
            }
        } else if (segment.has(TcpSegment.SYN) && acknowledged) {
            guestSyn(segment);
            establish(segment);
            acknowledge();
            resumeHost();
        }
    }

    private void inputSynchronized(TcpSegment segment) {
        if (state == State.SYN_RECEIVED && segment.has(TcpSegment.SYN) && !segment.has(TcpSegment.ACK)
                && segment.sequence() == guestInitialSequence) {
            sendSyn();
            return;
        }
        if (!isAcceptable(segment)) {
            if (!segment.has(TcpSegment.RST)) {
                challenge(segment);
            }
            return;
        }
        if (segment.has(TcpSegment.RST)) {
            if (segment.sequence() == receiver.next()) {
                abandon();
            } else {
                // It may be forged (RFC 5961 3.2): a true one is answered to the acknowledgement.
                challenge(segment);
            }
            return;
        }
        if (segment.has(TcpSegment.SYN)) {
            challenge(segment);
            return;
        }
        if (!segment.has(TcpSegment.ACK)) {
            return;
        }
        if (state == State.SYN_RECEIVED) {
            if (segment.acknowledgement() != initialSequence + 1) {
                owner.send(key, segment.acknowledgement(), 0, TcpSegment.RST, 0, 0, -1, null, 0, 0, 0);
                return;
            }
            establish(segment);
            resumeHost();
        }
        if (!sender.acknowledge(segment, scaled(segment))) {
            challenge(segment);
            return;
        }
        if (segment.sequenceLength() > 0) {
            inputData(segment);
        }
        if (state != State.CLOSED) {
            readHost();
            finishGuest();
        }
    }

    /**
     * RFC 9293 3.10.7.4, first: some of it is in the window, or it is the next even if the window is closed. Like Linux we also
     * take what begins at the window's end, for the acknowledgements of a guest that has filled the window begin there.
     */
    private boolean isAcceptable(TcpSegment segment) {
        int start = segment.sequence() - receiver.next();
        int end = start + segment.sequenceLength();
        return start >= 0 && start <= receiver.window() || start < 0 && end > 0;
    }

    /** Answers what is not acceptable; what carries nothing only now and then, so that two ends do not do so for ever (RFC 5961 7). */
    private void challenge(TcpSegment segment) {
        long now = context.now();
        if (segment.length() > 0 || now - lastChallenge >= CHALLENGE_INTERVAL) {
            lastChallenge = now;
            acknowledge();
        }
    }

    private int scaled(TcpSegment segment) {
        return segment.has(TcpSegment.SYN) ? segment.window() : segment.window() << Math.max(guestScale, 0);
    }

    private void establish(TcpSegment segment) {
        state = State.OPEN;
        handshake.cancel();
        int mss = Math.max(Math.min(guestMss, ourMss), MIN_MSS);
        sender.start(initialSequence + 1, mss, segment, scaled(segment));
    }

    private void inputData(TcpSegment segment) {
        int before = receiver.next();
        boolean gaps = receiver.hasGaps();
        if (state == State.OPEN) {
            receiver.receive(segment);
        }
        unacknowledgedBytes += receiver.next() - before;
        boolean late = receiver.next() == before;
        acknowledgeNow |= late || gaps || receiver.hasGaps() || segment.has(TcpSegment.PSH | TcpSegment.FIN)
                || unacknowledgedBytes >= 2 * sender.mss();
        writeHost();
        if (acknowledgeNow) {
            acknowledge();
        } else if (!acknowledgement.isSet() && unacknowledgedBytes > 0) {
            acknowledgement.set(ACK_DELAY);
        }
    }

    // What we send to the guest

    private void sendSyn() {
        boolean answer = state == State.SYN_RECEIVED;
        int window = Math.min(receiver.window(), 0xffff);
        advertised = receiver.next() + window;
        owner.send(key, initialSequence, receiver.next(), TcpSegment.SYN | (answer ? TcpSegment.ACK : 0), window,
                ourMss, !answer || guestScale >= 0 ? WINDOW_SCALE : -1, null, 0, 0, 0);
        handshake.set(RoundTripTime.INITIAL_TIMEOUT << handshakes);
    }

    private void handshakeTimedOut() {
        if (++handshakes > MAX_HANDSHAKE_TIMEOUTS) {
            abort();
        } else {
            sendSyn();
        }
    }

    private void emit(int sequence, int flags, @Nullable Ring ring, int at, int length, int segmentSize) {
        int scale = guestScale < 0 ? 0 : WINDOW_SCALE;
        int window = Math.min(receiver.window(), 0xffff << scale) >> scale;
        int edge = receiver.next() + (window << scale);
        if (TcpSegment.before(advertised, edge)) {
            advertised = edge;
        }
        unacknowledgedBytes = 0;
        acknowledgeNow = false;
        acknowledgement.clear();
        owner.send(key, sequence, receiver.next(), flags | TcpSegment.ACK, window, 0, -1, ring, at, length,
                segmentSize);
    }

    private void acknowledge() {
        emit(sender.highest(), 0, null, 0, 0, 0);
    }

    /** Tells the guest of a window that has opened, when it is worth it (RFC 9293 3.8.6.2.2). */
    private void updateWindow() {
        int opened = receiver.next() + receiver.window() - advertised;
        if (opened >= Math.min(2 * sender.mss(), receiver.capacity() / 2)) {
            acknowledge();
        }
    }

    // The host's side

    @Override
    public void connected() {
        if (state == State.CONNECTING) {
            state = State.SYN_RECEIVED;
            sendSyn();
        }
    }

    @Override
    public void connectFailed(Throwable cause) {
        if (state == State.CONNECTING) {
            owner.unreachable(key, guestInitialSequence, cause);
            finish();
        }
    }

    @Override
    public void received(byte[] data) {
        reading = false;
        if (state == State.OPEN) {
            sender.append(data);
            readHost();
        }
    }

    @Override
    public void ended() {
        reading = false;
        if (state == State.OPEN && !hostEnded) {
            hostEnded = true;
            closedFirst = !receiver.isFinished();
            sender.end();
            finishGuest();
        }
    }

    @Override
    public void written() {
        writing = false;
        if (state == State.OPEN || state == State.TIME_WAIT) {
            writeHost();
            if (state == State.OPEN) {
                updateWindow();
            }
            finishGuest();
        }
    }

    @Override
    public void failed(Throwable cause) {
        abort();
    }

    private void resumeHost() {
        readHost();
        writeHost();
    }

    private void readHost() {
        if (state == State.OPEN && stream != null && !reading && !hostEnded && sender.hasRoom()) {
            reading = true;
            stream.read();
        }
    }

    private void writeHost() {
        if (stream == null || writing) {
            return;
        }
        if (receiver.size() > 0) {
            writing = true;
            stream.write(receiver.take(CHUNK));
        } else if (receiver.isFinished() && !outputShut) {
            outputShut = true;
            stream.shutdownOutput();
        }
    }

    // Ends

    /** Looks whether the guest's side is done, and the host's. */
    private void finishGuest() {
        if (state == State.OPEN && receiver.isFinished() && sender.isFinAcknowledged()) {
            sender.release();
            state = State.TIME_WAIT;
            if (closedFirst) {
                timeWait.set(TIME_WAIT);
            }
        }
        if (state == State.TIME_WAIT && outputShut) {
            if (stream != null) {
                stream.close();
                stream = null;
            }
            receiver.release();
            if (!closedFirst) {
                finish();
            }
        }
    }

    private void timeWaitOver() {
        if (outputShut) {
            finish();
        } else {
            // The guest knows that its bytes have arrived, so they must, however slowly the host reads.
            timeWait.set(TIME_WAIT);
        }
    }

    /** Whether a SYN may begin a new connection in place of this one (RFC 1122 4.2.2.13). */
    boolean givesWayTo(TcpSegment segment) {
        return state == State.TIME_WAIT && outputShut && segment.has(TcpSegment.SYN)
                && !segment.has(TcpSegment.ACK | TcpSegment.RST)
                && TcpSegment.before(receiver.next(), segment.sequence());
    }

    /** Forgets a connection that only waits for late segments; false if there is more to it. */
    boolean forget() {
        if (state == State.TIME_WAIT && outputShut) {
            finish();
            return true;
        }
        return false;
    }

    /** The host's side is broken, or the guest does not answer: resets both. */
    private void abort() {
        if (state == State.SYN_SENT) {
            owner.send(key, initialSequence + 1, 0, TcpSegment.RST, 0, 0, -1, null, 0, 0, 0);
        } else if (state == State.SYN_RECEIVED) {
            owner.send(key, initialSequence + 1, receiver.next(), TcpSegment.RST | TcpSegment.ACK, 0, 0, -1, null, 0, 0,
                    0);
        } else if (state == State.OPEN || state == State.TIME_WAIT) {
            owner.send(key, sender.highest(), receiver.next(), TcpSegment.RST | TcpSegment.ACK, 0, 0, -1, null, 0, 0,
                    0);
        }
        abandon();
    }

    /** Resets the host's side and forgets the connection. */
    void abandon() {
        if (stream != null) {
            stream.reset();
            stream = null;
        }
        finish();
    }

    /** Ends both sides, with a reset. */
    void close() {
        if (state != State.CLOSED) {
            abort();
        }
    }

    private void finish() {
        if (state == State.CLOSED) {
            return;
        }
        state = State.CLOSED;
        if (stream != null) {
            stream.close();
            stream = null;
        }
        handshake.cancel();
        acknowledgement.cancel();
        timeWait.cancel();
        sender.release();
        receiver.release();
        owner.closed(this);
    }
}
