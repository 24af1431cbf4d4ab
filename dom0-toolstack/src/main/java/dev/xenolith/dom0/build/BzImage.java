package dev.xenolith.dom0.build;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A Linux bzImage as a domain builder sees it (Documentation/x86/boot.rst): a boot sector and setup code, which a PV kernel does not
 * run, and in what follows them the payload, a compressed ELF kernel that the setup header points to.
 */
final class BzImage {
    private static final int SETUP_SECTS = 0x1f1;
    private static final int HEADER = 0x202;
    private static final int VERSION = 0x206;
    private static final int PAYLOAD_OFFSET = 0x248;
    private static final int PAYLOAD_LENGTH = 0x24c;
    private static final int LEAST_HEADER = PAYLOAD_LENGTH + 4;
    /** "HdrS". */
    private static final int MAGIC = 0x5372_6448;
    /** The first protocol with a payload's place in its header. */
    private static final int VERSION_PAYLOAD = 0x208;
    private static final int SECTOR = 512;
    private static final int DEFAULT_SETUP_SECTS = 4;

    private BzImage() {
    }

    static boolean recognises(byte[] file) {
        return file.length >= VERSION + 2 && header(file).getInt(HEADER) == MAGIC;
    }

    /**
     * The bytes of the payload, still compressed, without the unpacked size that Linux's build appends where the compressed data does
     * not end with it anyway. {@code name} is what errors call the file.
     */
    static byte[] payload(byte[] file, String name) throws BuildException {
        ByteBuffer header = header(file);
        int version = header.getShort(VERSION) & 0xffff;
        if (version < VERSION_PAYLOAD || file.length < LEAST_HEADER) {
            throw new BuildException(
                    "%s: a Linux bzImage of boot protocol %d.%02d, which does not say where its payload is; 2.08 is the first that does"
                            .formatted(name, version >>> 8, version & 0xff));
        }
        int sectors = file[SETUP_SECTS] & 0xff;
        long start = (1 + (sectors == 0 ? DEFAULT_SETUP_SECTS : sectors)) * (long) SECTOR
                + (header.getInt(PAYLOAD_OFFSET) & 0xffff_ffffL);
        long length = header.getInt(PAYLOAD_LENGTH) & 0xffff_ffffL;
        if (start + length > file.length) {
            throw new BuildException(name + ": truncated: the payload ends at byte " + (start + length)
                    + ", the file has " + file.length);
        }
        byte[] payload = new byte[(int) length];
        header.get((int) start, payload);
        Compression compression = Compression.of(payload);
        boolean sizeAppended = compression != null && compression != Compression.GZIP && length > Integer.BYTES;
        return sizeAppended ? Arrays.copyOf(payload, payload.length - Integer.BYTES) : payload;
    }

    private static ByteBuffer header(byte[] file) {
        return ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    }
}
