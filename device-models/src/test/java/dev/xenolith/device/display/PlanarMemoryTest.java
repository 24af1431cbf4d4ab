package dev.xenolith.device.display;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.device.TestTime;
import java.util.BitSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Writes and reads of the planes, each byte worked out by hand from the reference's description of the modes. */
class PlanarMemoryTest {
    private static final int SEQUENCER = 0x4;
    private static final int GRAPHICS = 0xe;

    private final Vga vga = new Vga(new TestTime());
    private final MmioDevice window = vga.window();

    private void sequencer(int register, int value) {
        vga.registers().write(SEQUENCER, 2, value << 8 | register);
    }

    private void graphics(int register, int value) {
        vga.registers().write(GRAPHICS, 2, value << 8 | register);
    }

    /** As in the planar modes: 64 KiB at 0xa0000, all planes, write mode 0. */
    @BeforeEach
    void planar() {
        sequencer(2, 0x0f);
        sequencer(4, 0x06);
        graphics(5, 0x00);
        graphics(6, 0x05);
        graphics(8, 0xff);
    }

    /** The four planes at an address, plane 0 in the last two digits. */
    private void planes(int address, int expected) {
        assertThat(Integer.toHexString(vga.memory().planes(address))).isEqualTo(Integer.toHexString(expected));
    }

    /** Puts 0x44332211 into the planes at {@code address}, and into the latches. */
    private void latch(int address) {
        for (int plane = 0; plane < 4; plane++) {
            sequencer(2, 1 << plane);
            window.write(address, 1, 0x11 * (plane + 1));
        }
        sequencer(2, 0x0f);
        window.read(address, 1);
    }

    @Test
    void theMapMaskChoosesPlanes() {
        window.write(5, 1, 0xa5);
        planes(5, 0xa5a5a5a5);
        sequencer(2, 0x06);
        window.write(5, 1, 0x3c);
        planes(5, 0xa53c3ca5);
    }

    @Test
    void writeMode0RotatesAndMasks() {
        latch(7);
        graphics(3, 3);
        graphics(8, 0xf0);
        // 0x0b rotated right by 3 is 0x61; its upper half goes over the latches.
        window.write(7, 1, 0x0b);
        planes(7, 0x64636261);
    }

    @Test
    void writeMode0SetsAndResets() {
        graphics(0, 0x02);
        graphics(1, 0x03);
        // Plane 0 is reset, plane 1 set, planes 2 and 3 take the data.
        window.write(9, 1, 0x5a);
        planes(9, 0x5a5aff00);
    }

    @Test
    void functionsCombineWithTheLatches() {
        latch(1);
        graphics(3, 1 << 3);
        window.write(2, 1, 0x0f);
        planes(2, 0x04030201);
        graphics(3, 2 << 3);
        window.write(3, 1, 0x88);
        planes(3, 0xccbbaa99);
        graphics(3, 3 << 3);
        window.write(4, 1, 0xff);
        planes(4, 0xbbccddee);
    }

    @Test
    void writeMode1CopiesTheLatches() {
        latch(1);
        graphics(5, 1);
        graphics(8, 0);
        window.write(2, 1, 0xff);
        planes(2, 0x44332211);
    }

    @Test
    void writeMode2WritesAColour() {
        latch(1);
        graphics(5, 2);
        graphics(8, 0x0f);
        window.write(2, 1, 0x0a);
        planes(2, 0x4f302f10);
    }

    @Test
    void writeMode3MasksWithTheData() {
        latch(1);
        graphics(0, 0x05);
        graphics(3, 4);
        graphics(5, 3);
        graphics(8, 0x3c);
        // 0xf3 rotated right by 4 is 0x3f, and 0x3c of it is let through: 11, 22, 33, 44 with ones, zeros, ones, zeros.
        window.write(2, 1, 0xf3);
        planes(2, 0x403f023d);
    }

    @Test
    void readMode0ChoosesAPlane() {
        latch(6);
        for (int plane = 0; plane < 4; plane++) {
            graphics(4, plane);
            assertThat(window.read(6, 1)).isEqualTo(0x11L * (plane + 1));
        }
    }

    @Test
    void readMode1ComparesColours() {
        latch(6);
        graphics(5, 8);
        graphics(2, 0x0f);
        graphics(7, 0x05);
        // Planes 0 and 2, 0x11 and 0x33, are to be set.
        assertThat(window.read(6, 1)).isEqualTo(0x11);
        graphics(2, 0x04);
        assertThat(window.read(6, 1)).as("plane 2 set, plane 0 not").isEqualTo(0x22);
        graphics(7, 0);
        assertThat(window.read(6, 1)).isEqualTo(0xff);
    }

    @Test
    void chain4TakesPlanesInTurns() {
        sequencer(4, 0x0e);
        window.write(0x104, 4, 0x44332211);
        planes(0x104, 0x44332211);
        assertThat(window.read(0x106, 1)).isEqualTo(0x33);
        assertThat(window.read(0x104, 4)).isEqualTo(0x44332211);
        sequencer(2, 0x01);
        window.write(0x104, 4, 0x88776655);
        planes(0x104, 0x44332255);
    }

    @Test
    void oddAndEvenAddressesAreForTextAndAttributes() {
        sequencer(2, 0x03);
        sequencer(4, 0x02);
        graphics(5, 0x10);
        graphics(6, 0x0e);
        window.write(0x1_8000 + 6, 2, 0x1f41);
        planes(6, 0x1f41);
        assertThat(window.read(0x1_8000 + 7, 1)).isEqualTo(0x1f);
    }

    @Test
    void theMapSaysWhereMemoryIs() {
        graphics(6, 0x01);
        window.write(0x1_0003, 1, 0x77);
        planes(3, 0x77777777);
        graphics(6, 0x05);
        assertThat(window.read(0x1_0003, 1)).isEqualTo(0xff);
        graphics(6, 0x09);
        assertThat(window.read(0x1_0003, 1)).isEqualTo(0x77);
        assertThat(window.read(0x1_8003, 1)).isEqualTo(0xff);
        graphics(6, 0x0d);
        assertThat(window.read(0x1_8003, 1)).isEqualTo(0x77);
        vga.registers().writeByte(2, 0x65);
        assertThat(window.read(0x1_8003, 1)).as("memory is switched off").isEqualTo(-1);
    }

    @Test
    void writesMarkTheirPage() {
        BitSet pages = new BitSet();
        vga.memory().takeDirty(pages);
        pages.clear();
        // 1,024 plane addresses are a page.
        window.write(0x0c00, 1, 1);
        vga.memory().takeDirty(pages);
        assertThat(pages.stream()).containsExactly(3);
        pages.clear();
        vga.memory().takeDirty(pages);
        assertThat(pages.isEmpty()).isTrue();
    }
}
