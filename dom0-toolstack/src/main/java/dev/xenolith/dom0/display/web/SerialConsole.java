package dev.xenolith.dom0.display.web;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArraySet;

/** A serial port's line as a {@link WebConsole}: what is sent is copied to a ring, from which browsers take at their own pace. */
public final class SerialConsole implements WebConsole {
    /** Bytes of output that are kept; who is further behind has lost some. */
    static final int CAPACITY = 64 << 10;

    /** Takes what is typed. */
    @FunctionalInterface
    public interface Line {
        /** Returns false if there is no room now. */
        boolean offer(byte value);
    }

    private final Line line;
    private final Set<SerialAttachment> attachments = new CopyOnWriteArraySet<>();
    private final byte[] ring = new byte[CAPACITY];
    /** Bytes that have been written ever; guarded by this. */
    private long written;

    public SerialConsole(Line line) {
        this.line = line;
    }

    /** A stream that passes everything on to {@code out} and copies it here. */
    public OutputStream copying(OutputStream out) {
        return new FilterOutputStream(out) {
            @Override
            public void write(int value) throws IOException {
                out.write(value);
                append(new byte[]{(byte) value}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                out.write(bytes, offset, length);
                append(bytes, offset, length);
            }
        };
    }

    private void append(byte[] bytes, int offset, int length) {
        synchronized (this) {
            for (int i = 0; i < length; i++) {
                ring[(int) (written++ % CAPACITY)] = bytes[offset + i];
            }
        }
        for (SerialAttachment each : attachments) {
            each.client.outputReady();
        }
    }

    @Override
    public Attachment attach(Client client) {
        SerialAttachment attachment = new SerialAttachment(client);
        attachments.add(attachment);
        client.outputReady();
        return attachment;
    }

    private final class SerialAttachment implements Attachment {
        private final Client client;
        /** The next byte to read, counted like {@link #written}. */
        private long position;

        SerialAttachment(Client client) {
            this.client = client;
            synchronized (SerialConsole.this) {
                position = Math.max(0, written - CAPACITY);
            }
        }

        @Override
        public int read(byte[] bytes) {
            synchronized (SerialConsole.this) {
                long lost = written - CAPACITY - position;
                if (lost > 0) {
                    position += lost;
                    byte[] note = ("\r\n[" + lost + " bytes were too fast]\r\n").getBytes(StandardCharsets.US_ASCII);
                    System.arraycopy(note, 0, bytes, 0, Math.min(note.length, bytes.length));
                    return Math.min(note.length, bytes.length);
                }
                int count = (int) Math.min(bytes.length, written - position);
                for (int i = 0; i < count; i++) {
                    bytes[i] = ring[(int) (position++ % CAPACITY)];
                }
                return count;
            }
        }

        @Override
        public int feed(byte[] bytes, int offset, int length) {
            int taken = 0;
            while (taken < length && line.offer(bytes[offset + taken])) {
                taken++;
            }
            return taken;
        }

        @Override
        public void detach() {
            attachments.remove(this);
        }
    }
}
