package dev.xenolith.dom0.backend.block;

import dev.xenolith.dom0.disk.DiskFormat;
import dev.xenolith.dom0.disk.DiskImage;
import java.io.IOException;
import java.nio.file.Path;

/** Opens images for backends, with the locks of the host; called off the machine thread. */
@FunctionalInterface
public interface ImageOpener {
    /** Opens {@code file}, which is of a known format. */
    DiskImage open(Path file, DiskFormat format, boolean readOnly) throws IOException;
}
