package dev.xenolith.dom0.gdb;

import java.io.Serial;

/** A packet's contents do not have the form that its first letters promise. */
final class BadPacketException extends Exception {
    @Serial
    private static final long serialVersionUID = 1;

    BadPacketException(String message) {
        super(message);
    }
}
