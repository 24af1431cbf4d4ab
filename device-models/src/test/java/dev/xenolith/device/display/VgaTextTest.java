package dev.xenolith.device.display;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import dev.xenolith.device.TestTime;
import java.nio.charset.Charset;
import java.util.Random;
import org.junit.jupiter.api.Test;

class VgaTextTest {
    private static final int ATTRIBUTE = 0;
    private static final int ATTRIBUTE_DATA = 1;
    private static final int MISCELLANEOUS_WRITE = 2;
    private static final int MISCELLANEOUS_READ = 0xc;
    private static final int GRAPHICS = 0xe;
    private static final int STATUS = 6;

    private final TestTime time = new TestTime();
    private final VgaText vga = new VgaText(time);
    private final ByteRegisters crtc = vga.colour();
    private final MmioDevice memory = vga.memory();

    private void crtc(int register, int value) {
        crtc.write(0, 2, value << 8 | register);
    }

    private void print(int at, String text) {
        byte[] bytes = text.getBytes(Charset.forName("IBM437"));
        for (int i = 0; i < bytes.length; i++) {
            memory.write(at + 2L * i, 2, 0x1f00 | bytes[i] & 0xff);
        }
    }

    @Test
    void afterResetTheScreenIsBlank() {
        assertThat(vga.text()).hasSize(25).containsOnly("");
        assertThat(memory.read(0, 4)).isEqualTo(0x0720_0720);
        assertThat(vga.readByte(MISCELLANEOUS_READ) & 1).isEqualTo(1);
    }

    @Test
    void textIsWhatMemoryHolds() {
        print(0, "first");
        print(160 * 24 + 2 * 75, "│end█");
        memory.write(160, 8, 0x07ff_0720_077f_0701L);
        assertThat(vga.text().get(0)).isEqualTo("first");
        assertThat(vga.text().get(1)).as("from the lowest byte: 01, 7f, a blank, a hard blank").isEqualTo("☺⌂ \u00a0");
        assertThat(vga.text().get(24)).isEqualTo(" ".repeat(75) + "│end█");
        assertThat(memory.read(2, 1)).isEqualTo('i');
    }

    @Test
    void everyCodeHasAGlyph() {
        byte[] codes = new byte[256];
        StringBuilder glyphs = new StringBuilder();
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) i;
            glyphs.append(CodePage437.character(i));
        }
        String charset = new String(codes, Charset.forName("IBM437"));
        assertThat(glyphs.substring(32, 127)).isEqualTo(charset.substring(32, 127));
        assertThat(glyphs.substring(128)).isEqualTo(charset.substring(128));
        assertThat(glyphs.chars().distinct()).as("0 is shown as a blank").hasSize(255);
    }

    @Test
    void theStartAddressScrolls() {
        print(160, "second");
        crtc(0x0d, 80);
        assertThat(vga.text().get(0)).isEqualTo("second");
        crtc(0x0c, 0x3f);
        assertThat(vga.text()).as("wraps at the end of memory").hasSize(25);
    }

    @Test
    void sizeFollowsTheCrtController() {
        crtc(0x09, 0x47);
        assertThat(vga.text()).as("characters of 8 lines").hasSize(50);
        crtc(0x11, 0x0e);
        crtc(0x01, 39);
        print(0, "x".repeat(80));
        assertThat(vga.text().getFirst()).hasSize(40);
    }

    @Test
    void timingIsWriteProtected() {
        crtc(0x01, 39);
        assertThat(crtc.readByte(1)).isEqualTo(79);
        crtc(0x07, 0x00);
        assertThat(crtc.readByte(1)).as("but for the line compare bit").isEqualTo(0x0f);
        crtc(0x0e, 5);
        assertThat(crtc.readByte(1)).isEqualTo(5);
        crtc(0x40, 5);
        assertThat(crtc.readByte(1)).as("not there").isZero();
    }

    @Test
    void oneOfTwoPlacesAnswers() {
        ByteRegisters monochrome = vga.monochrome();
        monochrome.write(0, 2, 0x010e);
        assertThat(monochrome.readByte(1)).isEqualTo(0xff);
        vga.writeByte(MISCELLANEOUS_WRITE, 0x66);
        monochrome.write(0, 2, 0x010e);
        assertThat(monochrome.readByte(1)).isEqualTo(1);
        assertThat(crtc.readByte(1)).isEqualTo(0xff);
    }

    @Test
    void indexAndDataTakeTurns() {
        vga.writeByte(ATTRIBUTE, 0x30);
        vga.writeByte(ATTRIBUTE, 0x08);
        vga.writeByte(ATTRIBUTE, 0x31);
        assertThat(vga.readByte(ATTRIBUTE_DATA)).isZero();
        crtc.readByte(STATUS);
        vga.writeByte(ATTRIBUTE, 0x30);
        assertThat(vga.readByte(ATTRIBUTE)).isEqualTo(0x30);
        assertThat(vga.readByte(ATTRIBUTE_DATA)).isEqualTo(0x08);
    }

    @Test
    void paletteEntriesHaveThreeParts() {
        vga.writeByte(8, 255);
        for (int value : new int[]{0xff, 2, 3, 4}) {
            vga.writeByte(9, value);
        }
        assertThat(vga.readByte(7)).as("writes").isZero();
        vga.writeByte(7, 255);
        assertThat(vga.readByte(7)).as("reads").isEqualTo(3);
        assertThat(new int[]{vga.readByte(9), vga.readByte(9), vga.readByte(9), vga.readByte(9)})
                .containsExactly(0x3f, 2, 3, 4);
    }

    @Test
    void theBeamMoves() {
        assertThat(crtc.readByte(STATUS)).isZero();
        time.advance(26_000);
        assertThat(crtc.readByte(STATUS)).as("between lines").isEqualTo(1);
        time.advanceTo(31_778L * 413);
        assertThat(crtc.readByte(STATUS)).as("retraces").isEqualTo(9);
        time.advanceTo(31_778L * 449);
        assertThat(crtc.readByte(STATUS)).isZero();
    }

    @Test
    void memoryElsewhereDoesNotAnswer() {
        print(0, "kept");
        vga.write(GRAPHICS, 2, 0x04_06);
        assertThat(memory.read(0, 2)).isEqualTo(0xffff);
        memory.write(0, 2, 0);
        vga.write(GRAPHICS, 2, 0x0e_06);
        assertThat(memory.read(0, 1)).isEqualTo('k');
    }

    @Test
    void nothingThatAGuestWritesBreaksIt() throws StateException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int i = 0; i < 100_000; i++) {
            ByteRegisters registers = switch (random.nextInt(4)) {
                case 0 -> vga.colour();
                case 1 -> vga.monochrome();
                default -> vga;
            };
            int offset = random.nextInt(registers == vga ? VgaText.PORTS : VgaText.CRTC_PORTS);
            if (random.nextBoolean()) {
                registers.writeByte(offset, random.nextInt(256));
            } else {
                assertThat(registers.readByte(offset)).as("seed %d", seed).isBetween(0, 255);
            }
            if (i % 1000 == 0) {
                assertThat(vga.text()).as("seed %d", seed).hasSizeLessThanOrEqualTo(100);
            }
        }
        RoundTrip.check(vga, new VgaText(time.copy()));
    }

    @Test
    void stateComesBack() throws StateException {
        print(320, "saved");
        crtc(0x0d, 80);
        vga.writeByte(ATTRIBUTE, 5);
        VgaText copy = RoundTrip.check(vga, new VgaText(time.copy()));
        assertThat(copy.text().get(1)).isEqualTo("saved");
        copy.writeByte(ATTRIBUTE, 0x3a);
        assertThat(copy.readByte(ATTRIBUTE)).as("data is next").isEqualTo(5);
    }
}
