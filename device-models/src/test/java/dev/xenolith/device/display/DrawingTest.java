package dev.xenolith.device.display;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.device.TestTime;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is on the screen, pixel by pixel, in text and in the graphics modes. */
class DrawingTest {
    private static final int BLACK = 0;
    private static final int BLUE = 0x0000aa;
    private static final int GREY = 0xaaaaaa;
    private static final int WHITE = 0xffffff;
    private static final long PICTURE = 14_268_060;

    private final TestTime time = new TestTime();
    private final Vga vga = new Vga(time);
    private final Picture picture = new Picture();
    private final MmioDevice window = vga.window();

    @BeforeEach
    void withoutCursor() {
        crtc(0x0a, 0x20);
    }

    private void crtc(int register, int value) {
        vga.colour().write(0, 2, value << 8 | register);
    }

    private void sequencer(int register, int value) {
        vga.registers().write(4, 2, value << 8 | register);
    }

    private void graphics(int register, int value) {
        vga.registers().write(0xe, 2, value << 8 | register);
    }

    private void attribute(int register, int value) {
        vga.colour().readByte(6);
        vga.registers().writeByte(0, register | 0x20);
        vga.registers().writeByte(0, value);
    }

    private void colour(int index, int red, int green, int blue) {
        vga.registers().writeByte(8, index);
        vga.registers().writeByte(9, red);
        vga.registers().writeByte(9, green);
        vga.registers().writeByte(9, blue);
    }

    private void cell(int column, int row, int character, int attribute) {
        window.write(0x1_8000 + 160L * row + 2L * column, 2, attribute << 8 | character);
    }

    /** Gives {@code character} the rows of {@code glyph}, from the top, in the font at {@code address} of plane 2. */
    private void glyph(int address, int character, int... glyph) {
        for (int i = 0; i < glyph.length; i++) {
            vga.memory().write(4 * (address + 32 * character + i) + 2, 1, glyph[i]);
        }
    }

    private void draw() {
        vga.draw(picture);
    }

    private int[] pixels(int x, int y, int count) {
        int[] pixels = new int[count];
        picture.copy(x, y, pixels, 0, count);
        return pixels;
    }

    private int changedTiles() {
        int count = 0;
        for (int y = 0; y < picture.tileRows(); y++) {
            for (int x = 0; x < picture.tileColumns(); x++) {
                count += picture.hasChanged(x, y) ? 1 : 0;
            }
        }
        return count;
    }

    // ---- text --------------------------------------------------------------------------------------------------------

    @Test
    void charactersHaveNineDots() {
        glyph(0, 'A', 0x81, 0x40);
        glyph(0, 0xc4, 0x01);
        cell(1, 2, 'A', 0x17);
        cell(2, 2, 0xc4, 0x1f);
        draw();
        assertThat(picture.width()).isEqualTo(720);
        assertThat(picture.height()).isEqualTo(400);
        assertThat(pixels(9, 32, 9)).containsExactly(GREY, BLUE, BLUE, BLUE, BLUE, BLUE, BLUE, GREY, BLUE);
        assertThat(pixels(9, 33, 3)).containsExactly(BLUE, GREY, BLUE);
        assertThat(pixels(18, 32, 9)).as("a line goes on").containsExactly(BLUE, BLUE, BLUE, BLUE, BLUE, BLUE, BLUE,
                WHITE, WHITE);
        sequencer(1, 1);
        draw();
        assertThat(picture.width()).isEqualTo(640);
        assertThat(pixels(8, 32, 8)).containsExactly(GREY, BLUE, BLUE, BLUE, BLUE, BLUE, BLUE, GREY);
        sequencer(1, 9);
        draw();
        assertThat(picture.width()).isEqualTo(1280);
        assertThat(pixels(16, 33, 5)).as("twice as wide").containsExactly(BLUE, BLUE, GREY, GREY, BLUE);
    }

    @Test
    void theBuiltInFontIsThere() {
        cell(0, 0, 0xdb, 0x07);
        cell(1, 0, 'T', 0x07);
        draw();
        assertThat(pixels(0, 0, 9)).containsOnly(GREY);
        assertThat(pixels(9, 2, 9)).containsExactly(GREY, GREY, GREY, GREY, GREY, GREY, GREY, BLACK, BLACK);
        assertThat(pixels(9, 12, 9)).containsOnly(BLACK);
    }

    @Test
    void attributesChooseBetweenTwoFonts() {
        glyph(0x4000, 'x', 0x80);
        glyph(0x2000, 'x', 0x40);
        cell(0, 0, 'x', 0x07);
        cell(1, 0, 'x', 0x0f);
        // B, for dark characters, is map 1 at 16 KiB; A is map 4 at 8 KiB.
        sequencer(3, 0b10_0001);
        draw();
        assertThat(pixels(0, 0, 2)).containsExactly(GREY, BLACK);
        assertThat(pixels(9, 0, 2)).containsExactly(BLACK, WHITE);
    }

    @Test
    void blinkingCharactersCome() {
        glyph(0, 'x', 0xff);
        cell(0, 0, 'x', 0x97);
        draw();
        assertThat(pixels(0, 0, 1)).containsExactly(GREY);
        time.advance(16 * PICTURE);
        draw();
        assertThat(pixels(0, 0, 1)).containsExactly(BLUE);
        attribute(0x10, 0x04);
        draw();
        assertThat(pixels(0, 0, 9)).as("bit 7 is a bright background").containsExactly(GREY, GREY, GREY, GREY, GREY,
                GREY,
                GREY, GREY, 0x5555ff);
    }

    @Test
    void theCursorHasAShape() {
        crtc(0x0a, 13);
        crtc(0x0b, 14);
        crtc(0x0e, 0);
        crtc(0x0f, 81);
        cell(1, 1, ' ', 0x17);
        draw();
        assertThat(pixels(9, 16 + 12, 9)).containsOnly(BLUE);
        assertThat(pixels(9, 16 + 13, 9)).containsOnly(GREY);
        assertThat(pixels(9, 16 + 14, 9)).containsOnly(GREY);
        assertThat(pixels(9, 16 + 15, 9)).containsOnly(BLUE);
        picture.clean();
        crtc(0x0f, 82);
        draw();
        assertThat(pixels(9, 16 + 13, 9)).containsOnly(BLUE);
        assertThat(pixels(18, 16 + 13, 9)).containsOnly(GREY);
        assertThat(changedTiles()).isEqualTo(2);
        time.advance(8 * PICTURE);
        draw();
        assertThat(pixels(18, 16 + 13, 9)).as("blinks").containsOnly(BLACK);
    }

    @Test
    void attribute1IsUnderlined() {
        crtc(0x14, 15);
        cell(0, 0, ' ', 0x01);
        cell(1, 0, ' ', 0x02);
        draw();
        assertThat(pixels(0, 15, 9)).containsOnly(BLUE);
        assertThat(pixels(0, 14, 9)).containsOnly(BLACK);
        assertThat(pixels(9, 15, 9)).containsOnly(BLACK);
    }

    @Test
    void onlyWhatHasChangedIsDrawn() {
        draw();
        picture.clean();
        draw();
        assertThat(changedTiles()).isZero();
        cell(79, 24, 0xdb, 0x07);
        draw();
        assertThat(changedTiles()).as("columns 711 to 719, rows 384 to 399").isEqualTo(1);
        assertThat(picture.hasChanged(44, 24)).isTrue();
        picture.clean();
        colour(7, 63, 0, 0);
        draw();
        assertThat(pixels(711, 399, 9)).containsOnly(0xff0000);
    }

    @Test
    void smoothScrollingAndASplit() {
        glyph(0, 'x', 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128);
        cell(0, 0, 'x', 0x07);
        crtc(0x08, 3);
        draw();
        assertThat(pixels(0, 0, 9)).as("row 3").containsExactly(BLACK, BLACK, BLACK, BLACK, GREY, BLACK, BLACK, BLACK,
                BLACK);
        attribute(0x13, 1);
        draw();
        assertThat(pixels(0, 0, 4)).as("two dots to the left").containsExactly(BLACK, BLACK, GREY, BLACK);
        // Line 99 is the last of the upper part.
        crtc(0x18, 99);
        crtc(0x07, 0x0f);
        crtc(0x09, 0x0f);
        attribute(0x10, 0x2c);
        draw();
        assertThat(pixels(0, 100, 9)).as("row 0 of address 0, not panned").containsExactly(BLACK, BLACK, BLACK, BLACK,
                BLACK,
                BLACK, BLACK, GREY, BLACK);
    }

    @Test
    void aScreenThatIsOffIsBlack() {
        cell(0, 0, 0xdb, 0x07);
        draw();
        sequencer(1, 0x20);
        draw();
        assertThat(pixels(0, 0, 9)).containsOnly(BLACK);
        assertThat(vga.text().getFirst()).isEqualTo("█");
        sequencer(1, 0);
        vga.colour().readByte(6);
        vga.registers().writeByte(0, 0);
        draw();
        assertThat(pixels(0, 0, 9)).as("the palette is software's").containsOnly(BLACK);
    }

    // ---- graphics ----------------------------------------------------------------------------------------------------

    /** Timing of 640 dots by 400 lines, graphics, at 0xa0000. */
    private void graphicsMode(int lastRow, int offset) {
        crtc(0x11, 0x0e);
        crtc(0x09, 0x40 | lastRow);
        crtc(0x13, offset);
        sequencer(1, 1);
        sequencer(2, 0xf);
        sequencer(4, 6);
        graphics(5, 0);
        graphics(6, 5);
        attribute(0x10, 1);
        attribute(0x13, 0);
        vga.memory().clear(256 << 10);
    }

    @Test
    void sixteenColours() {
        graphicsMode(0, 40);
        crtc(0x17, 0xe3);
        graphics(5, 2);
        graphics(8, 0x80);
        window.write(80 * 3 + 2, 1, 0x9);
        graphics(8, 0x01);
        window.read(80 * 3 + 2, 1);
        window.write(80 * 3 + 2, 1, 0x6);
        draw();
        assertThat(picture.width()).isEqualTo(640);
        assertThat(pixels(16, 3, 8)).containsExactly(0x5555ff, 0, 0, 0, 0, 0, 0, 0xaa5500);
        assertThat(vga.text()).containsExactly("(graphics, 640 by 400 pixels)");
        picture.clean();
        graphics(8, 0xff);
        window.write(80 * 399 + 79, 1, 0xf);
        draw();
        assertThat(pixels(632, 399, 8)).containsOnly(WHITE);
        assertThat(changedTiles()).isEqualTo(1);
        attribute(0x12, 0x01);
        draw();
        assertThat(pixels(16, 3, 8)).as("plane 0 alone").containsExactly(BLUE, 0, 0, 0, 0, 0, 0, 0);
        crtc(0x0d, 80);
        draw();
        assertThat(pixels(16, 2, 1)).as("a row further on").containsExactly(BLUE);
        attribute(0x13, 3);
        draw();
        assertThat(pixels(13, 2, 1)).as("three dots to the left").containsExactly(BLUE);
    }

    @Test
    void paletteBitsCanComeFromTheColourSelectRegister() {
        graphicsMode(0, 40);
        crtc(0x17, 0xe3);
        colour(0xe1, 63, 0, 63);
        window.write(0, 1, 0xff);
        sequencer(2, 0xe);
        window.write(0, 1, 0);
        attribute(0x14, 0x0e);
        attribute(0x10, 0x81);
        draw();
        assertThat(pixels(0, 0, 1)).containsExactly(0xff00ff);
    }

    @Test
    void twoBitsOfACga() {
        graphicsMode(1, 20);
        crtc(0x01, 39);
        crtc(0x09, 0xc1);
        crtc(0x17, 0xa2);
        sequencer(1, 9);
        sequencer(2, 3);
        sequencer(4, 2);
        graphics(5, 0x30);
        graphics(6, 0x0f);
        // Pixels 0, 1, 2, 3 and then 3, 0, 0, 1; rows 1, 3, ... are 8 KiB further on.
        window.write(0x1_8000, 2, 0xc1_1b);
        window.write(0x1_8000 + 0x2000 + 80, 1, 0x80);
        draw();
        assertThat(picture.width()).isEqualTo(640);
        assertThat(picture.height()).isEqualTo(400);
        assertThat(pixels(0, 0, 16)).containsExactly(0, 0, BLUE, BLUE, 0x00aa00, 0x00aa00, 0x00aaaa, 0x00aaaa, 0x00aaaa,
                0x00aaaa, 0, 0, 0, 0, BLUE, BLUE);
        assertThat(pixels(0, 1, 16)).isEqualTo(pixels(0, 0, 16));
        assertThat(pixels(0, 6, 3)).as("the fourth row").containsExactly(0x00aa00, 0x00aa00, 0);
    }

    @Test
    void oneBitOfACga() {
        graphicsMode(1, 40);
        crtc(0x09, 0xc1);
        crtc(0x17, 0xc2);
        sequencer(2, 1);
        graphics(6, 0x0d);
        attribute(0x12, 1);
        attribute(1, 0x17);
        window.write(0x1_8000 + 0x2000, 1, 0x05);
        draw();
        assertThat(pixels(0, 0, 8)).containsOnly(0);
        assertThat(pixels(0, 2, 8)).as("the second row").containsExactly(0, 0, 0, 0, 0, 0xaaffaa, 0, 0xaaffaa);
    }

    @Test
    void mode13hAndUnchained() {
        graphicsMode(1, 40);
        crtc(0x14, 0x40);
        sequencer(4, 0x0e);
        graphics(5, 0x40);
        attribute(0x10, 0x41);
        colour(200, 63, 32, 0);
        window.write(320 * 10 + 7, 1, 200);
        draw();
        assertThat(pixels(13, 20, 4)).containsExactly(0, 0xff8200, 0xff8200, 0);
        assertThat(pixels(13, 21, 4)).containsExactly(0, 0xff8200, 0xff8200, 0);
        window.write(320 * 199 + 319, 1, 200);
        draw();
        assertThat(pixels(638, 399, 2)).containsOnly(0xff8200);
        // Mode X: bytes of the planes, one after the other.
        sequencer(4, 0x06);
        crtc(0x14, 0);
        crtc(0x17, 0xe3);
        vga.memory().clear(256 << 10);
        sequencer(2, 0x04);
        window.write(80 * 5 + 1, 1, 200);
        draw();
        assertThat(pixels(11, 10, 4)).containsExactly(0, 0xff8200, 0xff8200, 0);
        attribute(0x13, 2);
        draw();
        assertThat(pixels(9, 10, 4)).as("a pixel to the left").containsExactly(0, 0xff8200, 0xff8200, 0);
    }

    // ---- VBE -----------------------------------------------------------------------------------------------------------

    private void dispi(int index, int value) {
        vga.displayInterface().write(0, 2, index);
        vga.displayInterface().write(1, 2, value);
    }

    private int dispi(int index) {
        vga.displayInterface().write(0, 2, index);
        return (int) vga.displayInterface().read(1, 2);
    }

    private void mode(int width, int height, int depth) {
        dispi(Dispi.ENABLE, 0);
        dispi(Dispi.XRES, width);
        dispi(Dispi.YRES, height);
        dispi(Dispi.BPP, depth);
        dispi(Dispi.ENABLE, Dispi.ENABLED | Dispi.LFB_ENABLED);
    }

    @Test
    void depths() {
        mode(800, 600, 32);
        vga.memory().write((800 * 2 + 3) * 4, 4, 0x12345678);
        draw();
        assertThat(picture.width()).isEqualTo(800);
        assertThat(picture.height()).isEqualTo(600);
        assertThat(pixels(2, 2, 3)).containsExactly(0, 0x345678, 0);
        mode(800, 600, 24);
        vga.memory().write((800 * 2 + 3) * 3, 4, 0xff345678);
        draw();
        assertThat(pixels(3, 2, 2)).containsExactly(0x345678, 0x0000ff);
        mode(800, 600, 16);
        vga.memory().write((800 * 2 + 3) * 2, 2, 0b10000_000001_11111);
        draw();
        assertThat(pixels(3, 2, 2)).containsExactly(0x8404ff, 0);
        mode(800, 600, 15);
        vga.memory().write((800 * 2 + 3) * 2, 2, 0b10000_00001_11111);
        draw();
        assertThat(pixels(3, 2, 2)).containsExactly(0x8408ff, 0);
        mode(800, 600, 8);
        colour(100, 1, 2, 63);
        vga.memory().write(800 * 2 + 3, 1, 100);
        draw();
        assertThat(pixels(3, 2, 2)).containsExactly(0x0408ff, 0);
        dispi(Dispi.ENABLE, Dispi.ENABLED | Dispi.DAC_8BIT);
        colour(100, 0x81, 0x82, 0x83);
        draw();
        assertThat(pixels(3, 2, 2)).containsExactly(0x818283, 0);
        mode(800, 600, 4);
        sequencer(2, 0x0f);
        sequencer(4, 0x06);
        graphics(5, 0x02);
        graphics(6, 0x05);
        window.write(100 * 2 + 1, 1, 0x4);
        draw();
        assertThat(pixels(8, 2, 9)).containsExactly(0xaa0000, 0xaa0000, 0xaa0000, 0xaa0000, 0xaa0000, 0xaa0000,
                0xaa0000,
                0xaa0000, 0);
    }

    @Test
    void aLargerScreenIsPanned() {
        mode(640, 480, 32);
        dispi(Dispi.VIRT_WIDTH, 1024);
        assertThat(dispi(Dispi.VIRT_HEIGHT)).isEqualTo(4096);
        dispi(Dispi.X_OFFSET, 5);
        dispi(Dispi.Y_OFFSET, 7);
        vga.memory().write((1024 * 9 + 6) * 4, 4, 0xabcdef);
        draw();
        assertThat(pixels(0, 2, 3)).containsExactly(0, 0xabcdef, 0);
        dispi(Dispi.X_OFFSET, 1000);
        assertThat(dispi(Dispi.X_OFFSET)).isEqualTo(384);
        dispi(Dispi.Y_OFFSET, 0xffff);
        assertThat(dispi(Dispi.Y_OFFSET)).isEqualTo(3616);
    }

    @Test
    void banksShowInTheWindow() {
        mode(1024, 768, 8);
        dispi(Dispi.BANK, 3);
        window.write(0x10, 4, 0x44332211);
        assertThat(vga.memory().read(0x3_0010, 4)).isEqualTo(0x44332211);
        dispi(Dispi.BANK, 0x105);
        assertThat(dispi(Dispi.BANK)).isEqualTo(5);
        assertThat(window.read(0x1_0000, 1) & 0xff).isEqualTo(0xff);
    }

    @Test
    void theInterfaceSaysWhatItCan() {
        assertThat(dispi(Dispi.ID)).isEqualTo(0xb0c5);
        dispi(Dispi.ID, 0xb0c2);
        assertThat(dispi(Dispi.ID)).isEqualTo(0xb0c2);
        assertThat(dispi(Dispi.VIDEO_MEMORY_64K)).isEqualTo(256);
        dispi(Dispi.ENABLE, Dispi.GETCAPS);
        List<Integer> most = new ArrayList<>();
        for (int index = Dispi.XRES; index <= Dispi.BPP; index++) {
            most.add(dispi(index));
        }
        assertThat(most).containsExactly(4096, 4096, 32);
        mode(2560, 1600, 32);
        assertThat(dispi(Dispi.ENABLE) & Dispi.ENABLED).isEqualTo(1);
        mode(2560, 1640, 32);
        assertThat(dispi(Dispi.ENABLE) & Dispi.ENABLED).as("does not fit").isZero();
        mode(640, 480, 12);
        assertThat(dispi(Dispi.ENABLE) & Dispi.ENABLED).as("no depth").isZero();
        assertThat(vga.displayInterface().read(1, 1)).as("registers have 16 bits").isEqualTo(-1);
        draw();
        assertThat(picture.width()).as("text again").isEqualTo(720);
    }

    @Test
    void memoryIsClearedUnlessItIsNotToBe() {
        vga.memory().write(100, 1, 0x55);
        dispi(Dispi.ENABLE, Dispi.ENABLED | Dispi.NOCLEARMEM);
        assertThat(vga.memory().read(100, 1)).isEqualTo(0x55);
        mode(640, 480, 8);
        assertThat(vga.memory().read(100, 1)).isZero();
    }

    @Test
    void onlyRowsThatWereWrittenAreDrawn() {
        mode(1024, 768, 32);
        draw();
        picture.clean();
        vga.memory().write(4096 * 100, 4, 0xffffff);
        draw();
        assertThat(changedTiles()).isEqualTo(1);
        assertThat(picture.hasChanged(0, 6)).isTrue();
    }

    @Test
    void aPictureBecomesAFile() throws IOException {
        cell(0, 0, 0xdb, 0x14);
        draw();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        PictureWriter.png(picture, out);
        var image = ImageIO.read(new ByteArrayInputStream(out.toByteArray()));
        assertThat(image.getWidth()).isEqualTo(720);
        assertThat(image.getHeight()).isEqualTo(400);
        assertThat(image.getRGB(3, 3)).isEqualTo(0xffaa0000);
        assertThat(image.getRGB(300, 300)).isEqualTo(0xff000000);
    }
}
