package dev.xenolith.dom0.backend;

import org.jspecify.annotations.Nullable;

/** Where one end of a device is in its life (xen/include/public/io/xenbus.h); the number is what the node {@code state} holds. */
public enum XenbusState {
    /** There is no such node, or nothing that can be understood in it: this end is not there. */
    UNKNOWN, INITIALISING,
    /** Waits for the other end to be initialised. */
    INIT_WAIT,
    /** Waits for the other end to connect. */
    INITIALISED, CONNECTED, CLOSING, CLOSED, RECONFIGURING, RECONFIGURED;

    private static final XenbusState[] STATES = values();

    /** The state that a node's text stands for. */
    public static XenbusState of(@Nullable String text) {
        return text != null && text.length() == 1 && text.charAt(0) >= '0' && text.charAt(0) < '0' + STATES.length
                ? STATES[text.charAt(0) - '0']
                : UNKNOWN;
    }

    /** What the node holds. */
    public String text() {
        return Integer.toString(ordinal());
    }
}
