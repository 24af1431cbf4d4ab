package dev.xenolith.dom0.disk;

import dev.xenolith.dom0.disk.NewDisk.Preallocation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Images of all kinds, small enough to have all kinds of edges. */
enum Layout {
    RAW(DiskFormat.RAW, 0, 0), QCOW2_512(DiskFormat.QCOW2, 512, 3), QCOW2_4K(DiskFormat.QCOW2, 4096, 3), QCOW2_64K(
            DiskFormat.QCOW2, 65536, 3), QCOW2_V2(DiskFormat.QCOW2, 1024, 2), QCOW2_BASED(DiskFormat.QCOW2, 2048,
                    3), QCOW2_V2_BASED(DiskFormat.QCOW2, 4096, 2), QCOW2_PREALLOCATED(DiskFormat.QCOW2, 4096,
                            3), VHD_FIXED(DiskFormat.VHD, 0, 0), VHD_4K(DiskFormat.VHD, 4096,
                                    0), VHD_2M(DiskFormat.VHD, 2 << 20, 0);

    /** A size that is no multiple of any of the units. */
    static final int SIZE = (768 << 10) + 3 * 512;
    private static final int BASE_SIZE = (300 << 10) + 512;

    final DiskFormat format;
    private final int unit;
    private final int version;

    Layout(DiskFormat format, int unit, int version) {
        this.format = format;
        this.unit = unit;
        this.version = version;
    }

    boolean based() {
        return name().endsWith("BASED");
    }

    /** What is below it, if something is. */
    byte[] base() {
        byte[] bytes = new byte[BASE_SIZE];
        new Random(7).nextBytes(bytes);
        return bytes;
    }

    /** A new image. */
    MemoryStore create() throws IOException {
        MemoryStore store = new MemoryStore(name());
        if (format == DiskFormat.VHD) {
            Vhd.create(store, SIZE, unit == 0, unit);
        } else {
            NewDisk disk = new NewDisk(format, SIZE, unit, version,
                    this == QCOW2_PREALLOCATED ? Preallocation.METADATA : Preallocation.OFF, false,
                    based() ? new NewDisk.Backing("base", DiskFormat.RAW) : null);
            DiskImages.layOut(Path.of(name()), store, disk);
        }
        return store;
    }

    DiskImage open(Store store, OpenMode mode) throws IOException {
        return DiskImages.open(Path.of(name()), store, format, mode, backing());
    }

    private @Nullable DiskImage backing() throws IOException {
        if (!based()) {
            return null;
        }
        MemoryStore below = new MemoryStore("base");
        below.write(0, ByteBuffer.wrap(base()));
        return new RawImage(Path.of("base"), below, OpenMode.READ_ONLY);
    }
}
