package dev.xenolith.dom0.net;

import dev.xenolith.dom0.net.packet.Offload;
import dev.xenolith.dom0.net.packet.OffloadFeatures;

/**
 * The end of a link at a {@link Bridge}: the backend of a vif, a NAT, a TAP device. The bridge delivers frames to it; it sends
 * through the {@link Link} that attaching it gave. All calls are on the machine thread.
 */
public interface NetworkPort {
    /** What users know it by, such as {@code vif1.0}. */
    String name();

    /** Which unfinished frames it takes now; asked for each of them, since a frontend may change its mind. */
    OffloadFeatures features();

    /**
     * Takes a frame, or not: a port that has no room now lets it drop, and the bridge counts it. The bytes are the caller's
     * again when the call returns. The port may send from within the call, and must not throw.
     *
     * @param buffer the frame from the destination MAC address on, without frame check sequence
     * @param offset where it begins
     * @param length bytes, at least {@value Bridge#MIN_FRAME} and at most {@value Bridge#MAX_FRAME}; frames that are not to be
     *     cut may be longer than the port's MTU, since the sender is not bound to it
     * @param offload what is left to do, never more than {@link #features} says
     * @return false if it was dropped
     */
    boolean deliver(byte[] buffer, int offset, int length, Offload offload);
}
