package dev.xenolith.dom0.build;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream;
import org.apache.commons.compress.compressors.lzma.LZMACompressorInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;
import org.apache.commons.compress.compressors.zstandard.ZstdCompressorInputStream;
import org.jspecify.annotations.Nullable;

/**
 * The ways in which a kernel may be compressed (linux/lib/decompress.c), known by their first bytes.
 */
enum Compression {
    GZIP("gzip", 0x1f, 0x8b) {
        @Override
        InputStream open(InputStream packed) throws IOException {
            return new GZIPInputStream(packed, BUFFER);
        }
    },
    BZIP2("bzip2", 'B', 'Z', 'h') {
        @Override
        InputStream open(InputStream packed) throws IOException {
            return new BZip2CompressorInputStream(packed);
        }
    },
    LZMA("lzma", 0x5d, 0x00, 0x00) {
        @Override
        InputStream open(InputStream packed) throws IOException {
            return LZMACompressorInputStream.builder().setInputStream(packed).setMemoryLimitKiB(MEMORY_KIB).get();
        }
    },
    XZ("xz", 0xfd, '7', 'z', 'X', 'Z', 0x00) {
        @Override
        InputStream open(InputStream packed) throws IOException {
            return XZCompressorInputStream.builder().setInputStream(packed).setMemoryLimitKiB(MEMORY_KIB).get();
        }
    },
    LZ4("lz4", 0x02, 0x21, 0x4c, 0x18) {
        @Override
        InputStream open(InputStream packed) throws IOException {
            return new Lz4LegacyInputStream(packed);
        }
    },
    ZSTD("zstd", 0x28, 0xb5, 0x2f, 0xfd) {
        @Override
        InputStream open(InputStream packed) throws IOException {
            return new ZstdCompressorInputStream(packed);
        }
    },
    LZO("lzo", 0x89, 'L', 'Z', 'O') {
        @Override
        InputStream open(InputStream packed) throws IOException {
            throw new IOException("this compression is not supported");
        }
    };

    private static final int BUFFER = 65536;
    /** The most that a decoder may take, nearly all of it for its dictionary; that of Linux's builds has 32 MiB. */
    private static final int MEMORY_KIB = 128 << 10;

    private final String label;
    private final byte[] magic;

    Compression(String label, int... magic) {
        this.label = label;
        this.magic = new byte[magic.length];
        for (int i = 0; i < magic.length; i++) {
            this.magic[i] = (byte) magic[i];
        }
    }

    /** Starts reading what {@code packed} begins with. */
    abstract InputStream open(InputStream packed) throws IOException;

    /** The compression of {@code packed}, or null if it is none of these. */
    static @Nullable Compression of(byte[] packed) {
        for (Compression each : values()) {
            int length = each.magic.length;
            if (packed.length > length && Arrays.equals(packed, 0, length, each.magic, 0, length)) {
                return each;
            }
        }
        return null;
    }

    /**
     * Unpacks {@code packed}.
     *
     * @param name what errors call the file
     * @param limit bytes that the result may have
     */
    byte[] unpack(byte[] packed, String name, int limit) throws BuildException {
        try (InputStream in = open(new ByteArrayInputStream(packed))) {
            byte[] image = in.readNBytes(limit + 1);
            if (image.length > limit) {
                throw new BuildException(name + ": unpacks to more than " + (limit >> 20)
                        + " MiB, the most that this host's process takes");
            }
            return image;
        } catch (IOException | RuntimeException e) {
            // Decoders meet damaged data with both.
            String cause = e instanceof java.io.EOFException ? "it ends early" : e.getMessage();
            throw new BuildException(name + ": damaged " + label + " data: " + cause, e);
        }
    }
}
