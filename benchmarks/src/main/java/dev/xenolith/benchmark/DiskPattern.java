package dev.xenolith.benchmark;

/** How a guest goes about its disk. */
public enum DiskPattern {
    /** Reads of 4 KiB without order, 32 at a time: the IOPS of a disk. */
    RANDOM_READ_4K("random %d", 4),
    /** Reads in order of 64 KiB, 16 at a time. */
    READ_64K("read %d 64", 64),
    /** Reads in order of 256 KiB, 4 at a time. */
    READ_256K("read %d 256", 256),
    /** Writes in order of 64 KiB, 16 at a time. */
    WRITE_64K("write %d 64", 64),
    /** Writes in order of 256 KiB, 4 at a time. */
    WRITE_256K("write %d 256", 256);

    private static final int KIB = 1 << 10;

    private final String command;
    private final int kibibytes;

    DiskPattern(String command, int kibibytes) {
        this.command = command;
        this.kibibytes = kibibytes;
    }

    /** The command that makes a {@code bench} guest issue {@code count} requests. */
    String command(int count) {
        return command.formatted(count);
    }

    /** Bytes of a request. */
    int bytes() {
        return kibibytes * KIB;
    }
}
