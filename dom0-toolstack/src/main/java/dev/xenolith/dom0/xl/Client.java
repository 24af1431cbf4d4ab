package dev.xenolith.dom0.xl;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Map;

/** Who runs a command: the process at the other end of the daemon's socket, or this process itself. */
public interface Client {
    /** Returns the working directory, absolute. */
    Path directory();

    /** Returns the environment variables that commands may care for, such as TZ and NO_COLOR. */
    Map<String, String> environment();

    /** Returns standard input. Nothing is taken from the client's before the first read. A read may be interrupted. */
    InputStream in();

    /** Returns standard output. */
    OutputStream out();

    /** Returns standard error. */
    OutputStream err();

    /** Returns whether standard input is a terminal. */
    boolean inIsTerminal();

    /** Returns whether standard output is a terminal. */
    boolean outIsTerminal();

    /** Returns the number of columns of the terminal on standard output, or 80 if it is none. */
    int columns();

    /**
     * Switches the terminal on standard input, if it is one, between line mode with echo and raw mode; the client
     * restores it by itself when the command ends, however it ends.
     */
    void rawMode(boolean raw);
}
