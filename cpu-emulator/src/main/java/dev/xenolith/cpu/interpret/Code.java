package dev.xenolith.cpu.interpret;

/** What executes the code at one place of a frame: a {@link Block}, or a {@link Unit} in its stead. */
public abstract class Code {
    /** Its bytes have changed, or something better is in its place: it is not entered any more, and left before the next instruction. */
    protected boolean stale;

    Code() {}

    final boolean isStale() { return stale; }
}
