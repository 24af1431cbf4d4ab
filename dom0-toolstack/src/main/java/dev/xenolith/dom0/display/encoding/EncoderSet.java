package dev.xenolith.dom0.display.encoding;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The encoders of one viewer, made when it first wants them: their compressors live as long as the connection. */
public final class EncoderSet implements AutoCloseable {
    /** No JPEG. */
    public static final int LOSSLESS = -1;
    /** Of zlib, for a viewer that does not say. */
    public static final int DEFAULT_LEVEL = 3;

    private final Map<Integer, Encoder> encoders = new TreeMap<>();
    private int level = DEFAULT_LEVEL;
    private int quality = LOSSLESS;

    /**
     * What encoders do from now on.
     *
     * @param compression zlib's level, 0 to 9
     * @param jpegQuality 0 to 9, or {@link #LOSSLESS}
     */
    public void tune(int compression, int jpegQuality) {
        level = compression;
        quality = jpegQuality;
    }

    /** The first of {@code numbers}, as a viewer lists them, that is supported; else raw pixels, which every viewer takes. */
    public Encoder preferred(List<Integer> numbers) {
        for (int number : numbers) {
            Encoder encoder = encoder(number);
            if (encoder != null) {
                return encoder;
            }
        }
        return encoders.computeIfAbsent(RawEncoder.NUMBER, _ -> new RawEncoder());
    }

    private @Nullable Encoder encoder(int number) {
        return switch (number) {
            case RawEncoder.NUMBER -> encoders.computeIfAbsent(number, _ -> new RawEncoder());
            case HextileEncoder.NUMBER -> encoders.computeIfAbsent(number, _ -> new HextileEncoder());
            case ZlibEncoder.NUMBER -> {
                ZlibEncoder zlib = (ZlibEncoder) encoders.computeIfAbsent(number, _ -> new ZlibEncoder());
                zlib.level(level);
                yield zlib;
            }
            case TightEncoder.NUMBER -> {
                TightEncoder tight = (TightEncoder) encoders.computeIfAbsent(number, _ -> new TightEncoder());
                tight.tune(level, quality);
                yield tight;
            }
            case ZrleEncoder.NUMBER -> {
                ZrleEncoder zrle = (ZrleEncoder) encoders.computeIfAbsent(number, _ -> new ZrleEncoder());
                zrle.level(level);
                yield zrle;
            }
            default -> null;
        };
    }

    @Override
    public void close() {
        encoders.values().forEach(Encoder::close);
        encoders.clear();
    }
}
