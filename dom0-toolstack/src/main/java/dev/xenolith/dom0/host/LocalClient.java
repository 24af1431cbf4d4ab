package dev.xenolith.dom0.host;

import dev.xenolith.dom0.client.RawTerminal;
import dev.xenolith.dom0.xl.Client;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Map;

/** This process as the client of a command that runs in it. */
public final class LocalClient implements Client {
    private final boolean inIsTerminal;
    private final boolean outIsTerminal;
    private final OutputStream out = new FileOutputStream(FileDescriptor.out);
    private final OutputStream err;
    private final RawTerminal terminal = new RawTerminal();

    /**
     * Makes the client.
     *
     * @param err standard error, or where it is kept for later
     */
    public LocalClient(boolean inIsTerminal, boolean outIsTerminal, OutputStream err) {
        this.inIsTerminal = inIsTerminal;
        this.outIsTerminal = outIsTerminal;
        this.err = err;
    }

    @Override
    public Path directory() {
        return Path.of("").toAbsolutePath();
    }

    @Override
    public Map<String, String> environment() {
        return System.getenv();
    }

    @Override
    public InputStream in() {
        return System.in;
    }

    @Override
    public OutputStream out() {
        return out;
    }

    @Override
    public OutputStream err() {
        return err;
    }

    @Override
    public boolean inIsTerminal() {
        return inIsTerminal;
    }

    @Override
    public boolean outIsTerminal() {
        return outIsTerminal;
    }

    @Override
    public int columns() {
        String columns = System.getenv("COLUMNS");
        return columns != null && columns.matches("[0-9]{1,4}") ? Integer.parseInt(columns) : 80;
    }

    @Override
    public void rawMode(boolean raw) {
        if (!inIsTerminal) {
            return;
        }
        if (raw) {
            terminal.raw();
        } else {
            terminal.restore();
        }
    }
}
