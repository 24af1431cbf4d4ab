package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.DomainConfigReader;
import dev.xenolith.dom0.config.PulledImages;
import dev.xenolith.dom0.config.XlConfigException;
import dev.xenolith.dom0.config.XlConfigParser;
import dev.xenolith.dom0.protocol.Places;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;

/** A configuration file as {@code xl create} reads it. */
public final class ConfigFile {
    /** A configuration that is all in the command line's own settings. */
    static final Path NOTHING = Path.of("/dev/null");

    /**
     * What is in it.
     *
     * @param config complete and checked, but its files may be missing
     * @param warnings one line each
     * @param missing a line for each file that is not there
     */
    public record Contents(DomainConfig config, List<String> warnings, List<String> missing) {
    }

    private ConfigFile() {
    }

    /**
     * Reads a file for a domain whose handle, if the file gives none, follows from the file's path: the same each time.
     *
     * @param directory where files that it names are looked for, after the file's own
     * @throws IOException if it cannot be read
     * @throws ToolstackException with the place, if it makes no sense
     */
    public static Contents read(Path file, Path directory, Map<String, String> environment) throws IOException {
        requireFile(file);
        DomainConfigReader.Result result = read(file.toString(), file, List.of(), directory, environment,
                () -> UUID.nameUUIDFromBytes(file.toString().getBytes(StandardCharsets.UTF_8)));
        return new Contents(result.config(), result.warnings(), result.missing());
    }

    /** Fails if a path is neither a file nor {@link #NOTHING}: to open a pipe would keep a thread until somebody writes to it. */
    static void requireFile(Path path) throws IOException {
        if (Files.exists(path) && !Files.isRegularFile(path) && !Files.isDirectory(path) && !path.equals(NOTHING)) {
            throw new IOException("is a device or a pipe, not a file");
        }
        Files.newInputStream(path).close();
    }

    /** Reads one with settings from the command line after it. */
    static DomainConfigReader.Result read(String name, Path path, List<String> overrides, Path directory,
            Map<String, String> environment, Supplier<UUID> uuids) throws IOException {
        try {
            Path parent = path.toAbsolutePath().getParent();
            return DomainConfigReader.read(XlConfigParser.parseFile(name, path, overrides),
                    List.of(parent == null ? directory : parent, directory),
                    new PulledImages(Places.images(environment, System.getProperty("user.home"))), uuids);
        } catch (XlConfigException e) {
            throw ToolstackException.failure(String.valueOf(e.getMessage()));
        }
    }
}
