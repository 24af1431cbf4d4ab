package dev.xenolith.dom0.backend.block;

import dev.xenolith.dom0.support.FakeHypervisor;
import dev.xenolith.dom0.support.FakePage;
import dev.xenolith.dom0.xenstore.XenstoreClient;
import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.hypervisor.abi.Blkif;
import dev.xenolith.hypervisor.abi.Ring;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A block frontend, right or wrong as it is told. Where fields are is written here once more, as the C compiler has it for both layouts
 * (linux/drivers/block/xen-blkback/common.h, blkif_x86_32_request and blkif_x86_64_request).
 */
final class BlockFrontend {
    static final int OKAY = Blkif.RSP_OKAY;
    static final int ERROR = Blkif.RSP_ERROR;
    static final int UNKNOWN = Blkif.RSP_EOPNOTSUPP;
    /** Grant references: of rings, of pages of segments, and of pages of data, of which there are so many. */
    private static final int RINGS = 10;
    static final int SEGMENT_PAGES = 5000;
    static final int DATA = 1000;
    static final int PAGES = 1200;
    /** A reference that nothing is granted by. */
    static final int BAD = 77;
    private static final int PAGE = 4096;

    /** A response; {@code id} is that of the request. */
    record Answer(long id, int operation, int status) {
    }

    /** Sectors {@code first} to {@code last} of the page of a reference, or what a liar says are such. */
    record Segment(int reference, int first, int last) {
        static Segment of(int page) {
            return new Segment(DATA + page, 0, 7);
        }
    }

    /** A ring as the frontend sees it. */
    final class Queue {
        final int port;
        final List<FakePage> pages = new ArrayList<>();
        int produced;
        int consumed;
        private int slots;

        Queue(int port, int order, int firstReference) {
            this.port = port;
            for (int i = 0; i < 1 << order; i++) {
                pages.add(hypervisor.grant(BlockFixture.FRONTEND_DOMID, firstReference + i));
            }
            pages.getFirst().put32(Ring.REQ_EVENT, 1);
            pages.getFirst().put32(Ring.RSP_EVENT, 1);
        }

        FakePage head() {
            return pages.getFirst();
        }

        private void write(int at, byte[] bytes) {
            for (int i = 0; i < bytes.length; i++) {
                pages.get((at + i) / PAGE).put8((at + i) % PAGE, bytes[i]);
            }
        }

        /** Requests that fit into the ring. */
        int slots() {
            return slots;
        }

        int unanswered() {
            return produced - consumed;
        }

        boolean full() {
            return unanswered() >= slots;
        }

        /** Where the entry of a request is. */
        int entry(int index) {
            return 64 + (index & slots - 1) * entryBytes();
        }

        /** Puts a request into the ring; it is not made known yet. */
        void put(byte[] request) {
            write(entry(produced++), request);
        }

        /** Makes requests known, without an event. */
        void push() {
            head().put32(Ring.REQ_PROD, produced);
        }

        /** Sends an event, if that is asked for or not. */
        void signal() {
            hypervisor.signalFrom(BlockFixture.FRONTEND_DOMID, port);
        }

        /** Sends a request, and has the backend take it. */
        void send(byte[] request) {
            put(request);
            push();
            signal();
            hypervisor.run();
        }

        /** Responses that have come since last asked. */
        List<Answer> answers() {
            List<Answer> answers = new ArrayList<>();
            while (consumed != head().get32(Ring.RSP_PROD)) {
                byte[] bytes = new byte[12];
                int at = entry(consumed++);
                for (int i = 0; i < bytes.length; i++) {
                    bytes[i] = (byte) pages.get((at + i) / PAGE).get8((at + i) % PAGE);
                }
                ByteBuffer response = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
                answers.add(new Answer(response.getLong(0), response.get(8), response.getShort(10)));
            }
            head().put32(Ring.RSP_EVENT, consumed + 1);
            return answers;
        }
    }

    private final FakeHypervisor hypervisor;
    private final XenstoreClient store;
    private final List<Queue> queues = new ArrayList<>();
    private int nextRing = RINGS;
    private boolean narrow;

    BlockFrontend(FakeHypervisor hypervisor, XenstoreClient store) {
        this.hypervisor = hypervisor;
        this.store = store;
        for (int i = 0; i < PAGES; i++) {
            hypervisor.grant(BlockFixture.FRONTEND_DOMID, DATA + i);
        }
    }

    void write(String name, String value) throws XenstoreException {
        store.writeText(BlockFixture.FRONTEND + '/' + name, value);
    }

    void become(int state) throws XenstoreException {
        write("state", Integer.toString(state));
        hypervisor.run();
    }

    /** The first ring. */
    Queue queue() {
        return queues.getFirst();
    }

    Queue queue(int number) {
        return queues.get(number);
    }

    FakePage data(int page) {
        return hypervisor.granted(BlockFixture.FRONTEND_DOMID, DATA + page);
    }

    /** Fills a page of data with one value. */
    void fill(int page, int value) {
        byte[] bytes = new byte[PAGE];
        Arrays.fill(bytes, (byte) value);
        data(page).write(0, bytes, 0, PAGE);
    }

    /** One ring of a page, of 64-bit requests. */
    void connect() throws XenstoreException {
        connect(1, 0, false, false);
    }

    /**
     * Makes rings, writes where they are, and connects.
     *
     * @param order of the pages of each ring, as a power of two
     * @param narrow whether requests are laid out as 32-bit frontends have them
     */
    void connect(int count, int order, boolean persistent, boolean narrow) throws XenstoreException {
        prepare(count, order, persistent, narrow);
        become(3);
        become(4);
    }

    /** All of {@link #connect} but the states. */
    void prepare(int count, int order, boolean persistent, boolean isNarrow) throws XenstoreException {
        narrow = isNarrow;
        queues.clear();
        write("protocol", narrow ? "x86_32-abi" : "x86_64-abi");
        write("feature-persistent", persistent ? "1" : "0");
        if (count > 1) {
            write("multi-queue-num-queues", Integer.toString(count));
        }
        if (order > 0) {
            write("ring-page-order", Integer.toString(order));
        }
        for (int i = 0; i < count; i++) {
            String prefix = count == 1 ? "" : "queue-" + i + '/';
            Queue queue = new Queue(20 + i, order, nextRing);
            queue.slots = Integer.highestOneBit((PAGE * (1 << order) - 64) / entryBytes());
            for (int page = 0; page < 1 << order; page++) {
                write(prefix + (order == 0 ? "ring-ref" : "ring-ref" + page), Integer.toString(nextRing++));
            }
            write(prefix + "event-channel", Integer.toString(queue.port));
            queues.add(queue);
        }
    }

    private int entryBytes() {
        return narrow ? 108 : 112;
    }

    // ---- requests ----------------------------------------------------------------------------------------------------

    private ByteBuffer header(int operation, int second, long id, long sector) {
        return ByteBuffer.allocate(entryBytes()).order(ByteOrder.LITTLE_ENDIAN).put(0, (byte) operation)
                .put(1, (byte) second).putLong(narrow ? 4 : 8, id).putLong(narrow ? 12 : 16, sector);
    }

    /** A request with its segments in itself, of which it says that they are so many. */
    byte[] counted(int operation, int count, long id, long sector, List<Segment> segments) {
        ByteBuffer request = header(operation, count, id, sector).position(narrow ? 20 : 24);
        segments.forEach(segment -> put(request, segment));
        return request.array();
    }

    byte[] direct(int operation, long id, long sector, Segment... segments) {
        return counted(operation, segments.length, id, sector, List.of(segments));
    }

    private static void put(ByteBuffer request, Segment segment) {
        request.putInt(segment.reference).put((byte) segment.first).put((byte) segment.last).putShort((short) 0);
    }

    byte[] flush(long id) {
        return direct(Blkif.OP_FLUSH_DISKCACHE, id, 0);
    }

    byte[] discard(long id, int flag, long sector, long sectors) {
        return header(Blkif.OP_DISCARD, flag, id, sector).putLong(narrow ? 20 : 24, sectors).array();
    }

    /** A request whose segments are in pages that references name, and are said to be so many. */
    byte[] indirect(int operation, int count, long id, long sector, int... references) {
        ByteBuffer request = header(Blkif.OP_INDIRECT, operation, id, sector).putShort(2, (short) count)
                .position(narrow ? 24 : 28);
        for (int reference : references) {
            request.putInt(reference);
        }
        return request.array();
    }

    /** Fills pages of segments, from the reference {@code first} on, and returns a request that names them. */
    byte[] indirect(int operation, long id, long sector, int first, List<Segment> segments) {
        int[] references = new int[(segments.size() + 511) / 512];
        for (int page = 0; page < references.length; page++) {
            references[page] = first + page;
            List<Segment> here = segments.subList(512 * page, Math.min(segments.size(), 512 * (page + 1)));
            ByteBuffer bytes = ByteBuffer.allocate(PAGE).order(ByteOrder.LITTLE_ENDIAN);
            here.forEach(segment -> put(bytes, segment));
            hypervisor.grant(BlockFixture.FRONTEND_DOMID, first + page).write(0, bytes.array(), 0, PAGE);
        }
        return indirect(operation, segments.size(), id, sector, references);
    }
}
