package dev.xenolith.dom0.display;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.device.display.Picture;
import dev.xenolith.dom0.display.encoding.Area;
import dev.xenolith.dom0.display.encoding.Encoder;
import dev.xenolith.dom0.display.encoding.EncoderSet;
import dev.xenolith.dom0.display.encoding.PixelFormat;
import dev.xenolith.dom0.display.screen.Frame;
import dev.xenolith.dom0.display.screen.InputDevices;
import dev.xenolith.dom0.display.screen.ScreenSource;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.buffer.Unpooled;
import java.io.DataInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What encoders write, decoders that know the specification only make the same picture of. */
class EncodingTest {
    private static final int PICTURES = 60;

    static final List<ViewerFormat> FORMATS = List.of(ViewerFormat.RGB32,
            new ViewerFormat(32, 24, true, new int[]{255, 255, 255}, new int[]{16, 8, 0}),
            new ViewerFormat(32, 24, false, new int[]{255, 255, 255}, new int[]{8, 16, 24}),
            new ViewerFormat(32, 24, true, new int[]{255, 255, 255}, new int[]{24, 16, 8}),
            new ViewerFormat(32, 32, false, new int[]{1023, 2047, 1023}, new int[]{22, 11, 0}),
            new ViewerFormat(32, 15, false, new int[]{31, 31, 31}, new int[]{20, 10, 5}),
            new ViewerFormat(16, 16, false, new int[]{31, 63, 31}, new int[]{11, 5, 0}),
            new ViewerFormat(16, 15, true, new int[]{31, 31, 31}, new int[]{10, 5, 0}),
            new ViewerFormat(8, 8, false, new int[]{7, 7, 3}, new int[]{0, 3, 6}),
            new ViewerFormat(8, 6, false, new int[]{3, 3, 3}, new int[]{4, 2, 0}));

    /** A picture with all that encoders look for: one colour, few, runs, noise, and edges that are no tile's. */
    static Frame picture(RandomGenerator random, int width, int height) {
        Picture picture = new Picture();
        picture.resize(width, height);
        for (int i = 0; i < 40; i++) {
            int x = random.nextInt(width);
            int y = random.nextInt(height);
            int across = 1 + random.nextInt(width - x);
            int down = 1 + random.nextInt(height - y);
            int kind = random.nextInt(4);
            int colours = 1 << random.nextInt(1, 9);
            int base = random.nextInt(1 << 24);
            for (int row = y; row < y + down; row++) {
                for (int column = x; column < x + across; column++) {
                    picture.set(column, row, switch (kind) {
                        case 0 -> base;
                        case 1 -> base ^ random.nextInt(colours) * 0x10305;
                        case 2 -> base ^ column / 7 % colours * 0x1234;
                        default -> random.nextInt(1 << 24);
                    } & 0xff_ffff);
                }
            }
        }
        return frame(picture);
    }

    static Frame frame(Picture picture) {
        ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
        try (ScreenSource source = new ScreenSource(timer, new InputDevices())) {
            CompletableFuture<Frame> shown = new CompletableFuture<>();
            source.display(timer, to -> copy(picture, to));
            source.watch(() -> shown.complete(source.latest()));
            return shown.join();
        } finally {
            timer.shutdownNow();
        }
    }

    private static void copy(Picture from, Picture to) {
        to.resize(from.width(), from.height());
        int[] row = new int[from.width()];
        for (int y = 0; y < from.height(); y++) {
            from.copy(0, y, row, 0, row.length);
            to.set(0, y, row, 0, row.length);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {ViewerDecoder.RAW, ViewerDecoder.HEXTILE, ViewerDecoder.ZLIB, ViewerDecoder.TIGHT,
        ViewerDecoder.ZRLE})
    void everyPictureComesBack(int encoding) throws IOException {
        RandomGenerator random = RandomGeneratorFactory.of("SplittableRandom").create(encoding);
        for (ViewerFormat viewer : FORMATS) {
            PixelFormat format = PixelFormat.read(Unpooled.wrappedBuffer(viewer.bytes()));
            try (EncoderSet encoders = new EncoderSet(); ViewerDecoder decoder = new ViewerDecoder()) {
                for (int i = 0; i < PICTURES / FORMATS.size(); i++) {
                    int width = 1 + random.nextInt(300);
                    int height = 1 + random.nextInt(64);
                    encoders.tune(random.nextInt(10), EncoderSet.LOSSLESS);
                    Encoder encoder = encoders.preferred(List.of(1, encoding));
                    assertThat(encoder.number()).isEqualTo(encoding);
                    Frame frame = picture(random, width + 40, height + 30);
                    Area area = new Area(random.nextInt(40), random.nextInt(30), width, height);
                    checkEqual(encoder, decoder, frame, area, format, viewer);
                }
            }
        }
    }

    private static void checkEqual(Encoder encoder, ViewerDecoder decoder, Frame frame, Area area, PixelFormat format,
            ViewerFormat viewer) throws IOException {
        ByteBuf out = Unpooled.buffer();
        encoder.encode(frame, area, format, out);
        int[] pixels = decoder.decode(encoder.number(), area.width(), area.height(), viewer,
                new DataInputStream(new ByteBufInputStream(out)));
        assertThat(out.readableBytes()).as("bytes that nobody has read").isZero();
        int[] expected = IntStream.range(0, area.pixels()).map(
                i -> viewer.pixel(frame.pixel(area.x() + i % area.width(), area.y() + i / area.width()))).toArray();
        assertThat(Arrays.mismatch(pixels, expected)).as("%s %s", viewer, area).isEqualTo(-1);
    }

    @Test
    void zrleUsesAllItsKindsOfTiles() throws IOException {
        try (EncoderSet encoders = new EncoderSet(); ViewerDecoder decoder = new ViewerDecoder()) {
            Picture picture = new Picture();
            picture.resize(64 * 6, 64);
            RandomGenerator random = RandomGeneratorFactory.of("SplittableRandom").create(5);
            for (int y = 0; y < 64; y++) {
                for (int x = 0; x < 64; x++) {
                    picture.set(x, y, 0x123456);
                    picture.set(64 + x, y, random.nextBoolean() ? 1 : 2);
                    picture.set(128 + x, y, random.nextInt(11) * 5);
                    picture.set(192 + x, y, y * 64 + x / 20);
                    picture.set(256 + x, y, random.nextInt(1 << 24));
                    picture.set(320 + x, y, (y * 64 + x) / 9 % 100);
                }
            }
            Encoder encoder = encoders.preferred(List.of(ViewerDecoder.ZRLE));
            checkEqual(encoder, decoder, frame(picture), new Area(0, 0, 64 * 6, 64), PixelFormat.OFFERED,
                    ViewerFormat.RGB32);
            assertThat(decoder.kinds[1]).as("solid").isOne();
            assertThat(decoder.kinds[2]).as("packed").isOne();
            assertThat(decoder.kinds[11]).as("packed").isOne();
            assertThat(decoder.kinds[128]).as("runs").isOne();
            assertThat(decoder.kinds[0]).as("raw").isOne();
            assertThat(decoder.kinds[128 + 100]).as("runs of a palette").isOne();
        }
    }

    @Test
    void tightWritesPhotographsAsJpegIfAsked() throws IOException {
        Picture picture = new Picture();
        picture.resize(256, 64);
        for (int y = 0; y < 64; y++) {
            for (int x = 0; x < 256; x++) {
                picture.set(x, y, x << 16 | 3 * y << 8 | 255 - x);
            }
        }
        Frame frame = frame(picture);
        try (EncoderSet encoders = new EncoderSet(); ViewerDecoder decoder = new ViewerDecoder()) {
            encoders.tune(6, 9);
            ByteBuf out = Unpooled.buffer();
            encoders.preferred(List.of(ViewerDecoder.TIGHT)).encode(frame, new Area(0, 0, 256, 64),
                    PixelFormat.OFFERED, out);
            int[] pixels = decoder.decode(ViewerDecoder.TIGHT, 256, 64, ViewerFormat.RGB32,
                    new DataInputStream(new ByteBufInputStream(out)));
            assertThat(decoder.jpegs).isOne();
            long error = 0;
            for (int i = 0; i < pixels.length; i++) {
                int expected = frame.pixel(i % 256, i / 256);
                for (int shift = 0; shift < 24; shift += 8) {
                    error += Math.abs((pixels[i] >> shift & 0xff) - (expected >> shift & 0xff));
                }
            }
            assertThat(error / (3.0 * pixels.length)).isLessThan(6);
        }
    }

    @Test
    void formatsThatCannotBeAreRefused() {
        for (ViewerFormat wrong : List.of(
                new ViewerFormat(24, 24, false, new int[]{255, 255, 255}, new int[]{16, 8, 0}),
                new ViewerFormat(32, 33, false, new int[]{255, 255, 255}, new int[]{16, 8, 0}),
                new ViewerFormat(32, 24, false, new int[]{255, 255, 255}, new int[]{16, 8, 40}),
                new ViewerFormat(32, 24, false, new int[]{255, 255, 255}, new int[]{16, 9, 0}),
                new ViewerFormat(32, 24, false, new int[]{254, 255, 255}, new int[]{16, 8, 0}),
                new ViewerFormat(16, 16, false, new int[]{0, 63, 31}, new int[]{11, 5, 0}),
                new ViewerFormat(16, 16, false, new int[]{63, 63, 31}, new int[]{11, 5, 0}))) {
            assertThatThrownBy(() -> PixelFormat.read(Unpooled.wrappedBuffer(wrong.bytes())))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        byte[] mapped = ViewerFormat.RGB32.bytes();
        mapped[3] = 0;
        assertThatThrownBy(() -> PixelFormat.read(Unpooled.wrappedBuffer(mapped))).hasMessageContaining("colour map");
    }
}
