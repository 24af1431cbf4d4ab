package dev.xenolith.dom0.backend.block;

import dev.xenolith.dom0.backend.Backend;
import dev.xenolith.dom0.backend.BackendDevice;
import dev.xenolith.dom0.backend.BackendDriver;
import dev.xenolith.dom0.backend.HostWork;

/**
 * Serves disks. libxl announces raw files and devices as {@code vbd}, for a kernel's backend, and images of other formats as {@code qdisk},
 * for QEMU's; here one backend serves both.
 *
 * @param kind {@link #VBD} or {@link #QDISK}
 * @param images opens what is behind a disk
 * @param work where images are worked on
 */
public record BlockDriver(String kind, ImageOpener images, HostWork work) implements BackendDriver {
    public static final String VBD = "vbd";
    public static final String QDISK = "qdisk";

    @Override
    public Backend create(BackendDevice device) {
        return new BlockBackend(device, images, work);
    }
}
