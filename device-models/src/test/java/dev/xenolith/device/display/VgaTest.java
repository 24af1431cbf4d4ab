package dev.xenolith.device.display;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import dev.xenolith.device.TestTime;
import java.nio.charset.Charset;
import org.junit.jupiter.api.Test;

class VgaTest {
    private static final int ATTRIBUTE = 0;
    private static final int ATTRIBUTE_DATA = 1;
    private static final int MISCELLANEOUS_WRITE = 2;
    private static final int MISCELLANEOUS_READ = 0xc;
    private static final int GRAPHICS = 0xe;
    private static final int STATUS = 6;

    private final TestTime time = new TestTime();
    private final Vga vga = new Vga(time);
    private final ByteRegisters crtc = vga.colour();
    private final ByteRegisters registers = vga.registers();
    /** The window from 0xb8000 on. */
    private final MmioDevice memory = new MmioDevice() {
        @Override
        public long read(long offset, int size) {
            return vga.window().read(0x1_8000 + offset, size);
        }

        @Override
        public void write(long offset, int size, long value) {
            vga.window().write(0x1_8000 + offset, size, value);
        }
    };

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
        assertThat(registers.readByte(MISCELLANEOUS_READ) & 1).isEqualTo(1);
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
        registers.writeByte(MISCELLANEOUS_WRITE, 0x66);
        monochrome.write(0, 2, 0x010e);
        assertThat(monochrome.readByte(1)).isEqualTo(1);
        assertThat(crtc.readByte(1)).isEqualTo(0xff);
    }

    @Test
    void indexAndDataTakeTurns() {
        registers.writeByte(ATTRIBUTE, 0x30);
        registers.writeByte(ATTRIBUTE, 0x08);
        registers.writeByte(ATTRIBUTE, 0x31);
        assertThat(registers.readByte(ATTRIBUTE_DATA)).isZero();
        crtc.readByte(STATUS);
        registers.writeByte(ATTRIBUTE, 0x30);
        assertThat(registers.readByte(ATTRIBUTE)).isEqualTo(0x30);
        assertThat(registers.readByte(ATTRIBUTE_DATA)).isEqualTo(0x08);
    }

    @Test
    void paletteEntriesHaveThreeParts() {
        registers.writeByte(8, 255);
        for (int value : new int[]{0xff, 2, 3, 4}) {
            registers.writeByte(9, value);
        }
        assertThat(registers.readByte(7)).as("writes").isZero();
        registers.writeByte(7, 255);
        assertThat(registers.readByte(7)).as("reads").isEqualTo(3);
        assertThat(
                new int[]{registers.readByte(9), registers.readByte(9), registers.readByte(9), registers.readByte(9)})
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
        registers.write(GRAPHICS, 2, 0x04_06);
        assertThat(memory.read(0, 2)).isEqualTo(0xffff);
        memory.write(0, 2, 0);
        registers.write(GRAPHICS, 2, 0x0e_06);
        assertThat(memory.read(0, 1)).isEqualTo('k');
    }

    @Test
    void stateComesBack() throws StateException {
        print(320, "saved");
        crtc(0x0d, 80);
        registers.writeByte(ATTRIBUTE, 5);
        Vga copy = RoundTrip.check(vga, new Vga(time.copy()));
        assertThat(copy.text().get(1)).isEqualTo("saved");
        copy.registers().writeByte(ATTRIBUTE, 0x3a);
        assertThat(copy.registers().readByte(ATTRIBUTE)).as("data is next").isEqualTo(5);
    }
}
