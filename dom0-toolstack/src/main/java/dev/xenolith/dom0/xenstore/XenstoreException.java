package dev.xenolith.dom0.xenstore;

import org.jspecify.annotations.Nullable;

/**
 * A request that xenstore refused. It carries no stack trace: guests cause it at will, and the protocol answers it with the
 * error's name.
 */
public final class XenstoreException extends Exception {
    private static final long serialVersionUID = 1L;

    private final XenstoreError error;

    XenstoreException(XenstoreError error) {
        this(error, null);
    }

    XenstoreException(XenstoreError error, @Nullable String what) {
        super(what == null ? error.name() : error.name() + ": " + what, null, false, false);
        this.error = error;
    }

    public XenstoreError error() {
        return error;
    }
}
