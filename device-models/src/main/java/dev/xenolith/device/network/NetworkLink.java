package dev.xenolith.device.network;

/** The cable of a network card. All calls are on the machine thread. */
public interface NetworkLink {
    /** A cable whose other end is not plugged in. */
    NetworkLink UNPLUGGED = new NetworkLink() {
        @Override
        public void connect(Receiver receiver) {
            // Nothing ever comes.
        }

        @Override
        public void send(byte[] frame, int offset, int length) {
            // It goes nowhere.
        }

        @Override
        public boolean isUp() { return false; }
    };

    /** The card's end. */
    @FunctionalInterface
    interface Receiver {
        /**
         * Takes a frame, or not: a card without room lets it drop. The bytes are the caller's again when the call returns.
         *
         * @param length from the destination address on, without frame check sequence; 14 and more
         */
        boolean deliver(byte[] frame, int offset, int length);
    }

    /** Says who takes what comes. Once, when the card is built. */
    void connect(Receiver receiver);

    /** Sends a frame without its frame check sequence; the bytes are the caller's again when the call returns. */
    void send(byte[] frame, int offset, int length);

    /** Whether anything is at the other end. */
    boolean isUp();
}
