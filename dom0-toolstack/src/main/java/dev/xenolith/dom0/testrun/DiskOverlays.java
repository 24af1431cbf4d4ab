package dev.xenolith.dom0.testrun;

import dev.xenolith.dom0.config.DiskSpec;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.disk.DiskFormat;
import dev.xenolith.dom0.disk.DiskImages;
import dev.xenolith.dom0.disk.ImageLocks;
import dev.xenolith.dom0.disk.NewDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Images above those that a test's domain may write: each run finds the disks as they are in the files, none changes them, and several
 * can go on at a time.
 */
final class DiskOverlays implements AutoCloseable {
    private final DomainConfig config;
    private final List<Path> files = new ArrayList<>();
    private @Nullable Path directory;

    /** Makes what {@code original} needs. */
    DiskOverlays(DomainConfig original) throws IOException {
        List<DiskSpec> disks = new ArrayList<>();
        try {
            for (DiskSpec disk : original.devices().disks()) {
                String target = disk.target();
                disks.add(target == null || disk.readOnly() ? disk : above(disk, target));
            }
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
        config = files.isEmpty()
                ? original
                : original.withDevices(original.devices().withDisks(disks));
    }

    private DiskSpec above(DiskSpec disk, String target) throws IOException {
        Path place = directory;
        if (place == null) {
            place = Files.createTempDirectory("xenolith-test");
            directory = place;
        }
        Path file = place.resolve(files.size() + ".qcow2");
        files.add(file);
        DiskImages.create(file, NewDisk.of(DiskFormat.QCOW2, -1).on(target, disk.format()), false, new ImageLocks());
        return new DiskSpec(file.toString(), DiskFormat.QCOW2, disk.device(), false, disk.cdrom(), disk.backend(), null,
                disk.discard(), disk.trusted());
    }

    /** The domain with the images above in place of the others. */
    DomainConfig config() {
        return config;
    }

    @Override
    public void close() throws IOException {
        for (Path file : files) {
            Files.deleteIfExists(file);
        }
        if (directory != null) {
            Files.deleteIfExists(directory);
        }
    }
}
