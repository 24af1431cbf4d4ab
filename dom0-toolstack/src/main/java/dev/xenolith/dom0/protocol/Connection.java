package dev.xenolith.dom0.protocol;

import java.io.EOFException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** The client's end of the socket. One thread receives; any may send. */
public final class Connection implements AutoCloseable {
    private static final int INITIAL_BUFFER = 16 << 10;

    private final SocketChannel channel;
    private final ByteBuffer header = ByteBuffer.allocate(Frames.HEADER_SIZE);
    private byte[] payload = new byte[INITIAL_BUFFER];
    private int length;

    private Connection(SocketChannel channel) {
        this.channel = channel;
    }

    /**
     * Connects.
     *
     * @throws IOException nobody listens there
     */
    public static Connection open(Places places) throws IOException {
        return new Connection(SocketChannel.open(UnixDomainSocketAddress.of(places.socket())));
    }

    /** Sends a frame. */
    public void send(byte type, byte[] bytes, int offset, int count) throws IOException {
        ByteBuffer frame = ByteBuffer.allocate(Frames.HEADER_SIZE + count);
        frame.put(type).putInt(count).put(bytes, offset, count).flip();
        synchronized (this) {
            while (frame.hasRemaining()) {
                channel.write(frame);
            }
        }
    }

    /**
     * Waits for the next frame, whose payload is then in {@link #payload} up to {@link #length} until the next call.
     *
     * @return its type, or -1 if the daemon has closed the connection
     */
    public int receive() throws IOException {
        header.clear();
        while (header.hasRemaining()) {
            if (channel.read(header) < 0) {
                if (header.position() == 0) {
                    return -1;
                }
                throw new EOFException("the host closed the connection within a frame");
            }
        }
        header.flip();
        byte type = header.get();
        length = header.getInt();
        if (length < 0 || length > Frames.MAX_PAYLOAD) {
            throw new ProtocolException("a frame of " + length + " bytes from the host");
        }
        if (length > payload.length) {
            payload = new byte[length];
        }
        ByteBuffer rest = ByteBuffer.wrap(payload, 0, length);
        while (rest.hasRemaining()) {
            if (channel.read(rest) < 0) {
                throw new EOFException("the host closed the connection within a frame");
            }
        }
        return type;
    }

    /** Returns the buffer that holds the payload of the last frame; it is used again for the next. */
    public byte[] payload() {
        return payload;
    }

    /** Returns the length of the last payload, bytes. */
    public int length() {
        return length;
    }

    /** Returns the payload of the last frame as a number: its one byte, or its four, big-endian. */
    public int number() throws ProtocolException {
        return switch (length) {
            case 1 -> payload[0] & 0xff;
            case 4 -> ByteBuffer.wrap(payload).getInt();
            default -> throw new ProtocolException("a number of " + length + " bytes from the host");
        };
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
