package dev.xenolith.dom0.display.encoding;

import io.netty.buffer.ByteBuf;
import java.util.zip.Deflater;

/** A zlib stream (RFC 1950) that goes on from rectangle to rectangle; after each all that went in can be had out. */
final class ZlibStream implements AutoCloseable {
    private static final int CHUNK = 16 << 10;

    private final Deflater deflater = new Deflater(EncoderSet.DEFAULT_LEVEL);
    private final byte[] chunk = new byte[CHUNK];
    private int level = EncoderSet.DEFAULT_LEVEL;
    private boolean levelIsNew;

    void level(int wanted) {
        if (wanted != level) {
            level = wanted;
            levelIsNew = true;
            deflater.setLevel(wanted);
        }
    }

    /** Puts what {@code length} bytes become. */
    void compress(byte[] bytes, int offset, int length, ByteBuf out) {
        if (levelIsNew) {
            // The call that takes a level over does not flush: it is given nothing that would have to be.
            levelIsNew = false;
            out.writeBytes(chunk, 0, deflater.deflate(chunk, 0, chunk.length, Deflater.NO_FLUSH));
        }
        deflater.setInput(bytes, offset, length);
        int made;
        do {
            made = deflater.deflate(chunk, 0, chunk.length, Deflater.SYNC_FLUSH);
            out.writeBytes(chunk, 0, made);
        } while (made == chunk.length);
    }

    @Override
    public void close() {
        deflater.end();
    }
}
