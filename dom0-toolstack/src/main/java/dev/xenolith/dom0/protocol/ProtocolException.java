package dev.xenolith.dom0.protocol;

import java.io.IOException;

/** The other side sent what the protocol does not allow. */
public final class ProtocolException extends IOException {
    private static final long serialVersionUID = 1L;

    /** Makes one with a line for the log and, where possible, the other side. */
    public ProtocolException(String message) {
        super(message);
    }
}
