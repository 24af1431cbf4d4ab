package dev.xenolith.dom0.build;

/** A domain cannot be built; the message names the file or the step, the cause, and where possible what to do. */
public final class BuildException extends Exception {
    private static final long serialVersionUID = 1L;

    public BuildException(String message) {
        super(message);
    }

    public BuildException(String message, Throwable cause) {
        super(message, cause);
    }
}
