package dev.xenolith.device.board;

/** How machine time relates to the host's. */
public enum ClockMode {
    /** Paced to and corrected by host time: for hosts that people log in to. An idle machine uses no host processor. */
    REAL,
    /** Advanced by execution alone; idle time is skipped. With one seed, two runs are identical. */
    VIRTUAL
}
