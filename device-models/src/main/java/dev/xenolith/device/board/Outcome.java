package dev.xenolith.device.board;

/**
 * How a bare machine ended.
 *
 * @param kind what happened
 * @param code DEBUG_EXIT: the exit code, (value &lt;&lt; 1) | 1
 * @param details FAILED, TRIPLE_FAULT: what is to be said about it
 */
public record Outcome(Kind kind, int code, String details) {
    /** The ways to end. */
    public enum Kind {
        POWER_OFF, RESET, DEBUG_EXIT, TRIPLE_FAULT,
        /** The limit of instructions was reached. */
        INSTRUCTION_LIMIT,
        /** Switched off from outside. */
        STOPPED,
        /** Software wanted something that this machine cannot do. */
        FAILED
    }

    static Outcome of(Kind kind) {
        return new Outcome(kind, 0, "");
    }
}
