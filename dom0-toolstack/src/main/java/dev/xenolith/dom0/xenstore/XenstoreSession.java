package dev.xenolith.dom0.xenstore;

import dev.xenolith.hypervisor.abi.XenstoreRing;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection that speaks the wire protocol: request bytes go in at {@link #feed}, reply and event bytes come out at
 * {@link #take}. Nothing that arrives can make it throw: bad requests are answered with an error, and a payload over the limit
 * fails the session, which then neither takes nor gives anything until {@link #reset}.
 */
public final class XenstoreSession {
    private static final Logger LOG = LoggerFactory.getLogger(XenstoreSession.class);

    /** How long an event waits for an unprivileged domain to read it, in ns of machine time. */
    static final long EVENT_TIMEOUT = 20_000_000_000L;

    /** Messages for a privileged client that wait before it has to read some to be heard again. */
    private static final int MAX_WAITING = 1024;

    private static final int HEADER = XenstoreRing.Header.SIZE;

    private final StoreConnection connection;
    private final Requests requests;
    private final Outbox outbox;
    private final Runnable wake;

    /** The request that is arriving. */
    private final byte[] message = new byte[HEADER + XenstoreRing.PAYLOAD_MAX];
    private final ByteBuffer header = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
    private int received;
    private int error = XenstoreRing.ERROR_NONE;

    /**
     * Connects.
     *
     * @param wake is called when an event has been queued
     */
    XenstoreSession(XenStore store, int domid, DomainManagement domains, Runnable wake) {
        this.wake = wake;
        connection = store.connect(domid, this::event);
        requests = new Requests(connection, domains);
        outbox = new Outbox(connection.domain, store.quotas);
        if (connection.isUnprivileged()) {
            connection.domain.writes = store.writeRate().open(store.now());
        }
    }

    /** Whether bytes can be fed: not after a failure, nor while the domain has used up what may wait, nor if it writes too fast. */
    public boolean wantsInput() {
        if (error != XenstoreRing.ERROR_NONE) {
            return false;
        }
        DomainRecord domain = connection.domain;
        Quotas quotas = connection.store.quotas;
        return connection.isUnprivileged()
                ? domain.outstanding < quotas.get(Quotas.Item.OUTSTANDING) && domain.mayGrow(0, quotas)
                        && heardFrom() <= connection.store.now()
                : outbox.size() < MAX_WAITING;
    }

    /** Machine time (ns) from which on a domain that writes too fast is heard; not after now if it does not. */
    long heardFrom() {
        WriteRate.Account account = connection.domain.writes;
        long now = connection.store.now();
        return account == null ? now : connection.store.writeRate().heardFrom(account, now);
    }

    /** Whether bytes can be taken. */
    public boolean hasOutput() {
        return !outbox.isEmpty();
    }

    /** Why the session stopped, as the ring's error field says it; ERROR_NONE while it works. */
    public int error() {
        return error;
    }

    /** Takes bytes in, at most up to the end of one request, which is then carried out. Returns how many were taken. */
    public int feed(byte[] source, int offset, int length) {
        int taken = 0;
        while (taken < length && wantsInput()) {
            int wanted = received < HEADER ? HEADER : HEADER + payloadLength();
            int count = Math.min(wanted - received, length - taken);
            System.arraycopy(source, offset + taken, message, received, count);
            received += count;
            taken += count;
            if (received == HEADER && Integer.compareUnsigned(payloadLength(), XenstoreRing.PAYLOAD_MAX) > 0) {
                fail(XenstoreRing.ERROR_PROTO);
                break;
            }
            if (received >= HEADER && received == HEADER + payloadLength()) {
                received = 0;
                process();
                break;
            }
        }
        return taken;
    }

    private int payloadLength() {
        return header.getInt(XenstoreRing.Header.LEN);
    }

    /** Hands out bytes for the client. Returns how many. */
    public int take(byte[] target, int offset, int length) {
        return outbox.take(target, offset, length);
    }

    private void process() {
        int code = header.getInt(XenstoreRing.Header.TYPE);
        int requestId = header.getInt(XenstoreRing.Header.REQ_ID);
        int transactionId = header.getInt(XenstoreRing.Header.TX_ID);
        byte[] payload = Arrays.copyOfRange(message, HEADER, HEADER + payloadLength());
        if (connection.store.logsRequests()) {
            LOG.info("d{} {} {} ({})", connection.domain.domid, code, Integer.toUnsignedString(transactionId),
                    Requests.printable(payload));
        }
        Cause cause = connection.isUnprivileged() ? new Cause(connection.domain) : null;
        if (cause != null) {
            cause.queued();
        }
        connection.setCause(cause);
        try {
            MessageType type = MessageType.request(code);
            if (type == null) {
                throw new XenstoreException(XenstoreError.ENOSYS, "type " + code);
            }
            reply(type, requestId, transactionId, requests.execute(type, transactionId, payload), cause);
        } catch (XenstoreException e) {
            outbox.reply(MessageType.ERROR.code, requestId, transactionId, Requests.error(e.error()), cause);
        } finally {
            connection.setCause(null);
            if (cause != null) {
                cause.delivered();
            }
        }
        if (connection.domain.becomesLarge(connection.store.quotas)) {
            LOG.warn("Domain {} exceeds soft memory quota", connection.domain.domid);
        }
        Watch watch = requests.takeAnnounced();
        if (watch != null) {
            connection.announce(watch);
        }
    }

    private void reply(MessageType type, int requestId, int transactionId, byte[] payload, @Nullable Cause cause)
            throws XenstoreException {
        if (payload.length > XenstoreRing.PAYLOAD_MAX) {
            throw new XenstoreException(XenstoreError.E2BIG, type.name());
        }
        if (!outbox.reply(type.code, requestId, transactionId, payload, cause)) {
            throw new XenstoreException(XenstoreError.ENOMEM, type.name());
        }
    }

    private void event(String path, String token, @Nullable Cause cause) {
        if (error == XenstoreRing.ERROR_NONE) {
            long deadline = connection.isUnprivileged() ? connection.store.now() + EVENT_TIMEOUT : Long.MAX_VALUE;
            outbox.event(path, token, cause, deadline);
            wake.run();
        }
    }

    /** Calls back once when a domain that is not heard for what it uses may be heard again. */
    void onRelief(Runnable action) {
        connection.domain.onRelief(action);
    }

    /** Drops events that an unprivileged domain has not read in time. */
    void expire() {
        outbox.expire(connection.store.now());
    }

    /** Machine time (ns) at which an event that waits now is to {@link #expire}, or {@link Long#MAX_VALUE}. */
    long nextDeadline() {
        return outbox.nextDeadline();
    }

    /** Stops for good, as far as the client is concerned: watches, transactions and messages are dropped. */
    void fail(int reason) {
        reset();
        error = reason;
    }

    /** Ends the connection. */
    public void close() {
        reset();
        WriteRate.Account account = connection.domain.writes;
        if (account != null) {
            connection.domain.writes = null;
            connection.store.writeRate().close(account);
        }
    }

    /** Starts anew, as if just connected. */
    public void reset() {
        connection.reset();
        outbox.clear();
        received = 0;
        error = XenstoreRing.ERROR_NONE;
    }
}
