package dev.xenolith.device.storage;

/** Modelled times of drives, in nanoseconds of machine time, each with the reason for it. */
public final class DriveTiming {
    /** From the command register's write to the command's begin: what a drive's processor takes to look at it. */
    public static final long COMMAND = 2_000;
    /** A reset: some ten times the least that ATA/ATAPI-6, 9.2, lets hosts wait before they look at BSY, and well below its 31 s. */
    public static final long RESET = 2_000_000;
    /** A disk's access: reading a page of flash memory, and its controller's work. */
    public static final long DISK_ACCESS = 60_000;
    /** A disk's flush: programming the pages that its cache holds. */
    public static final long DISK_FLUSH = 500_000;
    /** A disk's bytes go over a link of 3 Gb/s with 8b/10b coding: 300 MB/s. */
    private static final long DISK_BYTES = 300;
    /** A disc's access: a drive that reads ahead has what comes next; a seek of 100 ms would only have everybody wait. */
    public static final long DISC_ACCESS = 200_000;
    /** A disc's bytes: 16 times the 1.385 MB/s of a DVD. */
    private static final long DISC_BYTES = 22;
    /** MB/s are bytes in this many nanoseconds. */
    private static final long MEGA = 1000;

    private DriveTiming() {
    }

    /** What moving {@code bytes} bytes from or to a disk takes. */
    public static long disk(int bytes) {
        return bytes * MEGA / DISK_BYTES;
    }

    /** What reading {@code bytes} bytes of a disc takes. */
    public static long disc(int bytes) {
        return bytes * MEGA / DISC_BYTES;
    }
}
