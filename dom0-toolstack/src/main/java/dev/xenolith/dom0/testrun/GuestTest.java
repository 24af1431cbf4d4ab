package dev.xenolith.dom0.testrun;

import dev.xenolith.dom0.config.DomainConfig;
import java.nio.file.Path;

/**
 * A guest that tests something.
 *
 * @param name what it is called in reports, no other test's of the same command
 * @param file the configuration it comes from
 * @param config the domain as {@code xl create} would make it
 * @param expectation what it has to do to pass
 */
public record GuestTest(String name, Path file, DomainConfig config, Expectation expectation) {
    /** Returns the same under another name. */
    GuestTest named(String newName) {
        return new GuestTest(newName, file, config, expectation);
    }

    /** Returns the same, judged otherwise. */
    GuestTest judgedBy(Expectation other) {
        return new GuestTest(name, file, config, other);
    }
}
