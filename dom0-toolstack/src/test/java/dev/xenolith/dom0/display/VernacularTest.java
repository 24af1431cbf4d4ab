package dev.xenolith.dom0.display;

import static org.assertj.core.api.Assertions.assertThat;

import com.shinyhut.vernacular.client.VernacularClient;
import com.shinyhut.vernacular.client.VernacularConfig;
import com.shinyhut.vernacular.client.rendering.ColorDepth;
import dev.xenolith.dom0.display.rfb.SharePolicy;
import java.awt.Image;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A viewer that others have written sees what it should. It knows raw, hextile and zlib. */
@Timeout(60)
class VernacularTest {
    @TempDir
    private Path directory = Path.of("");

    @ParameterizedTest
    @CsvSource({"false,false,BPP_24_TRUE", "true,false,BPP_24_TRUE", "false,true,BPP_24_TRUE",
        "true,true,BPP_16_TRUE", "true,false,BPP_8_TRUE", "true,false,BPP_8_INDEXED"})
    void seesAndTypes(boolean hextile, boolean zlib, ColorDepth depth) throws Exception {
        Path password = Files.writeString(directory.resolve("password"), "open");
        try (TestMachine machine = new TestMachine(password, false,
                SharePolicy.IGNORE)) {
            machine.shade = 0xff0000;
            CompletableFuture<BufferedImage> seen = new CompletableFuture<>();
            VernacularConfig config = new VernacularConfig();
            config.setColorDepth(depth);
            config.setEnableHextileEncoding(hextile);
            config.setEnableZLibEncoding(zlib);
            config.setEnableRreEncoding(false);
            config.setPasswordSupplier(() -> "open");
            config.setErrorListener(seen::completeExceptionally);
            config.setScreenUpdateListener(image -> {
                if (isThere(image, machine)) {
                    seen.complete((BufferedImage) image);
                }
            });
            VernacularClient client = new VernacularClient(config);
            client.start("127.0.0.1", machine.server.address().getPort());
            try {
                BufferedImage image = seen.get(30, TimeUnit.SECONDS);
                int tolerance = depth == ColorDepth.BPP_24_TRUE ? 0 : depth == ColorDepth.BPP_16_TRUE ? 9 : 90;
                for (int y = 0; y < machine.height; y++) {
                    for (int x = 0; x < machine.width; x++) {
                        int expected = machine.colour(x, y);
                        int actual = image.getRGB(x, y);
                        for (int shift = 0; shift < 24; shift += 8) {
                            assertThat(actual >> shift & 0xff).as("%d, %d", x, y)
                                    .isBetween((expected >> shift & 0xff) - tolerance,
                                            (expected >> shift & 0xff) + tolerance);
                        }
                    }
                }
                client.type("a");
                assertThat(machine.event()).isEqualTo("+4");
                assertThat(machine.event()).isEqualTo("-4");
            } finally {
                client.stop();
            }
        }
    }

    private static boolean isThere(Image image, TestMachine machine) {
        return image instanceof BufferedImage picture && picture.getWidth() == machine.width
                && (picture.getRGB(0, 0) & 0xff0000) != 0;
    }
}
