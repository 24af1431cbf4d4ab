package dev.xenolith.dom0.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.apache.commons.compress.compressors.lz4.BlockLZ4CompressorOutputStream;
import org.apache.commons.compress.compressors.lzma.LZMACompressorOutputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorOutputStream;
import org.apache.commons.compress.compressors.zstandard.ZstdCompressorOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

class BzImageTest {
    private static final int SETUP_SECTORS = 3;
    private static final int PROTECTED_MODE = (1 + SETUP_SECTORS) * 512;
    private static final int PAYLOAD_OFFSET = 0x2cc;
    private static final int LZ4_BLOCK = 8 << 20;

    private interface Packer {
        OutputStream over(OutputStream out) throws IOException;
    }

    private static byte[] pack(Compression compression, byte[] content) throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        if (compression == Compression.LZ4) {
            packLz4(content, packed);
        } else {
            Packer packer = switch (compression) {
                case GZIP -> GZIPOutputStream::new;
                case BZIP2 -> BZip2CompressorOutputStream::new;
                case LZMA -> LZMACompressorOutputStream::new;
                case XZ -> XZCompressorOutputStream::new;
                case ZSTD -> ZstdCompressorOutputStream::new;
                case LZ4, LZO -> throw new AssertionError(compression);
            };
            try (OutputStream out = packer.over(packed)) {
                out.write(content);
            }
        }
        return packed.toByteArray();
    }

    private static void packLz4(byte[] content, ByteArrayOutputStream packed) throws IOException {
        packed.writeBytes(int32(0x184c_2102));
        for (int at = 0; at < content.length; at += LZ4_BLOCK) {
            ByteArrayOutputStream block = new ByteArrayOutputStream();
            try (OutputStream out = new BlockLZ4CompressorOutputStream(block)) {
                out.write(content, at, Math.min(LZ4_BLOCK, content.length - at));
            }
            packed.writeBytes(int32(block.size()));
            packed.writeBytes(block.toByteArray());
        }
    }

    private static byte[] int32(int value) {
        return ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
    }

    /** A bzImage as Linux's build makes it: it appends the unpacked size if the compression does not. */
    private static byte[] bzImage(Compression compression, byte[] kernel) throws IOException {
        byte[] packed = pack(compression, kernel);
        if (compression == Compression.GZIP) {
            return bzImage(packed);
        }
        byte[] payload = Arrays.copyOf(packed, packed.length + Integer.BYTES);
        System.arraycopy(int32(kernel.length), 0, payload, packed.length, Integer.BYTES);
        return bzImage(payload);
    }

    private static byte[] bzImage(byte[] payload) {
        ByteBuffer file = ByteBuffer.allocate(PROTECTED_MODE + PAYLOAD_OFFSET + payload.length + 100)
                .order(ByteOrder.LITTLE_ENDIAN);
        file.put(0x1f1, (byte) SETUP_SECTORS).putShort(0x1fe, (short) 0xaa55).putInt(0x202, 0x5372_6448)
                .putShort(0x206, (short) 0x20f).putInt(0x248, PAYLOAD_OFFSET).putInt(0x24c, payload.length)
                .put(PROTECTED_MODE + PAYLOAD_OFFSET, payload);
        return file.array();
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "LZO")
    void unpacksThePayload(Compression compression) throws Exception {
        byte[] elf = ElfBytes.kernel().bytes();
        byte[] image = bzImage(compression, elf);
        assertThat(KernelImage.of("k", image).bytes()).isEqualTo(elf);
        assertThat(KernelImage.of("k", pack(compression, elf)).bytes()).isEqualTo(elf);
        assertThat(KernelImage.of("k", pack(Compression.GZIP, image)).bytes()).isEqualTo(elf);
    }

    @Test
    void unpacksLz4OfSeveralBlocks() throws Exception {
        for (int size : new int[]{LZ4_BLOCK - 1, LZ4_BLOCK, LZ4_BLOCK + 1, 2 * LZ4_BLOCK}) {
            byte[] content = new byte[size];
            new SplittableRandom(size).nextBytes(content);
            // Half can be compressed and half cannot.
            Arrays.fill(content, 0, size / 2, (byte) 7);
            byte[] unpacked = Compression.LZ4.unpack(pack(Compression.LZ4, content), "k", 1 << 25);
            assertThat(Arrays.equals(unpacked, content)).as("%d bytes", size).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "LZO")
    void damagedDataIsNamed(Compression compression) throws Exception {
        byte[] content = new byte[100_000];
        new SplittableRandom(3).nextBytes(content);
        Arrays.fill(content, 0, 60_000, (byte) 'x');
        byte[] packed = pack(compression, content);
        SplittableRandom random = new SplittableRandom(compression.ordinal());
        for (int i = 0; i < 300; i++) {
            byte[] damaged = packed.clone();
            if (random.nextBoolean()) {
                damaged = Arrays.copyOf(packed, random.nextInt(6, packed.length));
            } else {
                damaged[random.nextInt(6, packed.length)] ^= (byte) (1 << random.nextInt(8));
            }
            byte[] file = damaged;
            Throwable failure = catchThrowable(() -> compression.unpack(file, "k", 1 << 20));
            if (failure != null) {
                assertThat(failure).isInstanceOf(BuildException.class).message().startsWith("k: ");
            }
        }
    }

    /** Sizes of dictionaries, windows and blocks, flags, lengths of names: an error, or the content. */
    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "LZO")
    @Timeout(60)
    void eachByteOfAStreamsHeaderMayBeAnything(Compression compression) throws Exception {
        byte[] content = ElfBytes.kernel().bytes();
        byte[] packed = pack(compression, content);
        int refused = 0;
        for (int at = 0; at < 48; at++) {
            for (int value : new int[]{0, 1, 0x1f, 0x28, 0x7f, 0x80, 0xc0, 0xff}) {
                byte[] damaged = packed.clone();
                damaged[at] = (byte) value;
                Throwable failure = catchThrowable(() -> KernelImage.of("k", damaged));
                if (failure != null) {
                    assertThat(failure).isInstanceOf(BuildException.class).message().startsWith("k: ");
                    refused++;
                }
            }
        }
        assertThat(refused).isPositive();
        for (int length = 0; length < packed.length; length += length < 64 ? 1 : 37) {
            byte[] damaged = Arrays.copyOf(packed, length);
            assertThatThrownBy(() -> KernelImage.of("k", damaged)).isInstanceOf(BuildException.class)
                    .hasMessageStartingWith("k: ");
        }
    }

    @Test
    void whatUnpacksToTooMuchIsRefused() throws IOException {
        byte[] bomb = pack(Compression.XZ, new byte[3 << 20]);
        assertThatThrownBy(() -> Compression.XZ.unpack(bomb, "k", 2 << 20)).isInstanceOf(BuildException.class)
                .hasMessageStartingWith("k: unpacks to more than 2 MiB");
    }

    @Test
    void saysWhatIsWrong() throws Exception {
        byte[] image = bzImage(Compression.XZ, ElfBytes.kernel().bytes());
        ByteBuffer header = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        header.putShort(0x206, (short) 0x207);
        assertThatThrownBy(() -> KernelImage.of("k", image)).isInstanceOf(BuildException.class)
                .hasMessageContaining("boot protocol 2.07");
        header.putShort(0x206, (short) 0x208).putInt(0x24c, image.length);
        assertThatThrownBy(() -> KernelImage.of("k", image)).isInstanceOf(BuildException.class)
                .hasMessageContaining("truncated: the payload ends at byte");
        byte[] lzo = bzImage(new byte[]{(byte) 0x89, 'L', 'Z', 'O', 0, 13, 10, 26, 10, 0, 0, 0, 0});
        assertThatThrownBy(() -> KernelImage.of("k", lzo)).isInstanceOf(BuildException.class)
                .hasMessageContaining("lzo data: this compression is not supported");
        assertThatThrownBy(() -> KernelImage.of("k", bzImage(new byte[100]))).isInstanceOf(BuildException.class)
                .hasMessageContaining("not a kernel");
    }

    @Test
    void eachHeaderFieldMayHoldAnything() throws Exception {
        byte[] whole = bzImage(Compression.GZIP, ElfBytes.kernel().bytes());
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 3000; i++) {
            byte[] image = random.nextInt(4) == 0 ? Arrays.copyOf(whole, random.nextInt(whole.length)) : whole.clone();
            for (int bytes = random.nextInt(1, 8); bytes > 0 && image.length > 0x250; bytes--) {
                image[random.nextInt(0x1f1, 0x250)] = (byte) random.nextInt();
            }
            Throwable failure = catchThrowable(() -> KernelImage.of("k", image));
            if (failure != null) {
                assertThat(failure).isInstanceOf(BuildException.class).message().startsWith("k: ");
            }
        }
    }
}
