package dev.xenolith.benchmark;

import dev.xenolith.dom0.config.DiskSpec;
import dev.xenolith.dom0.config.DomainConfig.Devices;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A raw disk image in a directory of its own, which ends with it. The host that uses it has to be closed before. */
final class BenchImage implements AutoCloseable {
    static final int MIB = 1 << 20;

    /** What every byte of it is: reads of holes are not measured. */
    static final byte CONTENT = 'd';

    private final Path directory;

    BenchImage(int mebibytes) throws IOException {
        directory = Files.createTempDirectory("xenolith-bench");
        byte[] data = new byte[MIB];
        Arrays.fill(data, CONTENT);
        try (OutputStream out = Files.newOutputStream(file())) {
            for (int i = 0; i < mebibytes; i++) {
                out.write(data);
            }
        }
    }

    /** Creates a {@code bench} guest that has it as its disk. */
    BenchGuest guest(BenchHost host) throws IOException {
        return host.guest("disk", 1, new Devices(List.of(DiskSpec.parse(file() + ",raw,xvda,rw")), List.of()));
    }

    Path file() {
        return directory.resolve("disk.img");
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(file());
        Files.delete(directory);
    }
}
