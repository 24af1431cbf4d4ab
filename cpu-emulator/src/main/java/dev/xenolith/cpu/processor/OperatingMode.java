package dev.xenolith.cpu.processor;

/** The operating modes in which software can be started (SDM 3A 2.2). */
public enum OperatingMode {
    /** Real-address mode. */
    REAL,
    /** 32-bit protected mode. */
    PROTECTED,
    /** 64-bit mode. */
    LONG
}
