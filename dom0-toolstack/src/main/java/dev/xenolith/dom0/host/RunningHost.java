package dev.xenolith.dom0.host;

import dev.xenolith.dom0.xl.Toolstack;

/** A machine with hypervisor and dom0 up, as the daemon holds it. */
public interface RunningHost extends AutoCloseable {
    /** Returns what the commands work on. */
    Toolstack toolstack();

    /** Destroys all domains and stops the machine; returns when none of its threads is left. */
    @Override
    void close();
}
