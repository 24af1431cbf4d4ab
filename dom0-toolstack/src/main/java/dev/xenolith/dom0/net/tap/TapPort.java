package dev.xenolith.dom0.net.tap;

import dev.xenolith.dom0.net.Bridge;
import dev.xenolith.dom0.net.Link;
import dev.xenolith.dom0.net.NetworkContext;
import dev.xenolith.dom0.net.NetworkException;
import dev.xenolith.dom0.net.NetworkPort;
import dev.xenolith.dom0.net.Uplink;
import dev.xenolith.dom0.net.packet.Offload;
import dev.xenolith.dom0.net.packet.OffloadFeatures;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A TAP interface of the host at a bridge. A thread of its own reads frames and posts them; so many may be on their way, and
 * more are dropped, as by a full queue of a network card. Writes do not wait. Checksums and segments are made by the bridge.
 */
public final class TapPort implements NetworkPort, Uplink.Connection {
    private static final int MAX_IN_FLIGHT = 256;

    private final NetworkContext context;
    private final TunDevice device;
    private final Link link;
    private final AtomicInteger inFlight = new AtomicInteger();
    private byte[] scratch = new byte[2048];
    private volatile boolean closed;
    /** Counted by the reader. */
    private volatile long overrun;

    private TapPort(NetworkContext context, Bridge bridge, TunDevice device) throws NetworkException {
        this.context = context;
        this.device = device;
        link = bridge.attach(this);
        Thread.ofPlatform().daemon().name("tap " + device.name()).start(this::read);
    }

    /**
     * Attaches a TAP interface to a bridge.
     *
     * @param name of the interface, which is made if there is none and we may
     * @throws NetworkException naming what is missing
     */
    public static TapPort attach(Bridge bridge, NetworkContext context, String name) throws NetworkException {
        TunDevice device = TunDevice.open(name);
        try {
            return new TapPort(context, bridge, device);
        } catch (NetworkException e) {
            device.close();
            throw e;
        }
    }

    /** What leads out of a bridge by such an interface. */
    public static Uplink uplink(NetworkContext context, String name) {
        return bridge -> attach(bridge, context, name);
    }

    /** Frames of the host that were dropped because the machine did not take them in time. */
    public long overrun() {
        return overrun;
    }

    public Link link() {
        return link;
    }

    @Override
    public String name() {
        return device.name();
    }

    @Override
    public OffloadFeatures features() {
        return OffloadFeatures.NONE;
    }

    @Override
    public boolean deliver(byte[] buffer, int offset, int length, Offload offload) {
        if (closed) {
            return false;
        }
        if (offset == 0) {
            return device.write(buffer, length);
        }
        if (scratch.length < length) {
            scratch = new byte[Bridge.MAX_FRAME];
        }
        System.arraycopy(buffer, offset, scratch, 0, length);
        return device.write(scratch, length);
    }

    private void read() {
        byte[] buffer = new byte[Bridge.MAX_FRAME];
        while (!closed) {
            int length = device.await() ? device.read(buffer) : 0;
            if (length < 0) {
                break;
            }
            if (length == 0) {
                continue;
            }
            if (inFlight.get() >= MAX_IN_FLIGHT) {
                overrun = overrun + 1;
                continue;
            }
            inFlight.incrementAndGet();
            byte[] frame = Arrays.copyOf(buffer, length);
            context.post(() -> {
                inFlight.decrementAndGet();
                link.send(frame, 0, frame.length, Offload.NONE);
            });
        }
        if (closed) {
            device.close();
            return;
        }
        // The interface is gone, and the machine thread may be writing to it.
        context.post(() -> {
            closed = true;
            link.detach();
            device.close();
        });
    }

    /** Leaves the bridge; the interface is let go when its reader has noticed, which takes no second. */
    @Override
    public void close() {
        closed = true;
        link.detach();
    }
}
