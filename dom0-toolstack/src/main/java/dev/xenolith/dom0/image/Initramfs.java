package dev.xenolith.dom0.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPOutputStream;

/**
 * An initial RAM file system as Linux unpacks it (Documentation/driver-api/early-userspace/buffer-format.rst): a cpio archive in
 * the newc format, compressed with gzip. Equal content gives equal bytes: everything is root's and as old as the epoch.
 */
final class Initramfs {
    private static final String MAGIC = "070701";
    private static final String TRAILER = "TRAILER!!!";
    private static final int DIRECTORY = 0_040_755;
    private static final int EXECUTABLE = 0_100_755;
    private static final int FILE = 0_100_644;
    private static final int CHARACTER_DEVICE = 0_020_600;
    private static final int ALIGNMENT = 4;

    private final ByteArrayOutputStream archive = new ByteArrayOutputStream();
    private int inode;

    /** Adds a directory, whose parents have been added. Paths have no leading slash. */
    Initramfs directory(String path) {
        return entry(path, DIRECTORY, 2, 0, 0, new byte[0]);
    }

    /** Adds a file that everybody may execute. */
    Initramfs executable(String path, byte[] content) {
        return entry(path, EXECUTABLE, 1, 0, 0, content);
    }

    /** Adds a file that everybody may read. */
    Initramfs file(String path, byte[] content) {
        return entry(path, FILE, 1, 0, 0, content);
    }

    /** Adds a character device that is root's alone. */
    Initramfs device(String path, int major, int minor) {
        return entry(path, CHARACTER_DEVICE, 1, major, minor, new byte[0]);
    }

    private Initramfs entry(String path, int mode, int links, int major, int minor, byte[] content) {
        inode++;
        return put(path, inode, mode, links, major, minor, content);
    }

    /** An entry: thirteen fields of eight hexadecimal digits, the name with its NUL, the content, each part padded to four bytes. */
    private Initramfs put(String path, int number, int mode, int links, int major, int minor, byte[] content) {
        byte[] name = (path + '\0').getBytes(StandardCharsets.UTF_8);
        int owner = 0;
        int modified = 0;
        int checksum = 0;
        int[] fields = {number, mode, owner, owner, links, modified, content.length, 0, 0, major, minor, name.length,
            checksum};
        StringBuilder header = new StringBuilder(MAGIC);
        for (int field : fields) {
            header.append(String.format("%08x", field));
        }
        archive.writeBytes(header.toString().getBytes(StandardCharsets.US_ASCII));
        archive.writeBytes(name);
        pad();
        archive.writeBytes(content);
        pad();
        return this;
    }

    private void pad() {
        while (archive.size() % ALIGNMENT != 0) {
            archive.write(0);
        }
    }

    /** The whole, compressed; nothing can be added after that. */
    byte[] finish() throws IOException {
        put(TRAILER, 0, 0, 1, 0, 0, new byte[0]);
        ByteArrayOutputStream compressed = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
            archive.writeTo(gzip);
        }
        return compressed.toByteArray();
    }
}
