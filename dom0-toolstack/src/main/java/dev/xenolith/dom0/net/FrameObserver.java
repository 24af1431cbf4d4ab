package dev.xenolith.dom0.net;

import dev.xenolith.dom0.net.packet.Offload;

/** Sees the frames that pass a {@link Link}, such as a capture. Called on the machine thread; must neither throw nor wait. */
@FunctionalInterface
public interface FrameObserver {
    /**
     * A frame passes. The bytes are the caller's again when the call returns.
     *
     * @param fromPort the port sent it; else it is delivered to the port, which may yet drop it
     */
    void frame(byte[] buffer, int offset, int length, Offload offload, boolean fromPort);

    /** The port has left its bridge: there will be no more. Called on the machine thread. */
    default void ended() {
    }
}
