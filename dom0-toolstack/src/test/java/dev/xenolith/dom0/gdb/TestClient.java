package dev.xenolith.dom0.gdb;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A scripted debugger: sends packets and reads their answers, with acknowledgements. */
public final class TestClient implements AutoCloseable {
    private final Socket socket = new Socket();
    private final InputStream in;

    /** Connects. */
    public TestClient(InetSocketAddress address) throws IOException {
        socket.setSoTimeout(20_000);
        socket.connect(address);
        in = socket.getInputStream();
    }

    /** Sends bytes as they are. */
    public void raw(String bytes) throws IOException {
        socket.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Sends a packet. */
    public void send(String packet) throws IOException {
        int sum = packet.chars().sum() & 0xff;
        raw(String.format("$%s#%02x", packet, sum));
    }

    /** Next byte; -1 at the end. */
    public int read() throws IOException {
        return in.read();
    }

    /** The next packet; acknowledgements before it are skipped. */
    public String receive() throws IOException {
        int next = in.read();
        while (next == '+') {
            next = in.read();
        }
        if (next != '$') {
            throw new EOFException("expected a packet, found " + next);
        }
        ByteArrayOutputStream contents = new ByteArrayOutputStream();
        int sum = 0;
        for (next = in.read(); next != '#'; next = in.read()) {
            if (next < 0) {
                throw new EOFException("within a packet");
            }
            sum += next;
            if (next == '}') {
                next = in.read();
                sum += next;
                next ^= 0x20;
            }
            contents.write(next);
        }
        String checksum = new String(in.readNBytes(2), StandardCharsets.US_ASCII);
        if (Integer.parseInt(checksum, 16) != (sum & 0xff)) {
            throw new IOException("checksum");
        }
        raw("+");
        return contents.toString(StandardCharsets.ISO_8859_1);
    }

    /** Sends a packet and reads its answer. */
    public String ask(String packet) throws IOException {
        send(packet);
        return receive();
    }

    /** The value of register {@code number}. */
    public long register(int number) throws IOException {
        return Long.reverseBytes(Long.parseUnsignedLong(ask("p" + Integer.toHexString(number)), 16));
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
