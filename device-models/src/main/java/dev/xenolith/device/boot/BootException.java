package dev.xenolith.device.boot;

import java.io.IOException;

/** An image that cannot be booted; the message names it and says why, in one line. */
public final class BootException extends IOException {
    private static final long serialVersionUID = 1L;

    public BootException(String message) {
        super(message);
    }
}
