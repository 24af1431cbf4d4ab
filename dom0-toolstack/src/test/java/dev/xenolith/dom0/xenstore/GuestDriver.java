package dev.xenolith.dom0.xenstore;

import dev.xenolith.dom0.support.FakeHypervisor;
import dev.xenolith.dom0.support.FakePage;
import dev.xenolith.hypervisor.abi.XenstoreRing;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The guest's end of a xenstore ring, as a kernel drives it. */
final class GuestDriver {
    final int domid;
    final FakePage page;
    private final FakeHypervisor hypervisor;
    private final ByteArrayOutputStream arrived = new ByteArrayOutputStream();
    private int nextRequest = 1;

    /** One message; {@code text} has its NULs as |. */
    record Message(int type, int requestId, int transactionId, String text) {
    }

    GuestDriver(FakeHypervisor hypervisor, int domid) {
        this.hypervisor = hypervisor;
        this.domid = domid;
        hypervisor.addDomain(domid);
        page = hypervisor.grant(domid, 1);
    }

    static byte[] encode(int type, int requestId, int transactionId, String text) {
        byte[] payload = text.replace('|', '\0').getBytes(StandardCharsets.ISO_8859_1);
        return ByteBuffer.allocate(16 + payload.length).order(ByteOrder.LITTLE_ENDIAN).putInt(type).putInt(requestId)
                .putInt(transactionId).putInt(payload.length).put(payload).array();
    }

    /** Sends one request and returns the reply; events go before or after it into {@code events}. */
    Message ask(MessageType type, int transactionId, String text, List<Message> events) {
        int id = nextRequest++;
        send(encode(type.code, id, transactionId, text));
        Message reply = null;
        for (Message message : receive()) {
            if (message.type == MessageType.WATCH_EVENT.code) {
                events.add(message);
            } else if (reply == null && message.requestId == id) {
                reply = message;
            } else {
                throw new AssertionError("unexpected " + message);
            }
        }
        if (reply == null) {
            throw new AssertionError("no reply to " + type + " " + text);
        }
        return reply;
    }

    /** The reply's payload, or the error's name. */
    String ask(MessageType type, String text) {
        return ask(type, 0, text, new ArrayList<>()).text;
    }

    /** Writes bytes, letting the daemon run whenever the ring is full. */
    void send(byte[] bytes) {
        int done = 0;
        while (done < bytes.length) {
            int count = write(bytes, done);
            hypervisor.signalFrom(domid);
            hypervisor.run();
            collect();
            hypervisor.run();
            if (count == 0 && write(bytes, done) == 0) {
                throw new AssertionError("the daemon takes nothing");
            }
            done += count;
        }
    }

    /** Writes what fits. Returns how much. */
    int write(byte[] bytes, int offset) {
        int producer = page.get32(XenstoreRing.REQ_PROD);
        int free = XenstoreRing.RING_SIZE - (producer - page.get32(XenstoreRing.REQ_CONS));
        int count = Math.min(free, bytes.length - offset);
        for (int i = 0; i < count; i++) {
            page.put8(XenstoreRing.REQ + (producer + i & XenstoreRing.RING_SIZE - 1), bytes[offset + i]);
        }
        page.put32(XenstoreRing.REQ_PROD, producer + count);
        return count;
    }

    /** All messages that come, letting the daemon run. */
    List<Message> receive() {
        int before;
        do {
            before = arrived.size();
            collect();
            hypervisor.signalFrom(domid);
            hypervisor.run();
        } while (arrived.size() != before || page.get32(XenstoreRing.RSP_PROD) != page.get32(XenstoreRing.RSP_CONS));
        return parse(arrived);
    }

    private void collect() {
        int consumer = page.get32(XenstoreRing.RSP_CONS);
        while (consumer != page.get32(XenstoreRing.RSP_PROD)) {
            arrived.write(page.get8(XenstoreRing.RSP + (consumer & XenstoreRing.RING_SIZE - 1)));
            consumer++;
        }
        page.put32(XenstoreRing.RSP_CONS, consumer);
    }

    /** Takes all whole messages out of a buffer. */
    static List<Message> parse(ByteArrayOutputStream arrived) {
        byte[] bytes = arrived.toByteArray();
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        List<Message> messages = new ArrayList<>();
        int start = 0;
        while (bytes.length - start >= 16 && bytes.length - start >= 16 + buffer.getInt(start + 12)) {
            int length = buffer.getInt(start + 12);
            String text = new String(bytes, start + 16, length, StandardCharsets.ISO_8859_1).replace('\0', '|');
            messages.add(new Message(buffer.getInt(start), buffer.getInt(start + 4), buffer.getInt(start + 8), text));
            start += 16 + length;
        }
        arrived.reset();
        arrived.write(bytes, start, bytes.length - start);
        return messages;
    }
}
