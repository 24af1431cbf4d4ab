package dev.xenolith.cpu.oracle;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** The committed executable of the silicon runner and the version of the compiler that built it. */
final class RunnerImage {
    static final String NAME = "silicon-runner";

    private RunnerImage() {
    }

    static InputStream open() throws IOException {
        return resource(NAME);
    }

    /** First line of {@code gcc --version} when the image was built. */
    static String compiler() throws IOException {
        try (InputStream text = resource(NAME + ".compiler")) {
            return new String(text.readAllBytes(), StandardCharsets.UTF_8).strip();
        }
    }

    private static InputStream resource(String name) throws IOException {
        InputStream stream = RunnerImage.class.getResourceAsStream(name);
        if (stream == null) {
            throw new FileNotFoundException("test resource " + name);
        }
        return stream;
    }
}
