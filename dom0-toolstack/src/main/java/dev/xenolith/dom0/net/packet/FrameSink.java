package dev.xenolith.dom0.net.packet;

/** Takes frames; the bytes are the caller's again when the call returns. */
@FunctionalInterface
public interface FrameSink {
    void frame(byte[] buffer, int offset, int length, Offload offload);
}
