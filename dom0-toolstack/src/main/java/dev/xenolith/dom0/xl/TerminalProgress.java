package dev.xenolith.dom0.xl;

import java.io.PrintStream;
import java.util.Locale;

/** Progress as lines on a terminal, the last of which is written over while it grows. */
public final class TerminalProgress implements Progress {
    private static final double MEBIBYTE = 1 << 20;

    private final PrintStream out;
    private String step = "";
    private long shown = -1;
    private boolean open;

    /** Makes one that shows itself on {@code out}. */
    public TerminalProgress(PrintStream out) {
        this.out = out;
    }

    @Override
    public void step(String text) {
        close();
        step = text;
        shown = -1;
        out.print(text);
        out.flush();
        open = true;
    }

    @Override
    public void bytes(long done, long total) {
        if (done == shown) {
            return;
        }
        shown = done;
        out.print(String.format(Locale.ROOT, "\r%s: %.1f of %.1f MiB", step, done / MEBIBYTE, total / MEBIBYTE));
        out.flush();
    }

    /** Ends the line. */
    public void close() {
        if (open) {
            out.println();
            out.flush();
            open = false;
        }
    }
}
