package dev.xenolith.dom0.net;

/** Something of the network cannot be had: a port is taken, a device is missing. The message is one line that names it and says why. */
public final class NetworkException extends Exception {
    private static final long serialVersionUID = 1L;

    public NetworkException(String message) {
        super(message);
    }

    public NetworkException(String message, Throwable cause) {
        super(message, cause);
    }
}
