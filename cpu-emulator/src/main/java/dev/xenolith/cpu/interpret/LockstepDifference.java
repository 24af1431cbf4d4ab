package dev.xenolith.cpu.interpret;

/** A unit has not done what the interpreter does, which is a bug of the translator: the message is a report of several lines. */
public final class LockstepDifference extends RuntimeException {
    private static final long serialVersionUID = 1;

    LockstepDifference(String report) {
        super(report);
    }
}
