package dev.xenolith.dom0.xenstore;

import dev.xenolith.hypervisor.abi.XenstoreRing;
import dev.xenolith.hypervisor.operations.SharedPage;

/**
 * Carries a session over a guest's ring page (docs/misc/xenstore-ring.txt). Everything in the page is the guest's word: each
 * index is read once and checked; a pair that cannot be ends the connection with the error field set, until the guest asks for a
 * reconnection.
 */
final class RingTransport {
    private static final int FEATURES = XenstoreRing.FEATURE_RECONNECTION | XenstoreRing.FEATURE_ERROR;

    private final SharedPage page;
    private final XenstoreSession session;
    private final Runnable notifier;
    private final byte[] piece = new byte[XenstoreRing.RING_SIZE];

    /**
     * Takes a ring over.
     *
     * @param notifier signals the guest's event channel
     */
    RingTransport(SharedPage page, XenstoreSession session, Runnable notifier) {
        this.page = page;
        this.session = session;
        this.notifier = notifier;
        page.put32(XenstoreRing.SERVER_FEATURES, FEATURES);
    }

    /** Empties the ring, forgets what the session was doing, and tells the guest if it waits for that. */
    void restart() {
        session.reset();
        page.put32(XenstoreRing.REQ_CONS, 0);
        page.put32(XenstoreRing.REQ_PROD, 0);
        page.put32(XenstoreRing.RSP_CONS, 0);
        page.put32(XenstoreRing.RSP_PROD, 0);
        page.put32(XenstoreRing.ERROR, XenstoreRing.ERROR_NONE);
        if (page.get32(XenstoreRing.CONNECTION) == XenstoreRing.RECONNECT) {
            page.put32(XenstoreRing.CONNECTION, XenstoreRing.CONNECTED);
            notifier.run();
        }
    }

    /**
     * Moves bytes both ways and carries out requests. Returns how many requests, or pieces of one, it took in; at {@code limit}
     * it stops although there may be more.
     */
    int serve(int limit) {
        if (page.get32(XenstoreRing.CONNECTION) == XenstoreRing.RECONNECT) {
            restart();
            return 0;
        }
        boolean moved = send();
        int pieces = 0;
        while (pieces < limit && receive()) {
            pieces++;
            send();
        }
        if (moved || pieces > 0) {
            notifier.run();
        }
        return pieces;
    }

    /** Takes in up to one request. Returns whether there was something. */
    private boolean receive() {
        if (!session.wantsInput()) {
            return false;
        }
        int consumer = page.get32(XenstoreRing.REQ_CONS);
        int available = page.get32(XenstoreRing.REQ_PROD) - consumer;
        if (isImpossible(available)) {
            fail(XenstoreRing.ERROR_RINGIDX);
            return false;
        }
        int start = consumer & XenstoreRing.RING_SIZE - 1;
        int unwrapped = Math.min(available, XenstoreRing.RING_SIZE - start);
        page.read(XenstoreRing.REQ + start, piece, 0, unwrapped);
        page.read(XenstoreRing.REQ, piece, unwrapped, available - unwrapped);
        int taken = session.feed(piece, 0, available);
        page.put32(XenstoreRing.REQ_CONS, consumer + taken);
        if (session.error() != XenstoreRing.ERROR_NONE) {
            fail(session.error());
        }
        return taken > 0;
    }

    /** Puts out what fits. Returns whether that was anything. */
    private boolean send() {
        if (!session.hasOutput()) {
            return false;
        }
        int producer = page.get32(XenstoreRing.RSP_PROD);
        int used = producer - page.get32(XenstoreRing.RSP_CONS);
        if (isImpossible(used)) {
            fail(XenstoreRing.ERROR_RINGIDX);
            return false;
        }
        int count = session.take(piece, 0, XenstoreRing.RING_SIZE - used);
        int start = producer & XenstoreRing.RING_SIZE - 1;
        int unwrapped = Math.min(count, XenstoreRing.RING_SIZE - start);
        page.write(XenstoreRing.RSP + start, piece, 0, unwrapped);
        page.write(XenstoreRing.RSP, piece, unwrapped, count - unwrapped);
        page.put32(XenstoreRing.RSP_PROD, producer + count);
        return count > 0;
    }

    private static boolean isImpossible(int distance) {
        return Integer.compareUnsigned(distance, XenstoreRing.RING_SIZE) > 0;
    }

    private void fail(int reason) {
        session.fail(reason);
        page.put32(XenstoreRing.ERROR, reason);
    }
}
