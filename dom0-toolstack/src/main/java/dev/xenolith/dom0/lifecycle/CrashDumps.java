package dev.xenolith.dom0.lifecycle;

import java.io.IOException;
import java.nio.file.Path;

/** Where core dumps of domains that have crashed go. */
@FunctionalInterface
public interface CrashDumps {
    /** Returns a file for a dump of domain {@code name} made now. Uses the host's file system: not for the machine thread. */
    Path next(String name) throws IOException;
}
