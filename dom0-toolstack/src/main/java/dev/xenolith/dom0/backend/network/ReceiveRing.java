package dev.xenolith.dom0.backend.network;

import dev.xenolith.dom0.backend.BackRing;
import dev.xenolith.dom0.backend.BackendDevice;
import dev.xenolith.dom0.net.packet.Gso;
import dev.xenolith.dom0.net.packet.Offload;
import dev.xenolith.hypervisor.abi.Netif;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.Grants;
import dev.xenolith.hypervisor.operations.SharedPage;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * What a guest receives. Frames are copied at once into pages that the frontend has posted; if these are too few, some frames wait for
 * more, a while, and what does not fit is dropped: a guest that posts nothing costs no more than that.
 */
final class ReceiveRing {
    static final int ENTRY = Math.max(Netif.RX_REQUEST.size(), Netif.RX_RESPONSE.size());

    /** Bytes of frames that wait at most: as many as half a ring of pages holds, like netback. */
    static final int MAX_QUEUED_BYTES = 128 * Grants.PAGE;
    /** Frames that wait at most, however small. */
    static final int MAX_QUEUED_FRAMES = 1024;
    /** How long a frame waits, ns; and how long if the frontend does not say when it posts pages, as netback. */
    static final long DRAIN_TIME = 10_000_000_000L;
    static final long DRAIN_TIME_UNNOTIFIED = 30_000_000L;

    /** What each frame is charged, and so many bytes to a nanosecond are copied, in ns of machine time. */
    private static final long FRAME_TIME = 1_000;
    private static final int COPY_SHIFT = 3;

    private static final int GREF = Netif.RX_REQUEST.offset("gref");
    private static final int OFFSET = Netif.RX_RESPONSE.offset("offset");
    private static final int FLAGS = Netif.RX_RESPONSE.offset("flags");
    private static final int STATUS = Netif.RX_RESPONSE.offset("status");
    private static final int EXTRA_FLAGS = Netif.EXTRA_INFO.offset("flags");
    private static final int GSO_SIZE = Netif.EXTRA_INFO.offset("u.gso.size");
    private static final int GSO_TYPE = Netif.EXTRA_INFO.offset("u.gso.type");
    private static final int GSO_FEATURES = Netif.EXTRA_INFO.offset("u.gso.features");

    private final BackendDevice device;
    private final DomainHandle handle;
    private final BackRing ring;
    private final int port;
    private final long drainTime;
    private final Deque<Waiting> queue = new ArrayDeque<>();
    private int queuedBytes;
    private DomainHandle.@Nullable Timer drain;
    private boolean closed;

    private record Waiting(byte[] frame, Offload offload, long since) {
    }

    /**
     * Fills requests of {@code ring}, which is this object's from now on, and notifies by {@code port}.
     *
     * @param notified whether the frontend says when it posts pages
     */
    ReceiveRing(BackendDevice device, BackRing ring, int port, boolean notified) {
        this.device = device;
        this.handle = device.handle();
        this.ring = ring;
        this.port = port;
        drainTime = notified ? DRAIN_TIME : DRAIN_TIME_UNNOTIFIED;
    }

    /** Takes a frame. Returns false if there is no room for it. */
    boolean deliver(byte[] buffer, int offset, int length, Offload offload) {
        if (closed) {
            return false;
        }
        if (queue.isEmpty() && place(buffer, offset, length, offload)) {
            publish();
            return true;
        }
        if (closed || queue.size() == MAX_QUEUED_FRAMES || queuedBytes + length > MAX_QUEUED_BYTES) {
            return false;
        }
        queue.add(new Waiting(Arrays.copyOfRange(buffer, offset, offset + length), offload, handle.now()));
        queuedBytes += length;
        if (drain == null) {
            drain = handle.at(handle.now() + drainTime, this::drain);
        }
        return true;
    }

    /** The frontend may have posted pages: what waits goes there. */
    void serve() {
        if (closed || queue.isEmpty()) {
            return;
        }
        for (Waiting next = queue.peek(); next != null; next = queue.peek()) {
            if (!place(next.frame, 0, next.frame.length, next.offload)) {
                break;
            }
            drop();
        }
        if (!closed) {
            publish();
        }
    }

    private void drop() {
        queuedBytes -= queue.remove().frame.length;
    }

    /** Time is up for the oldest frame. */
    private void drain() {
        drain = null;
        serve();
        long oldest = handle.now() - drainTime;
        for (Waiting next = queue.peek(); next != null; next = queue.peek()) {
            if (next.since > oldest) {
                drain = handle.at(next.since + drainTime, this::drain);
                break;
            }
            drop();
        }
    }

    /** Puts a frame into posted pages, if there are enough. */
    private boolean place(byte[] buffer, int offset, int length, Offload offload) {
        int pages = (length + Grants.PAGE - 1) / Grants.PAGE;
        int needed = pages + (offload.isGso() ? 1 : 0);
        int waiting = ring.waiting();
        while (waiting >= 0 && waiting < needed) {
            if (!ring.await(waiting)) {
                return false;
            }
            waiting = ring.waiting();
        }
        if (waiting < 0) {
            device.fail("the frontend's request index is not one that its receive ring can have");
            return false;
        }
        handle.charge(FRAME_TIME + (length >> COPY_SHIFT));
        int first = (offload.isBlank() ? Netif.RX_CSUM_BLANK : 0)
                | (offload.isBlank() || offload.validated() ? Netif.RX_DATA_VALIDATED : 0)
                | (offload.isGso() ? Netif.RX_EXTRA_INFO : 0);
        for (int done = 0; done < length; done += Grants.PAGE) {
            int here = Math.min(length - done, Grants.PAGE);
            fill(buffer, offset + done, here,
                    (done == 0 ? first : 0) | (done + here < length ? Netif.RX_MORE_DATA : 0));
            if (done == 0 && offload.isGso()) {
                putSegments(offload);
            }
        }
        return true;
    }

    private void fill(byte[] buffer, int offset, int length, int flags) {
        SharedPage page = ring.page();
        int request = ring.take();
        int id = page.get16(request);
        int copied = handle.grants().copyTo(device.frontendId(), page.get32(request + GREF), 0, buffer, offset, length);
        int at = ring.answer();
        page.put16(at, id);
        page.put16(at + OFFSET, 0);
        page.put16(at + FLAGS, flags);
        page.put16(at + STATUS, copied == 0 ? length : Netif.RSP_ERROR);
    }

    /** Says in a slot of its own what the frame is to be cut into; the request there is used up. */
    private void putSegments(Offload offload) {
        SharedPage page = ring.page();
        ring.take();
        int at = ring.answer();
        page.put8(at, Netif.EXTRA_TYPE_GSO);
        page.put8(at + EXTRA_FLAGS, 0);
        page.put16(at + GSO_SIZE, offload.segmentSize());
        page.put16(at + GSO_TYPE, offload.gso() == Gso.TCPV4 ? Netif.GSO_TYPE_TCPV4 : Netif.GSO_TYPE_TCPV6);
        page.put16(at + GSO_FEATURES, 0);
    }

    private void publish() {
        if (ring.publish()) {
            handle.events().send(port);
        }
    }

    /** Frames that wait for pages. */
    int queued() {
        return queue.size();
    }

    /** Touches nothing of the frontend's any more. */
    void close() {
        closed = true;
        queue.clear();
        queuedBytes = 0;
        if (drain != null) {
            drain.cancel();
            drain = null;
        }
        ring.page().unmap();
    }
}
