package dev.xenolith.device;

import java.io.IOException;

/** Saved state that cannot be restored; the message names the section and the field. */
public final class StateException extends IOException {
    private static final long serialVersionUID = 1L;

    public StateException(String message) {
        super(message);
    }
}
