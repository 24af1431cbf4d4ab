package dev.xenolith.dom0.protocol;

/**
 * The protocol: frames of a type byte, a big-endian 32-bit payload length, and the payload.
 *
 * <p>The client sends one {@link #HELLO} with the command line and then what the user does; the daemon answers with output
 * and in the end one {@link #EXIT}. Standard input is only read when the daemon asks for it by {@link #WANT_STDIN}, so that a
 * command that reads nothing takes nothing from a script's input.
 */
public final class Frames {
    /** Version of this protocol; the daemon refuses any other. */
    public static final int VERSION = 1;

    /** First four bytes of a {@link #HELLO}: "XENO". */
    public static final int MAGIC = 0x58454e4f;

    /** Bytes before the payload. */
    public static final int HEADER_SIZE = 5;

    /** Longest payload of a frame, bytes. */
    public static final int MAX_PAYLOAD = 1 << 20;

    /** Client: who it is and what is to be run; see {@link Hello}. */
    public static final byte HELLO = 1;

    /** Client: bytes of standard input, at most as many as were asked for. */
    public static final byte STDIN = 2;

    /** Client: standard input has ended. */
    public static final byte STDIN_END = 3;

    /** Client: a signal came, one byte with its number; the command is cancelled. */
    public static final byte SIGNAL = 4;

    /** Client: the size of the terminal changed; columns and rows, 16 bits each. */
    public static final byte WINDOW = 5;

    /** Daemon: bytes for standard output. */
    public static final byte STDOUT = 16;

    /** Daemon: bytes for standard error. */
    public static final byte STDERR = 17;

    /** Daemon: send up to this many bytes of standard input, 32 bits. */
    public static final byte WANT_STDIN = 18;

    /** Daemon: one byte, 1 to switch the terminal to raw mode, 0 to switch it back. */
    public static final byte RAW = 19;

    /** Daemon: one byte, the exit code; the last frame. */
    public static final byte EXIT = 20;

    private Frames() {
    }
}
