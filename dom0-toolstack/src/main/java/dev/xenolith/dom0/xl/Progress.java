package dev.xenolith.dom0.xl;

/** Hears how long work goes on. */
public interface Progress {
    /** A step has begun. */
    void step(String text);

    /** Of the present step, {@code done} of {@code total} bytes are done. */
    void bytes(long done, long total);
}
