package dev.xenolith.device.serial;

/**
 * The host's end of a serial line. The device writes to it and takes from it on the machine thread; a backend whose bytes come from
 * another thread hands them over through the machine's inbox.
 */
public interface CharacterBackend {
    /** Takes what is written and has nothing to say. */
    CharacterBackend NULL = new CharacterBackend() {
        @Override
        public void write(byte value) {}

        @Override
        public void connect(Receiver receiver) {}
    };

    /** The device's side. */
    interface Receiver {
        /** How many bytes the device can take now. */
        int room();

        /** Gives the device a byte; only if there is {@link #room}. */
        void receive(byte value);
    }

    /** Takes a byte from the device, which does not wait. */
    void write(byte value);

    /** Connects the device that input is for. */
    void connect(Receiver receiver);

    /** The device has room again: a backend that holds input back gives more of it. */
    default void ready() {}
}
