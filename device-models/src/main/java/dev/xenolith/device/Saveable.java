package dev.xenolith.device;

/**
 * Something whose state can be written and read back, on this machine or on another one of the same make. Only what guests could
 * tell apart is state; how things are wired is not.
 */
public interface Saveable {
    /** Name of the section that holds the state; unique among its siblings. */
    String stateName();

    /** Version of the section's contents; a reader refuses a section that is newer than itself. */
    default int stateVersion() {
        return 1;
    }

    void save(StateWriter out);

    /**
     * Takes over what {@link #save} wrote; machine time has been restored before. Throws {@link StateException} if something is
     * missing, of another kind, or impossible, and is then in no defined state.
     */
    void restore(StateReader in) throws StateException;
}
