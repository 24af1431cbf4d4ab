package dev.xenolith.dom0.client;

import java.io.IOException;
import java.util.List;

/**
 * What the client does when there is no daemon to ask. The implementation brings picocli and the rest with it, and is loaded
 * only then, by name.
 */
public interface Fallback {
    /** Instead of an exit code: there is a host now, it is to run the command line. */
    int ASK_HOST = -1;

    /** Returns whether a daemon lives that does not listen: one that is about to start or to stop. */
    boolean daemonLives();

    /**
     * Runs a command line of xenolith.
     *
     * @return the exit code
     */
    int runXenolith(List<String> arguments);

    /**
     * Runs a command line of xl. One that is right but needs a host fails, unless it is {@code create}, which starts one.
     *
     * @param autoStart the command is create
     * @return the exit code, or {@link #ASK_HOST}
     */
    int runXl(List<String> arguments, boolean autoStart) throws IOException, InterruptedException;
}
