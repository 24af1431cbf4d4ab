package dev.xenolith.dom0.net.pcap;

import dev.xenolith.dom0.net.FrameObserver;
import dev.xenolith.dom0.net.packet.Offload;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A capture of a port in a file of the classic pcap format with nanoseconds (draft-ietf-opsawg-pcap; magic a1b23c4d, link type
 * Ethernet), for tcpdump and Wireshark. A thread of its own writes; if it falls behind, frames are left out and counted. Frames
 * are as they pass the port: with blank checksums and not cut, if the port takes them so.
 */
public final class PcapCapture implements FrameObserver, AutoCloseable {
    /** Bytes of a frame that are kept if nothing else is said: all. */
    public static final int DEFAULT_SNAP_LENGTH = 262_144;

    /** Records, and bytes, that wait to be written at most. */
    static final int MAX_QUEUED = 4096;
    static final long MAX_QUEUED_BYTES = 16L << 20;

    private static final int MAGIC_NANOSECONDS = 0xa1b23c4d;
    private static final int LINKTYPE_ETHERNET = 1;
    private static final int RECORD_HEADER = 16;
    private static final long SECOND = 1_000_000_000L;
    private static final byte[] END = {};

    private final Path file;
    private final int snapLength;
    private final long epoch;
    private final LongSupplier now;
    private final OutputStream out;
    private final BlockingQueue<byte[]> queue = new ArrayBlockingQueue<>(MAX_QUEUED + 1);
    private final AtomicLong queuedBytes = new AtomicLong();
    private final Thread writer;
    private volatile long written;
    private volatile @Nullable IOException failure;
    /** Changed on the machine thread only. */
    private volatile long dropped;
    private volatile boolean closed;

    private PcapCapture(Path file, int snapLength, long epoch, LongSupplier now) throws IOException {
        this.file = file;
        this.snapLength = snapLength;
        this.epoch = epoch;
        this.now = now;
        out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16);
        out.write(ByteBuffer.allocate(24).putInt(MAGIC_NANOSECONDS).putShort((short) 2).putShort((short) 4).putInt(0)
                .putInt(0).putInt(snapLength).putInt(LINKTYPE_ETHERNET).array());
        writer = Thread.ofPlatform().daemon().name("pcap " + file.getFileName()).start(this::write);
    }

    /**
     * Makes a file, in place of one that is there, and begins to capture what it is shown.
     *
     * @param snapLength bytes of each frame that are kept, 64..{@value #DEFAULT_SNAP_LENGTH}
     * @param epoch what the time was at machine time 0, ns since 1970
     * @param now machine time, ns
     * @throws IOException naming the file
     */
    public static PcapCapture open(Path file, int snapLength, long epoch, LongSupplier now) throws IOException {
        if (snapLength < 64 || snapLength > DEFAULT_SNAP_LENGTH) {
            throw new IOException(file + ": expected a snap length of 64 to " + DEFAULT_SNAP_LENGTH + " bytes, found "
                    + snapLength);
        }
        try {
            return new PcapCapture(file, snapLength, epoch, now);
        } catch (IOException e) {
            throw new IOException("cannot capture to " + file + ": " + e, e);
        }
    }

    @Override
    public void frame(byte[] buffer, int offset, int length, Offload offload, boolean fromPort) {
        int kept = Math.min(length, snapLength);
        if (closed || failure != null || queue.size() >= MAX_QUEUED
                || queuedBytes.get() + RECORD_HEADER + kept > MAX_QUEUED_BYTES) {
            dropped = dropped + 1;
            return;
        }
        long time = epoch + now.getAsLong();
        byte[] entry = new byte[RECORD_HEADER + kept];
        ByteBuffer.wrap(entry).putInt((int) (time / SECOND)).putInt((int) (time % SECOND)).putInt(kept).putInt(length)
                .put(buffer, offset, kept);
        queuedBytes.addAndGet(entry.length);
        queue.add(entry);
    }

    private void write() {
        try (out) {
            while (true) {
                byte[] entry = queue.poll();
                if (entry == null) {
                    // Whoever looks at the file while we capture sees what is there.
                    out.flush();
                    entry = queue.take();
                }
                if (entry == END) {
                    return;
                }
                queuedBytes.addAndGet(-entry.length);
                out.write(entry);
                written = written + 1;
            }
        } catch (IOException e) {
            failure = new IOException("capture to " + file + " ended: " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Frames written. */
    public long written() {
        return written;
    }

    /** Frames left out because the file could not be written as fast, or at all. */
    public long dropped() {
        return dropped;
    }

    /** Why the file cannot be written any more; null as long as it can. */
    public @Nullable IOException failure() {
        return failure;
    }

    /** Ends the capture; the file is complete some time later, when {@link #awaitEnd} returns. Does not wait. Any thread. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            if (!queue.offer(END)) {
                writer.interrupt();
            }
        }
    }

    /** Waits until everything has been written. Not on the machine thread. */
    public boolean awaitEnd(long timeout, TimeUnit unit) throws InterruptedException {
        return writer.join(Duration.of(timeout, unit.toChronoUnit()));
    }
}
