package dev.xenolith.dom0.xenstore;

import dev.xenolith.hypervisor.abi.XenstoreRing;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Messages on their way to a client, in order. What waits counts against the client's memory; an event that waits already is
 * not queued twice.
 */
final class Outbox {
    /** Replies up to this size are always queued, so that an error can be told (C: DEFAULT_BUFFER_SIZE). */
    private static final int SMALL_REPLY = 16;

    private record Event(String path, String token) {
    }

    /**
     * One message.
     *
     * @param event what it tells, or null for a reply
     * @param deadline machine time (ns) after which an event is dropped if nothing of it was taken
     */
    private record Message(byte[] bytes, @Nullable Event event, @Nullable Cause cause, long deadline) {
    }

    private final DomainRecord domain;
    private final Quotas quotas;
    private final Deque<Message> messages = new ArrayDeque<>();
    private final Set<Event> waiting = new HashSet<>();
    private int taken;

    Outbox(DomainRecord domain, Quotas quotas) {
        this.domain = domain;
        this.quotas = quotas;
    }

    boolean isEmpty() { return messages.isEmpty(); }

    int size() {
        return messages.size();
    }

    /** Queues a reply. Returns false if it is too much for the domain's memory. */
    boolean reply(int type, int requestId, int transactionId, byte[] payload, @Nullable Cause cause) {
        if (payload.length > SMALL_REPLY && !domain.mayGrow(payload.length + XenstoreRing.Header.SIZE, quotas)) {
            return false;
        }
        add(new Message(encode(type, requestId, transactionId, payload), null, cause, Long.MAX_VALUE));
        return true;
    }

    /** Queues a watch event, unless it is queued already or too much for the domain's memory. */
    void event(String path, String token, @Nullable Cause cause, long deadline) {
        byte[] payload = Payload.of(List.of(path, token));
        Event event = new Event(path, token);
        if (!StorePath.isSpecial(path) && waiting.contains(event)
                || !domain.mayGrow(payload.length + XenstoreRing.Header.SIZE, quotas)) {
            return;
        }
        waiting.add(event);
        add(new Message(encode(MessageType.WATCH_EVENT.code, 0, 0, payload), event, cause, deadline));
    }

    private void add(Message message) {
        messages.add(message);
        domain.addSessionMemory(message.bytes.length);
        if (message.cause != null) {
            message.cause.queued();
        }
    }

    private static byte[] encode(int type, int requestId, int transactionId, byte[] payload) {
        return ByteBuffer.allocate(XenstoreRing.Header.SIZE + payload.length).order(ByteOrder.LITTLE_ENDIAN)
                .putInt(type)
                .putInt(requestId).putInt(transactionId).putInt(payload.length).put(payload).array();
    }

    /** Takes up to {@code length} bytes. Returns how many. */
    int take(byte[] target, int offset, int length) {
        int done = 0;
        while (done < length && !messages.isEmpty()) {
            Message message = messages.element();
            int count = Math.min(length - done, message.bytes.length - taken);
            System.arraycopy(message.bytes, taken, target, offset + done, count);
            done += count;
            taken += count;
            if (taken == message.bytes.length) {
                messages.remove();
                taken = 0;
                finish(message);
            }
        }
        return done;
    }

    private void finish(Message message) {
        if (message.event != null) {
            waiting.remove(message.event);
        }
        domain.addSessionMemory(-message.bytes.length);
        if (message.cause != null) {
            message.cause.delivered();
        }
    }

    /** Drops events whose deadline has passed, but not one that was taken in part. */
    void expire(long now) {
        Iterator<Message> iterator = droppable();
        while (iterator.hasNext()) {
            Message message = iterator.next();
            if (message.deadline <= now) {
                iterator.remove();
                finish(message);
            }
        }
    }

    /** The earliest deadline of an event that can still be dropped, or {@link Long#MAX_VALUE}. */
    long nextDeadline() {
        Iterator<Message> iterator = droppable();
        long deadline = Long.MAX_VALUE;
        while (iterator.hasNext() && deadline == Long.MAX_VALUE) {
            deadline = iterator.next().deadline;
        }
        return deadline;
    }

    /** Messages of which nothing was taken. */
    private Iterator<Message> droppable() {
        Iterator<Message> iterator = messages.iterator();
        if (taken > 0) {
            iterator.next();
        }
        return iterator;
    }

    void clear() {
        Message message;
        while ((message = messages.poll()) != null) {
            finish(message);
        }
        taken = 0;
    }
}
