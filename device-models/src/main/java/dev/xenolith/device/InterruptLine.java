package dev.xenolith.device;

/**
 * A wire from a device to an interrupt controller. True means that the device asks for service, whatever the electrical polarity;
 * setting a wire to what it is already does nothing.
 */
@FunctionalInterface
public interface InterruptLine {
    /** A wire that leads nowhere. */
    InterruptLine NONE = asserted -> {};

    void set(boolean asserted);

    /** A rising edge and a falling one. */
    default void pulse() {
        set(true);
        set(false);
    }
}
