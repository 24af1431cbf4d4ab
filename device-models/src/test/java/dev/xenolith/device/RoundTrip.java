package dev.xenolith.device;

import static org.assertj.core.api.Assertions.assertThat;

/** Saves a device into another one of its make. */
public final class RoundTrip {
    private RoundTrip() {}

    /** Restores {@code copy}, which must be new and so differ, from {@code original}, and compares what each saves then. */
    public static <T extends Saveable> T check(T original, T copy) throws StateException {
        byte[] saved = StateWriter.save(original);
        assertThat(StateWriter.save(copy)).as("a test that has changed no state proves nothing").isNotEqualTo(saved);
        StateReader.restore(copy, saved);
        assertThat(StateWriter.save(copy)).isEqualTo(saved);
        return copy;
    }
}
