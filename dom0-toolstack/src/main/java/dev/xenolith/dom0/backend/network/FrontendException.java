package dev.xenolith.dom0.backend.network;

/** A frontend has done what no frontend does that works: the connection is at an end. The message says what it was. */
final class FrontendException extends Exception {
    private static final long serialVersionUID = 1L;

    FrontendException(String message) {
        super(message, null, false, false);
    }
}
