package dev.xenolith.dom0.host;

import dev.xenolith.dom0.protocol.Frames;
import dev.xenolith.dom0.protocol.Hello;
import dev.xenolith.dom0.xl.Client;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;

/**
 * The process at the other end of a connection, as a command sees it. Commands call from their own threads and wait; Netty
 * calls from the event loop and never waits.
 */
final class RemoteClient implements Client {
    /** Bytes of standard input asked for at a time. */
    static final int INPUT_WINDOW = 16 << 10;

    private static final int OUTPUT_PIECE = 32 << 10;

    private final Channel channel;
    private final Hello hello;
    private final InputStream in = new Input();
    private final OutputStream out = new Output(Frames.STDOUT);
    private final OutputStream err = new Output(Frames.STDERR);

    /** Guarded by this, like the four below. */
    private final Deque<byte[]> input = new ArrayDeque<>();
    private int inputOffset;
    private int inputAskedFor;
    private boolean inputEnded;
    private int columns;

    RemoteClient(Channel channel, Hello hello) {
        this.channel = channel;
        this.hello = hello;
        columns = hello.columns();
    }

    Hello hello() {
        return hello;
    }

    @Override
    public Path directory() {
        return Path.of(hello.directory());
    }

    @Override
    public Map<String, String> environment() {
        return hello.environment();
    }

    @Override
    public InputStream in() {
        return in;
    }

    @Override
    public OutputStream out() {
        return out;
    }

    @Override
    public OutputStream err() {
        return err;
    }

    @Override
    public boolean inIsTerminal() {
        return hello.inIsTerminal();
    }

    @Override
    public boolean outIsTerminal() {
        return hello.outIsTerminal();
    }

    @Override
    public synchronized int columns() {
        return columns > 0 ? columns : 80;
    }

    @Override
    public void rawMode(boolean raw) {
        if (hello.inIsTerminal()) {
            channel.writeAndFlush(frame(Frames.RAW, 1).writeByte(raw ? 1 : 0));
        }
    }

    /** Sends the exit code and closes. */
    ChannelFuture exit(int code) {
        return channel.writeAndFlush(frame(Frames.EXIT, 1).writeByte(code)).addListener(ChannelFutureListener.CLOSE);
    }

    /** Returns when the connection is closed, which after {@link #exit} means that the exit code was sent. */
    ChannelFuture closed() {
        return channel.closeFuture();
    }

    /** The client has sent input. Returns false if it sent more than it was asked for. */
    synchronized boolean received(byte[] bytes) {
        if (bytes.length > inputAskedFor || inputEnded) {
            return false;
        }
        inputAskedFor -= bytes.length;
        if (bytes.length > 0) {
            input.add(bytes);
        }
        notifyAll();
        return true;
    }

    /** There will be no more input. */
    synchronized void inputEnded() {
        inputEnded = true;
        notifyAll();
    }

    synchronized void resized(int newColumns) {
        columns = newColumns;
    }

    /** The channel can be written again, or is gone: those who wait for that look again. */
    synchronized void writabilityChanged() {
        notifyAll();
    }

    private ByteBuf frame(byte type, int length) {
        return channel.alloc().buffer(Frames.HEADER_SIZE + length).writeByte(type).writeInt(length);
    }

    private synchronized void awaitWritable() throws IOException {
        try {
            while (channel.isActive() && !channel.isWritable()) {
                wait();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while writing to the client");
        }
        if (!channel.isActive()) {
            throw new IOException("the client has gone");
        }
    }

    private synchronized int readInput(byte[] bytes, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        while (input.isEmpty() && !inputEnded) {
            if (inputAskedFor == 0) {
                inputAskedFor = INPUT_WINDOW;
                channel.writeAndFlush(frame(Frames.WANT_STDIN, 4).writeInt(INPUT_WINDOW));
            }
            try {
                wait();
            } catch (InterruptedException e) {
                throw new InterruptedIOException("interrupted while reading from the client");
            }
        }
        byte[] piece = input.peek();
        if (piece == null) {
            return -1;
        }
        int taken = Math.min(length, piece.length - inputOffset);
        System.arraycopy(piece, inputOffset, bytes, offset, taken);
        inputOffset += taken;
        if (inputOffset == piece.length) {
            input.remove();
            inputOffset = 0;
        }
        return taken;
    }

    private final class Input extends InputStream {
        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return readInput(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            return readInput(bytes, offset, length);
        }
    }

    private final class Output extends OutputStream {
        private final byte type;

        Output(byte type) {
            this.type = type;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[]{(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            int at = offset;
            while (at < offset + length) {
                int piece = Math.min(OUTPUT_PIECE, offset + length - at);
                awaitWritable();
                channel.writeAndFlush(frame(type, piece).writeBytes(bytes, at, piece));
                at += piece;
            }
        }
    }
}
