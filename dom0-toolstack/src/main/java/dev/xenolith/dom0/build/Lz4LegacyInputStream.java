package dev.xenolith.dom0.build;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;

/**
 * LZ4's legacy frame, which Linux and {@code lz4 -l} write (lz4_Frame_format.md, "Legacy frame"): a magic number, then blocks of
 * 8 MiB of data each, but for the last, preceded by their compressed size, up to the end of the input.
 */
final class Lz4LegacyInputStream extends InputStream {
    private static final int MAGIC = 0x184c_2102;
    private static final int BLOCK = 8 << 20;
    /** What a block of data that cannot be compressed takes (LZ4_COMPRESSBOUND). */
    private static final int MAX_PACKED = BLOCK + BLOCK / 255 + 16;

    private final InputStream in;
    private byte[] block = new byte[0];
    private int position;

    Lz4LegacyInputStream(InputStream in) throws IOException {
        this.in = in;
        if (readInt() != MAGIC) {
            throw new IOException("not a legacy frame");
        }
    }

    @Override
    public int read() throws IOException {
        return fill() ? block[position++] & 0xff : -1;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (!fill()) {
            return -1;
        }
        int count = Math.min(length, block.length - position);
        System.arraycopy(block, position, target, offset, count);
        position += count;
        return count;
    }

    /** Sees to it that there is a byte to be read; false at the end. */
    private boolean fill() throws IOException {
        while (position == block.length) {
            long size = readInt();
            if (size < 0) {
                return false;
            }
            if (size > MAX_PACKED) {
                throw new IOException("a block of " + size + " bytes");
            }
            byte[] packed = in.readNBytes((int) size);
            if (packed.length < size) {
                throw new EOFException("a block ends early");
            }
            block = unpack(packed);
            position = 0;
        }
        return true;
    }

    /** The decompressor that is all Java: the others are not faster on a JVM that has just started. */
    private static byte[] unpack(byte[] packed) throws IOException {
        try {
            byte[] unpacked = new byte[BLOCK];
            int size = LZ4Factory.safeInstance().safeDecompressor().decompress(packed, unpacked);
            return size == BLOCK ? unpacked : Arrays.copyOf(unpacked, size);
        } catch (LZ4Exception e) {
            throw new IOException("a block cannot be unpacked, or not to 8 MiB: " + e.getMessage(), e);
        }
    }

    /** The next 32-bit little-endian number, unsigned; -1 at the end of the input. */
    private long readInt() throws IOException {
        byte[] bytes = in.readNBytes(Integer.BYTES);
        if (bytes.length == 0) {
            return -1;
        }
        if (bytes.length < Integer.BYTES) {
            throw new EOFException("a block's size ends early");
        }
        return (bytes[0] & 0xff | (bytes[1] & 0xff) << 8 | (bytes[2] & 0xff) << 16 | bytes[3] << 24) & 0xffff_ffffL;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
