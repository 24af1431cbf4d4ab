package dev.xenolith.dom0.display.rfb;

/** A peer has not kept to the protocol, or not shown that it may be here: its connection is closed, and the message logged. */
public final class ProtocolException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public ProtocolException(String message) {
        super(message);
    }
}
