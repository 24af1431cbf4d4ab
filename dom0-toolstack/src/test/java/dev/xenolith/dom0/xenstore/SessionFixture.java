package dev.xenolith.dom0.xenstore;

import dev.xenolith.dom0.xenstore.GuestDriver.Message;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** A session that is fed and read directly, and a domain management that only remembers. */
final class SessionFixture implements DomainManagement {
    final StoreFixture stores;
    final XenstoreSession session;
    final Set<Integer> introduced = new TreeSet<>(Set.of(0));
    final List<String> managed = new ArrayList<>();
    private final ByteArrayOutputStream arrived = new ByteArrayOutputStream();
    private int nextRequest = 100;

    SessionFixture(StoreFixture stores, int domid) {
        this.stores = stores;
        session = new XenstoreSession(stores.store, domid, this, () -> {});
    }

    @Override
    public void introduce(int domid, int port) {
        managed.add("introduce " + domid + " " + port);
        introduced.add(domid);
    }

    @Override
    public void release(int domid) throws XenstoreException {
        if (!introduced.remove(domid)) {
            throw new XenstoreException(XenstoreError.ENOENT);
        }
        managed.add("release " + domid);
    }

    @Override
    public boolean isIntroduced(int domid) {
        return introduced.contains(domid);
    }

    @Override
    public void resume(int domid) {
        managed.add("resume " + domid);
    }

    @Override
    public void setTarget(int domid, int target) {
        managed.add("target " + domid + " " + target);
    }

    /** All that comes out. */
    List<Message> take() {
        byte[] piece = new byte[333];
        for (int count; (count = session.take(piece, 0, piece.length)) > 0;) {
            arrived.write(piece, 0, count);
        }
        return GuestDriver.parse(arrived);
    }

    void feed(byte[] bytes) {
        int done = 0;
        for (int count = 1; done < bytes.length && count > 0; done += count) {
            count = session.feed(bytes, done, bytes.length - done);
        }
    }

    /** Sends a request and returns all that comes out for it: events, and the reply without its ids. */
    List<String> exchange(int type, int transaction, String text) {
        int id = nextRequest++;
        feed(GuestDriver.encode(type, id, transaction, text));
        List<String> lines = new ArrayList<>();
        for (Message message : take()) {
            if (message.type() == MessageType.WATCH_EVENT.code) {
                if (message.requestId() != 0 || message.transactionId() != 0) {
                    throw new AssertionError("event with ids: " + message);
                }
            } else if (message.requestId() != id || message.transactionId() != transaction) {
                throw new AssertionError("reply to something else: " + message);
            }
            lines.add(name(message.type()) + " " + message.text());
        }
        return lines;
    }

    private static String name(int code) {
        for (MessageType type : MessageType.values()) {
            if (type.code == code) {
                return type.name();
            }
        }
        return "?" + code;
    }

    /** The only reply to a request. */
    String ask(MessageType type, int transaction, String text) {
        List<String> lines = exchange(type.code, transaction, text);
        if (lines.size() != 1) {
            throw new AssertionError(lines);
        }
        return lines.getFirst();
    }

    @Nullable
    DomainRecord record(int domid) {
        return stores.store.domains.find(domid);
    }
}
