package dev.xenolith.dom0.net;

import dev.xenolith.dom0.net.packet.Offload;
import dev.xenolith.dom0.net.packet.SoftwareOffload;
import java.util.ArrayList;
import java.util.List;

/** A port's attachment to a bridge: what it sends through, and where its frames are counted. Machine thread only. */
public final class Link {
    /** Most observers of one link. */
    public static final int MAX_OBSERVERS = 16;

    /**
     * What has passed. Directions are the port's: sent by it, delivered to it. GSO frames count as one frame where they pass whole.
     *
     * @param sentFrames frames that the port has sent
     * @param sentBytes their bytes
     * @param sentMalformed sent ones that were dropped: too short, too long, a group address as source, offload that does not fit them
     * @param deliveredFrames frames that the port has taken
     * @param deliveredBytes their bytes
     * @param droppedFrames frames that the port had no room for
     * @param unfinishable frames for the port whose checksum or segments could not be made
     */
    public record Counters(long sentFrames, long sentBytes, long sentMalformed, long deliveredFrames,
            long deliveredBytes, long droppedFrames, long unfinishable) {
    }

    private final Bridge bridge;
    private final NetworkPort port;
    private List<FrameObserver> observers = List.of();
    private boolean attached = true;
    private long sentFrames;
    private long sentBytes;
    private long sentMalformed;
    private long deliveredFrames;
    private long deliveredBytes;
    private long droppedFrames;
    private long unfinishable;

    Link(Bridge bridge, NetworkPort port) {
        this.bridge = bridge;
        this.port = port;
    }

    public Bridge bridge() {
        return bridge;
    }

    public NetworkPort port() {
        return port;
    }

    public Counters counters() {
        return new Counters(sentFrames, sentBytes, sentMalformed, deliveredFrames, deliveredBytes, droppedFrames,
                unfinishable);
    }

    /**
     * Sends a frame to the bridge, which delivers it before the call returns. The bytes are the caller's again then; they are not
     * changed. Does nothing when the port has been detached.
     *
     * @param offload what the sender has left to do; one that does not fit the frame makes the bridge drop it
     */
    public void send(byte[] buffer, int offset, int length, Offload offload) {
        if (!attached) {
            return;
        }
        sentFrames++;
        sentBytes += length;
        if (length >= Bridge.MIN_FRAME && length <= Bridge.MAX_FRAME) {
            observe(buffer, offset, length, offload, true);
            if (bridge.forward(this, buffer, offset, length, offload)) {
                return;
            }
        }
        sentMalformed++;
    }

    /** Takes the port off the bridge, which forgets the addresses behind it. Does nothing if that has been done. */
    public void detach() {
        if (attached) {
            attached = false;
            List<FrameObserver> watching = observers;
            observers = List.of();
            bridge.remove(this);
            watching.forEach(FrameObserver::ended);
        }
    }

    public boolean isAttached() { return attached; }

    /**
     * Shows all frames to {@code observer} from now on.
     *
     * @throws NetworkException there are {@value #MAX_OBSERVERS} already
     */
    public void addObserver(FrameObserver observer) throws NetworkException {
        if (observers.size() == MAX_OBSERVERS) {
            throw new NetworkException(port.name() + ": more than " + MAX_OBSERVERS + " captures");
        }
        List<FrameObserver> more = new ArrayList<>(observers);
        more.add(observer);
        observers = List.copyOf(more);
    }

    /** Ends {@link #addObserver}. */
    public void removeObserver(FrameObserver observer) {
        observers = observers.stream().filter(other -> other != observer).toList();
    }

    private void observe(byte[] buffer, int offset, int length, Offload offload, boolean fromPort) {
        List<FrameObserver> now = observers;
        for (int i = 0; i < now.size(); i++) {
            now.get(i).frame(buffer, offset, length, offload, fromPort);
        }
    }

    /** Delivers a frame, finished as far as the port needs it. */
    void deliver(byte[] buffer, int offset, int length, Offload offload) {
        if (offload.isBlank()) {
            if (!SoftwareOffload.finish(buffer, offset, length, offload, port.features(), this::deliverFinished)) {
                unfinishable++;
            }
        } else {
            deliverFinished(buffer, offset, length, offload);
        }
    }

    private void deliverFinished(byte[] buffer, int offset, int length, Offload offload) {
        if (!attached) {
            return;
        }
        observe(buffer, offset, length, offload, false);
        if (port.deliver(buffer, offset, length, offload)) {
            deliveredFrames++;
            deliveredBytes += length;
        } else {
            droppedFrames++;
        }
    }

    @Override
    public String toString() {
        return port.name() + " at " + bridge.name();
    }
}
