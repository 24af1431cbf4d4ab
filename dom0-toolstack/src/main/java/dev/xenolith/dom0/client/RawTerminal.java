package dev.xenolith.dom0.client;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Raw mode of the terminal on standard input, by stty(1): two short processes, against some tenths of a second for loading a
 * terminal library. Restoring is also a shutdown hook, so that it happens on every exit that a process can notice.
 */
public final class RawTerminal {
    /** What {@code stty -g} said before the first switch; null in line mode. */
    private @Nullable String saved;

    private boolean hooked;

    /** Switches to raw mode; does nothing if that is so or cannot be. */
    public synchronized void raw() {
        if (saved != null) {
            return;
        }
        String settings = stty("-g");
        if (settings == null || settings.isEmpty()) {
            return;
        }
        saved = settings;
        if (!hooked) {
            hooked = true;
            Runtime.getRuntime().addShutdownHook(new Thread(this::restore, "restore-terminal"));
        }
        stty("raw", "-echo");
    }

    /** Switches back and returns true; does nothing in line mode. */
    public synchronized boolean restore() {
        if (saved == null) {
            return false;
        }
        stty(saved);
        saved = null;
        return true;
    }

    private static @Nullable String stty(String... arguments) {
        String[] command = new String[arguments.length + 1];
        command[0] = "stty";
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        try {
            Process process = new ProcessBuilder(command).redirectInput(Redirect.INHERIT)
                    .redirectError(Redirect.DISCARD)
                    .start();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
            return process.waitFor() == 0 ? out : null;
        } catch (IOException e) {
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }
}
