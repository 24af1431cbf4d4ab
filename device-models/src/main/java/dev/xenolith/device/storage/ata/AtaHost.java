package dev.xenolith.device.storage.ata;

/** A device's end of the cable: what its controller is told. All calls are on the machine thread. */
public interface AtaHost {
    /** Nobody. */
    AtaHost NONE = new AtaHost() {
        @Override
        public void dataReady(boolean interrupts) {
            // Nobody moves it.
        }

        @Override
        public void ended() {
            // Nobody waits.
        }

        @Override
        public void resetEnded() {
            // Nobody waits.
        }

        @Override
        public int moveQueued(int tag, boolean toHost, byte[] bytes, int offset, int length) {
            return 0;
        }

        @Override
        public void queued() {
            // Nobody waits.
        }

        @Override
        public void queuedEnded(int tags) {
            // Nobody waits.
        }
    };

    /**
     * The device's {@link DataBlock} is open: it has data, or room for some. The controller may move them before this returns.
     *
     * @param interrupts whether a parallel device asserts INTRQ with it
     */
    void dataReady(boolean interrupts);

    /** A command has ended with an interrupt; status and registers say how. */
    void ended();

    /** A reset has ended; the registers hold the signature. */
    void resetEnded();

    /**
     * Moves data of a queued command at once.
     *
     * @param tag 0 to 31
     * @return how many of the {@code length} bytes the host had room or data for
     */
    int moveQueued(int tag, boolean toHost, byte[] bytes, int offset, int length);

    /** A queued command has been accepted: the device takes the next one. */
    void queued();

    /** Queued commands have ended: those of {@code tags}, or, if status has ERR, all of them, {@code tags} successfully. */
    void queuedEnded(int tags);
}
