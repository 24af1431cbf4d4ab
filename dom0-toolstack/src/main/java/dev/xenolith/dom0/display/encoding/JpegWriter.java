package dev.xenolith.dom0.display.encoding;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufOutputStream;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.jspecify.annotations.Nullable;

/** Writes pixels as JPEG, with what the JDK has for it. */
final class JpegWriter implements AutoCloseable {
    /** What RFB's ten quality levels are in hundredths of the JPEG library's, as TightVNC has them. */
    private static final int[] QUALITIES = {5, 10, 15, 25, 37, 50, 60, 70, 75, 80};

    private @Nullable ImageWriter writer;

    /**
     * Puts a JPEG file.
     *
     * @param colours 0x00RRGGBB, row by row
     * @param quality 0 to 9
     */
    void write(int[] colours, int width, int height, int quality, ByteBuf out) {
        ImageWriter made = writer;
        if (made == null) {
            made = ImageIO.getImageWritersByFormatName("jpeg").next();
            writer = made;
        }
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, width, height, colours, 0, width);
        ImageWriteParam parameters = made.getDefaultWriteParam();
        parameters.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
        parameters.setCompressionQuality(QUALITIES[quality] / 100f);
        try (MemoryCacheImageOutputStream stream = new MemoryCacheImageOutputStream(new ByteBufOutputStream(out))) {
            made.setOutput(stream);
            made.write(null, new IIOImage(image, null, null), parameters);
        } catch (IOException e) {
            // It is memory that is written to.
            throw new UncheckedIOException(e);
        } finally {
            made.reset();
        }
    }

    @Override
    public void close() {
        if (writer != null) {
            writer.dispose();
        }
    }
}
