package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.NetworkContext;
import dev.xenolith.dom0.net.packet.Bytes;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** DNS over TCP (RFC 7766) at the {@link DnsResponder}: queries behind their lengths, one answered after the other. */
final class DnsStream implements HostStream {
    private static final int MAX_QUERY = 4096;
    /** Answers that the guest may leave unread before more is asked. */
    private static final int MAX_ANSWERS = 16;

    private final NetworkContext context;
    private final DnsResponder responder;
    private final Listener listener;
    private final Deque<byte[]> answers = new ArrayDeque<>();
    private byte[] input = {};
    private boolean asking;
    private boolean reading;
    private boolean writing;
    private boolean ended;
    private boolean closed;

    DnsStream(NetworkContext context, DnsResponder responder, Listener listener) {
        this.context = context;
        this.responder = responder;
        this.listener = listener;
        context.post(listener::connected);
    }

    @Override
    public void read() {
        reading = true;
        context.post(this::give);
    }

    @Override
    public void write(byte[] data) {
        int old = input.length;
        input = Arrays.copyOf(input, old + data.length);
        System.arraycopy(data, 0, input, old, data.length);
        writing = true;
        context.post(this::ask);
    }

    @Override
    public void shutdownOutput() {
        ended = true;
        context.post(this::give);
    }

    @Override
    public void close() {
        closed = true;
        answers.clear();
    }

    @Override
    public void reset() {
        close();
    }

    /** Asks the next query, if it is there whole; only then more is wanted of the guest. */
    private void ask() {
        if (closed || asking || answers.size() >= MAX_ANSWERS) {
            return;
        }
        int length = input.length < 2 ? MAX_QUERY : Bytes.get16(input, 0);
        if (length > MAX_QUERY) {
            listener.failed(new IllegalArgumentException("a DNS query of " + length + " bytes"));
            return;
        }
        if (input.length >= 2 && input.length >= 2 + length) {
            byte[] query = Arrays.copyOfRange(input, 2, 2 + length);
            input = Arrays.copyOfRange(input, 2 + length, input.length);
            asking = true;
            responder.answer(query, this::answered);
        } else if (writing) {
            writing = false;
            listener.written();
        }
    }

    private void answered(byte @Nullable [] answer) {
        asking = false;
        if (closed) {
            return;
        }
        if (answer != null) {
            byte[] framed = new byte[2 + answer.length];
            Bytes.put16(framed, 0, answer.length);
            System.arraycopy(answer, 0, framed, 2, answer.length);
            answers.add(framed);
        }
        give();
        ask();
    }

    private void give() {
        if (closed || !reading) {
            return;
        }
        byte[] answer = answers.poll();
        if (answer != null) {
            reading = false;
            listener.received(answer);
            ask();
        } else if (ended && !asking) {
            reading = false;
            listener.ended();
        }
    }
}
