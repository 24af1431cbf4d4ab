package dev.xenolith.dom0.console;

/** What happens to output that nobody reads once the backlog is full ({@code xenconsoled --overflow-data}). */
public enum Overflow {
    /** The oldest lines go; the domain never waits. */
    DISCARD,
    /** The domain waits until somebody reads. */
    KEEP
}
