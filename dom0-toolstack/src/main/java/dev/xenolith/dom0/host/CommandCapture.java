package dev.xenolith.dom0.host;

import dev.xenolith.dom0.net.FrameObserver;
import dev.xenolith.dom0.net.Link;
import dev.xenolith.dom0.net.NetworkException;
import dev.xenolith.dom0.net.packet.Offload;
import dev.xenolith.dom0.net.pcap.PcapCapture;
import dev.xenolith.dom0.xl.NetworkCapture;
import dev.xenolith.dom0.xl.ToolstackException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** A capture for a command, which waits on its own thread. */
final class CommandCapture implements NetworkCapture {
    private static final long LOOK_MILLIS = 500;
    private static final long END_SECONDS = 10;

    private final HostToolstack asker;
    private final PcapCapture capture;
    private final CountDownLatch ended = new CountDownLatch(1);
    private final FrameObserver observer = new FrameObserver() {
        @Override
        public void frame(byte[] buffer, int offset, int length, Offload offload, boolean fromPort) {
            capture.frame(buffer, offset, length, offload, fromPort);
        }

        @Override
        public void ended() {
            ended.countDown();
        }
    };
    private final Link link;

    /** Opens the file, on the caller's thread, and begins. */
    CommandCapture(HostToolstack asker, HostNetwork network, String port, Path file, int snapLength, Instant bootTime,
            LongSupplier now) {
        this.asker = asker;
        try {
            asker.ask(() -> network.require(port));
            long epoch = TimeUnit.SECONDS.toNanos(bootTime.getEpochSecond()) + bootTime.getNano();
            capture = PcapCapture.open(file, snapLength, epoch, now);
        } catch (IOException e) {
            throw new ToolstackException(ToolstackException.FAILURE, String.valueOf(e.getMessage()), e);
        }
        try {
            link = asker.ask(() -> {
                Link found = network.require(port);
                try {
                    found.addObserver(observer);
                } catch (NetworkException e) {
                    throw ToolstackException.failure(String.valueOf(e.getMessage()));
                }
                return found;
            });
        } catch (RuntimeException e) {
            capture.close();
            throw e;
        }
    }

    @Override
    public void await() throws InterruptedException {
        while (!ended.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
            asker.requireRunning();
            IOException failure = capture.failure();
            if (failure != null) {
                throw new ToolstackException(ToolstackException.FAILURE, String.valueOf(failure.getMessage()), failure);
            }
        }
    }

    @Override
    public long written() {
        return capture.written();
    }

    @Override
    public long dropped() {
        return capture.dropped();
    }

    @Override
    public void close() {
        asker.tell(() -> link.removeObserver(observer));
        capture.close();
        boolean interrupted = Thread.interrupted();
        try {
            capture.awaitEnd(END_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
