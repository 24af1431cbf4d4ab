package dev.xenolith.dom0.xl;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/** A client that keeps what it is told. */
final class TestClient implements Client {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final Path directory;
    private InputStream in = new ByteArrayInputStream(new byte[0]);

    TestClient(Path directory) {
        this.directory = directory;
    }

    void input(InputStream stream) {
        in = stream;
    }

    void input(String text) {
        in = new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }

    String outText() {
        return out.toString(StandardCharsets.UTF_8);
    }

    String errText() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Override
    public Path directory() {
        return directory;
    }

    @Override
    public Map<String, String> environment() {
        return Map.of("TZ", "UTC");
    }

    @Override
    public InputStream in() {
        return in;
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
        return false;
    }

    @Override
    public boolean outIsTerminal() {
        return false;
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
