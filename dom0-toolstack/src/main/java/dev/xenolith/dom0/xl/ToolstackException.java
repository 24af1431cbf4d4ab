package dev.xenolith.dom0.xl;

/**
 * A toolstack operation that did not take place. The message is one line that names the cause and the place; commands
 * print it on standard error as it is and end with {@link #exitCode()}.
 *
 * <p>The exit codes are xl's: 1 for most commands ({@link #FAILURE}); {@code xl create} ends with the negated libxl
 * return code (tools/libs/light/libxl_types.idl, libxl_error), so a domain that could not be made gives
 * {@link #CREATE_FAILED}.
 */
public class ToolstackException extends RuntimeException {
    /** EXIT_FAILURE, what most xl commands end with when something is wrong. */
    public static final int FAILURE = 1;

    /** A usage error: an option that does not exist, an argument that is missing. */
    public static final int USAGE = 2;

    /** What {@code xl create} ends with when the domain cannot be made or built: -ERROR_FAIL. */
    public static final int CREATE_FAILED = 3;

    /** What {@code xl create} ends with when there is no config file to work on: -ERROR_INVAL. */
    public static final int CREATE_INVALID = 6;

    /** What a command ends with when its client has gone or sent an interrupt: 128 + SIGINT. */
    public static final int INTERRUPTED = 130;

    private static final long serialVersionUID = 1L;

    private final int exitCode;

    /**
     * Makes a failure.
     *
     * @param exitCode 1..255
     * @param message one line without a trailing period or newline
     */
    public ToolstackException(int exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }

    /**
     * Makes a failure that keeps its cause for the log.
     *
     * @param exitCode 1..255
     * @param message one line without a trailing period or newline
     * @param cause what led to it
     */
    public ToolstackException(int exitCode, String message, Throwable cause) {
        super(message, cause);
        this.exitCode = exitCode;
    }

    /** Returns a failure with {@link #FAILURE}. */
    public static ToolstackException failure(String message) {
        return new ToolstackException(FAILURE, message);
    }

    /** Returns what the command ends with, 1..255. */
    public int exitCode() {
        return exitCode;
    }

    /** Returns the one line for the user. */
    public String line() {
        String message = getMessage();
        return message == null ? getClass().getSimpleName() : message;
    }
}
