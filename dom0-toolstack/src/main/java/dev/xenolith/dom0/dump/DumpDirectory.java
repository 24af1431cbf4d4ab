package dev.xenolith.dom0.dump;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where the dumps of domains that have crashed go: {@code DATE-NAME.core}. Of each name the latest three are kept, so that a domain
 * that crashes again and again does not fill the host's disk.
 *
 * @param directory made when the first dump is
 */
public record DumpDirectory(Path directory) {
    private static final int KEPT = 3;
    /** As xend named them; sorts by date. */
    private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("yyyy-MMdd-HHmm.ss", Locale.ROOT)
            .withZone(ZoneOffset.UTC);
    private static final String DATE_PATTERN = "[0-9]{4}-[0-9]{4}-[0-9]{4}\\.[0-9]{2}-";
    private static final String SUFFIX = ".core";

    /** Returns the file for a dump of domain {@code name} made at {@code now}, and removes old ones; uses the file system. */
    public Path next(String name, Instant now) throws IOException {
        Files.createDirectories(directory);
        Pattern ofDomain = Pattern.compile(DATE_PATTERN + Pattern.quote(name + SUFFIX));
        List<Path> present;
        try (Stream<Path> files = Files.list(directory)) {
            present = files.filter(file -> ofDomain.matcher(String.valueOf(file.getFileName())).matches()).sorted()
                    .toList();
        }
        for (Path old : present.subList(0, Math.max(0, present.size() - KEPT + 1))) {
            Files.deleteIfExists(old);
        }
        return directory.resolve(DATE.format(now) + "-" + name + SUFFIX);
    }
}
