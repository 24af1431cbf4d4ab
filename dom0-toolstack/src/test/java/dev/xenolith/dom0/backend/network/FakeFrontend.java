package dev.xenolith.dom0.backend.network;

import dev.xenolith.dom0.support.FakeHypervisor;
import dev.xenolith.dom0.support.FakePage;
import dev.xenolith.dom0.xenstore.XenstoreClient;
import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.hypervisor.abi.Netif;
import dev.xenolith.hypervisor.abi.Ring;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A network frontend whose rings are real pages; it does what it is told, be it right or wrong. */
final class FakeFrontend {
    static final int TRANSMIT_SIZE = 256;
    static final int RECEIVE_SIZE = 256;
    /** Grant references: of rings from here on, of pages to send and to receive into. */
    private static final int RINGS = 10;
    static final int SENT_PAGES = 1000;
    static final int RECEIVED_PAGES = 2000;

    /** A frame as it was received. */
    record Received(byte[] bytes, int flags, int segmentSize, int gsoType) {
    }

    /** A response to a request to send. */
    record Sent(int id, int status) {
    }

    final String frontend;
    final String backend;
    private final FakeHypervisor hypervisor;
    private final XenstoreClient store;
    private final int domid;
    private final List<FakePage> transmit = new ArrayList<>();
    private final List<FakePage> receive = new ArrayList<>();
    private int nextRing = RINGS;
    private int sendProduced;
    private int sendConsumed;
    private int postProduced;
    private int postConsumed;

    FakeFrontend(FakeHypervisor hypervisor, XenstoreClient store, int domid) {
        this.hypervisor = hypervisor;
        this.store = store;
        this.domid = domid;
        hypervisor.addDomain(domid);
        for (int i = 0; i < RECEIVE_SIZE; i++) {
            hypervisor.grant(domid, SENT_PAGES + i);
            hypervisor.grant(domid, RECEIVED_PAGES + i);
        }
        frontend = "/local/domain/" + domid + "/device/vif/0";
        backend = "/local/domain/0/backend/vif/" + domid + "/0";
    }

    /** What the toolstack writes. */
    void announce(Map<String, String> settings) throws XenstoreException {
        write("backend", backend);
        write("backend-id", "0");
        write("state", "1");
        for (Map.Entry<String, String> setting : settings.entrySet()) {
            store.writeText(backend + '/' + setting.getKey(), setting.getValue());
        }
        store.transaction(transaction -> {
            transaction.write(backend + "/frontend", frontend.getBytes(StandardCharsets.US_ASCII));
            transaction.write(backend + "/frontend-id",
                    Integer.toString(domid).getBytes(StandardCharsets.US_ASCII));
            transaction.write(backend + "/state", new byte[]{'1'});
            transaction.write(backend + "/online", new byte[]{'1'});
            return true;
        });
        hypervisor.run();
    }

    void write(String name, String value) throws XenstoreException {
        store.writeText(frontend + '/' + name, value);
    }

    void become(int state) throws XenstoreException {
        write("state", Integer.toString(state));
        hypervisor.run();
    }

    String told(String name) throws XenstoreException {
        String text = store.findText(backend + '/' + name);
        return text == null ? "" : text;
    }

    /** Makes rings, writes where they are, and connects with such features. */
    void connect(int queues, boolean split, String... features) throws XenstoreException {
        prepare(queues, split, features);
        become(4);
    }

    /** All of {@link #connect} but the last step. */
    void prepare(int queues, boolean split, String... features) throws XenstoreException {
        transmit.clear();
        receive.clear();
        sendProduced = 0;
        sendConsumed = 0;
        postProduced = 0;
        postConsumed = 0;
        for (int i = 0; i < queues; i++) {
            String prefix = queues == 1 ? "" : "queue-" + i + '/';
            transmit.add(ring(prefix + "tx-ring-ref"));
            receive.add(ring(prefix + "rx-ring-ref"));
            if (split) {
                write(prefix + "event-channel-tx", Integer.toString(2 * i + 1));
                write(prefix + "event-channel-rx", Integer.toString(2 * i + 2));
            } else {
                write(prefix + "event-channel", Integer.toString(2 * i + 1));
            }
        }
        if (queues > 1) {
            write("multi-queue-num-queues", Integer.toString(queues));
        }
        write("request-rx-copy", "1");
        for (String feature : features) {
            write(feature, "1");
        }
    }

    private FakePage ring(String node) throws XenstoreException {
        FakePage page = hypervisor.grant(domid, nextRing);
        page.put32(Ring.REQ_EVENT, 1);
        page.put32(Ring.RSP_EVENT, 1);
        write(node, Integer.toString(nextRing++));
        return page;
    }

    FakePage transmitRing(int queue) {
        return transmit.get(queue);
    }

    FakePage receiveRing(int queue) {
        return receive.get(queue);
    }

    FakePage page(int reference) {
        return hypervisor.granted(domid, reference);
    }

    // ---- sending, by the first queue ---------------------------------------------------------------------------------

    /** Puts a request into the ring, whose id is its index; it is not made known yet. */
    void request(int reference, int offset, int flags, int size) {
        int id = sendProduced & 0xffff;
        int at = slot();
        FakePage ring = transmit.getFirst();
        ring.put32(at, reference);
        ring.put16(at + 4, offset);
        ring.put16(at + 6, flags);
        ring.put16(at + 8, id);
        ring.put16(at + 10, size);
    }

    void extra(int type, int flags, int size, int kind) {
        FakePage ring = transmit.getFirst();
        int at = slot();
        ring.put8(at, type);
        ring.put8(at + 1, flags);
        ring.put16(at + 2, size);
        ring.put8(at + 4, kind);
    }

    void extraGroup(int type, byte[] address) {
        FakePage ring = transmit.getFirst();
        int at = slot();
        ring.put8(at, type);
        ring.put8(at + 1, 0);
        ring.write(at + 2, address, 0, 6);
    }

    private int slot() {
        return Ring.ENTRIES + (sendProduced++ & TRANSMIT_SIZE - 1) * 12;
    }

    /** Makes requests known, and notifies. */
    void push() {
        transmit.getFirst().put32(Ring.REQ_PROD, sendProduced);
        hypervisor.signalFrom(domid);
    }

    /** Puts a frame into pages and requests, so much in each. */
    void frame(byte[] bytes, int flags, int... lengths) {
        frame(bytes, flags, () -> {}, lengths);
    }

    /** Likewise, with extra information behind the first request. */
    void frame(byte[] bytes, int flags, Runnable extras, int... lengths) {
        int done = 0;
        for (int i = 0; i < lengths.length; i++) {
            int reference = SENT_PAGES + (sendProduced & TRANSMIT_SIZE - 1);
            int offset = Math.min(16 * i, 4096 - lengths[i]);
            page(reference).write(offset, bytes, done, lengths[i]);
            done += lengths[i];
            int more = i + 1 < lengths.length ? Netif.TX_MORE_DATA : 0;
            request(reference, offset, (i == 0 ? flags : 0) | more, i == 0 ? bytes.length : lengths[i]);
            if (i == 0) {
                extras.run();
            }
        }
    }

    /** Responses that have come since last asked. */
    List<Sent> sent() {
        FakePage ring = transmit.getFirst();
        List<Sent> responses = new ArrayList<>();
        while (sendConsumed != ring.get32(Ring.RSP_PROD)) {
            int at = Ring.ENTRIES + (sendConsumed++ & TRANSMIT_SIZE - 1) * 12;
            responses.add(new Sent(ring.get16(at), (short) ring.get16(at + 2)));
        }
        ring.put32(Ring.RSP_EVENT, sendConsumed + 1);
        return responses;
    }

    // ---- receiving, by the first queue -------------------------------------------------------------------------------

    /** Posts pages. */
    void post(int count) {
        FakePage ring = receive.getFirst();
        for (int i = 0; i < count; i++) {
            int at = Ring.ENTRIES + (postProduced & RECEIVE_SIZE - 1) * 8;
            ring.put16(at, postProduced & 0xffff);
            ring.put32(at + 4, RECEIVED_PAGES + (postProduced & RECEIVE_SIZE - 1));
            postProduced++;
        }
        ring.put32(Ring.REQ_PROD, postProduced);
    }

    void signal() {
        hypervisor.signalFrom(domid);
        hypervisor.run();
    }

    /** Frames that have come since last asked. */
    List<Received> received() {
        FakePage ring = receive.getFirst();
        List<Received> frames = new ArrayList<>();
        while (postConsumed != ring.get32(Ring.RSP_PROD)) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            int first = take(ring, bytes);
            int size = 0;
            int type = 0;
            if ((first & Netif.RX_EXTRA_INFO) != 0) {
                int at = Ring.ENTRIES + (postConsumed++ & RECEIVE_SIZE - 1) * 8;
                size = ring.get16(at + 2);
                type = ring.get8(at + 4);
            }
            for (int flags = first; (flags & Netif.RX_MORE_DATA) != 0;) {
                flags = take(ring, bytes);
            }
            frames.add(new Received(bytes.toByteArray(), first, size, type));
        }
        ring.put32(Ring.RSP_EVENT, postConsumed + 1);
        return frames;
    }

    private int take(FakePage ring, ByteArrayOutputStream bytes) {
        int at = Ring.ENTRIES + (postConsumed & RECEIVE_SIZE - 1) * 8;
        int status = (short) ring.get16(at + 6);
        if (status > 0) {
            byte[] part = new byte[status];
            page(RECEIVED_PAGES + (ring.get16(at) & RECEIVE_SIZE - 1)).read(ring.get16(at + 2), part, 0, status);
            bytes.writeBytes(part);
        }
        postConsumed++;
        return ring.get16(at + 4);
    }
}
