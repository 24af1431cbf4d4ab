package dev.xenolith.dom0.backend.block;

import dev.xenolith.dom0.backend.BackRing;
import dev.xenolith.dom0.backend.BackendDevice;
import dev.xenolith.hypervisor.abi.Blkif;
import dev.xenolith.hypervisor.operations.DomainHandle;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * One ring of a block device and its event channel. Requests go to the disk as they come and are done in any order; a barrier waits for
 * those before it and holds up those after it.
 *
 * <p>They are answered in the order in which they came. So what has not been answered lies in the ring between the last response and the
 * last request, no response has overwritten it, and a backend that takes the ring over from one that died ({@link BackRing}) does it
 * again: nothing that was acknowledged is lost, and nothing waits for an answer for ever.
 */
final class BlockQueue {
    /** What an event and each request are charged, and so many bytes to a nanosecond are copied, in ns of machine time. */
    private static final long EVENT_TIME = 1_000;
    private static final long REQUEST_TIME = 1_500;
    private static final int COPY_SHIFT = 3;
    /**
     * While buffers of requests under way have so many bytes, no further request is taken: a full ring could ask for half a gigabyte. As
     * much is kept for later requests.
     */
    private static final long MOST_BUFFERED = 4 << 20;

    private final BackendDevice device;
    private final DomainHandle handle;
    private final Drive drive;
    private final BlockProtocol protocol;
    private final BackRing ring;
    private final GuestPages pages;
    private final int port;
    private final byte[] entry;
    /** Requests that have been taken and not been answered, in order. */
    private final ArrayDeque<BlockRequest> unanswered = new ArrayDeque<>();
    private final ArrayDeque<BlockRequest> spare = new ArrayDeque<>();
    /** A barrier that waits until nothing is under way; or is under way itself. */
    private @Nullable BlockRequest barrier;
    private int underWay;
    /** Bytes of the buffers of requests that have not been answered, and of those in {@link #spare}. */
    private long buffered;
    private long spareBytes;
    private boolean closed;

    /** Serves {@code ring}; all of it, {@code pages} and {@code port} are this object's from now on. */
    BlockQueue(BackendDevice device, Drive drive, BlockProtocol protocol, BackRing ring, GuestPages pages, int port) {
        this.device = device;
        this.handle = device.handle();
        this.drive = drive;
        this.protocol = protocol;
        this.ring = ring;
        this.pages = pages;
        this.port = port;
        entry = new byte[protocol.entryBytes];
    }

    /** Begins: the frontend may have sent requests already. Does nothing if the queue has been closed. */
    void start() {
        if (!closed) {
            handle.events().onEvent(port, this::onEvent);
            onEvent();
        }
    }

    private void onEvent() {
        if (closed) {
            return;
        }
        handle.charge(EVENT_TIME);
        serve();
    }

    /** Takes requests as long as there are any and no barrier is in the way. */
    private void serve() {
        boolean answered = false;
        do {
            int waiting = ring.waiting();
            if (waiting < 0) {
                device.fail("the frontend's request index is not one that its ring can have");
                return;
            }
            for (; waiting > 0 && takesRequests(); waiting--) {
                ring.page().read(ring.take(), entry, 0, entry.length);
                accept();
                answered |= answerFinished();
            }
        } while (takesRequests() && ring.await());
        if (answered) {
            publish();
        }
    }

    private boolean takesRequests() {
        return barrier == null && buffered < MOST_BUFFERED;
    }

    /** Takes on the request in {@link #entry}. */
    private void accept() {
        handle.charge(REQUEST_TIME);
        BlockRequest request = spare.isEmpty() ? new BlockRequest() : spare.pop();
        spareBytes -= request.data.length;
        int status = request.parse(protocol, entry, handle.grants(), device.frontendId());
        buffered += request.data.length;
        unanswered.add(request);
        Disk disk = drive.disk();
        if (disk == null) {
            finish(request, Blkif.RSP_ERROR);
            return;
        }
        if (status == Blkif.RSP_OKAY
                && !(request.fits(disk.sectors()) && (!request.writes() || mayWrite(disk, request)))) {
            status = Blkif.RSP_ERROR;
        }
        if (status == Blkif.RSP_OKAY && request.writes() && request.parts.count() != 0) {
            handle.charge(request.parts.bytes() >> COPY_SHIFT);
            if (!pages.read(request.parts, request.data)) {
                status = Blkif.RSP_ERROR;
            }
        }
        if (status != Blkif.RSP_OKAY) {
            finish(request, status);
        } else if (request.operation == Blkif.OP_WRITE_BARRIER) {
            barrier = request;
            startBarrier();
        } else {
            start(disk, request);
        }
    }

    /** A flush without data changes nothing. */
    private static boolean mayWrite(Disk disk, BlockRequest request) {
        return !disk.readOnly() || request.operation == Blkif.OP_FLUSH_DISKCACHE && request.parts.count() == 0;
    }

    private void startBarrier() {
        BlockRequest request = barrier;
        // The disk is the one that the barrier was checked against: where media change nothing is ever written.
        Disk disk = drive.disk();
        if (request != null && disk != null && underWay == 0) {
            start(disk, request);
        }
    }

    private void start(Disk disk, BlockRequest request) {
        underWay++;
        Disk.Done done = failure -> handle.post(() -> done(request, failure == null));
        int length = request.parts.bytes();
        switch (request.operation) {
            case Blkif.OP_READ -> disk.read(request.sector, request.data, length, done);
            case Blkif.OP_WRITE -> disk.write(request.sector, request.data, length, false, false, done);
            case Blkif.OP_DISCARD -> disk.discard(request.sector, request.discarded, done);
            default -> disk.write(request.sector, request.data, length, true, true, done);
        }
    }

    private void done(BlockRequest request, boolean successful) {
        underWay--;
        if (closed) {
            return;
        }
        boolean wasFull = buffered >= MOST_BUFFERED;
        boolean copied = true;
        if (successful && request.operation == Blkif.OP_READ) {
            handle.charge(request.parts.bytes() >> COPY_SHIFT);
            copied = pages.write(request.parts, request.data);
        }
        finish(request, successful && copied ? Blkif.RSP_OKAY : Blkif.RSP_ERROR);
        if (answerFinished()) {
            publish();
        }
        if (barrier == request) {
            barrier = null;
            serve();
        } else {
            startBarrier();
            if (wasFull && takesRequests()) {
                serve();
            }
        }
    }

    private static void finish(BlockRequest request, int status) {
        request.status = status;
        request.finished = true;
    }

    /** Answers the requests that are done and have none before them that is not. Returns whether there are any. */
    private boolean answerFinished() {
        boolean any = false;
        for (BlockRequest next = unanswered.peek(); next != null && next.finished; next = unanswered.peek()) {
            answer(unanswered.remove());
            any = true;
        }
        return any;
    }

    private void answer(BlockRequest request) {
        int at = ring.answer();
        ring.page().put64(at, request.id);
        ring.page().put8(at + protocol.responseOperation, request.operation);
        ring.page().put16(at + protocol.responseStatus, request.status);
        buffered -= request.data.length;
        if (spareBytes + request.data.length > MOST_BUFFERED) {
            request.dropBuffer();
        }
        spareBytes += request.data.length;
        spare.push(request);
    }

    private void publish() {
        if (ring.publish()) {
            handle.events().send(port);
        }
    }

    /** Touches nothing of the frontend's any more. What is under way with the disk goes on, unanswered. */
    void close() {
        if (!closed) {
            closed = true;
            handle.events().close(port);
            pages.release();
            ring.page().unmap();
        }
    }
}
