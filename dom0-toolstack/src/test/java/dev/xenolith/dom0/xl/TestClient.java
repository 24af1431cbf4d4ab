package dev.xenolith.dom0.xl;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/** A client that keeps what it is told. */
public final class TestClient implements Client {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final Path directory;
    private final Map<String, String> environment;
    private InputStream in = new ByteArrayInputStream(new byte[0]);
    private boolean outIsTerminal;

    TestClient(Path directory) {
        this(directory, Map.of("TZ", "UTC"));
    }

    /** In {@code directory}, without a terminal, with nothing to read. */
    public TestClient(Path directory, Map<String, String> environment) {
        this.directory = directory;
        this.environment = environment;
    }

    /** Forgets what it was told so far. */
    public void clear() {
        out.reset();
        err.reset();
    }

    /** Standard output is a terminal from now on. */
    public void makeOutATerminal() {
        outIsTerminal = true;
    }

    public void input(InputStream stream) {
        in = stream;
    }

    void input(String text) {
        in = new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }

    public String outText() {
        return out.toString(StandardCharsets.UTF_8);
    }

    public String errText() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Override
    public Path directory() {
        return directory;
    }

    @Override
    public Map<String, String> environment() {
        return environment;
    }

    @Override
    public InputStream in() {
        return in;
    }

    @Override
    public ByteArrayOutputStream out() {
        return out;
    }

    @Override
    public ByteArrayOutputStream err() {
        return err;
    }

    @Override
    public boolean inIsTerminal() {
        return false;
    }

    @Override
    public boolean outIsTerminal() {
        return outIsTerminal;
    }

    @Override
    public int columns() {
        return 80;
    }

    @Override
    public void rawMode(boolean raw) {
        // No terminal.
    }
}
