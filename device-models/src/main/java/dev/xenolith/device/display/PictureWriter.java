package dev.xenolith.device.display;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Writes a {@link Picture} as a file for people to look at. Needs no screen of the host. */
public final class PictureWriter {
    private PictureWriter() {}

    /** Writes {@code picture}, which has been drawn, as PNG. */
    public static void png(Picture picture, OutputStream out) throws IOException {
        int width = picture.width();
        BufferedImage image = new BufferedImage(width, picture.height(), BufferedImage.TYPE_INT_RGB);
        int[] row = new int[width];
        for (int y = 0; y < picture.height(); y++) {
            picture.copy(0, y, row, 0, width);
            image.getRaster().setDataElements(0, y, width, 1, row);
        }
        ImageWriter writer = ImageIO.getImageWritersByFormatName("png").next();
        try (MemoryCacheImageOutputStream stream = new MemoryCacheImageOutputStream(out)) {
            writer.setOutput(stream);
            writer.write(new IIOImage(image, null, null));
        } finally {
            writer.dispose();
        }
    }
}
