package dev.xenolith.dom0.display.encoding;

import dev.xenolith.dom0.display.screen.Frame;
import io.netty.buffer.ByteBuf;

/**
 * One of RFB's encodings for one viewer: what it has written before may decide what it writes next. Belongs to one thread at a time;
 * {@link #close} gives back what the compressor has.
 */
public interface Encoder extends AutoCloseable {
    /** Widest rectangle that is taken (that of Tight). */
    int MAX_WIDTH = 2048;
    /** Highest one; ZRLE's tiles are as high. */
    int MAX_HEIGHT = 64;

    /** Its number in RFB. */
    int number();

    /** Puts the pixels of {@code area}, which lies in {@code frame}, without the rectangle's header. */
    void encode(Frame frame, Area area, PixelFormat format, ByteBuf out);

    @Override
    default void close() {}
}
