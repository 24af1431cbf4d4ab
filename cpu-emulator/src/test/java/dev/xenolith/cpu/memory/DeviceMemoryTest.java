package dev.xenolith.cpu.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DeviceMemoryTest {
    private static final int SIZE = 4 * PhysicalMemory.FRAME_SIZE;
    private static final long HOLE = 0x10_0000;
    private static final long HIGH = 0x20_0000;

    private final PhysicalMemory memory = new PhysicalMemory(new MemoryLayout(List.of(
            new MemoryLayout.Region(0, HOLE, MemoryLayout.Kind.RAM),
            new MemoryLayout.Region(HIGH, 0x1000, MemoryLayout.Kind.ROM))));
    private final DeviceMemory device = new DeviceMemory(memory, SIZE);

    @AfterEach
    void close() {
        device.close();
        memory.close();
    }

    private BitSet written() {
        BitSet taken = new BitSet();
        device.takeWritten(taken);
        return taken;
    }

    @Test
    void bytesStayWhereverItIsPlaced() {
        device.write(0x1ffe, 4, 0x1234_5678);
        device.place(HOLE);
        assertThat(memory.read32(HOLE + 0x1ffe)).isEqualTo(0x1234_5678);
        memory.write32(HOLE + 0x3000, 0xabcd);
        device.remove();
        assertThat(memory.isMemory(HOLE >>> 12)).isFalse();
        assertThat(device.read(0x3000, 4)).isEqualTo(0xabcd);
        device.write(0x3000, 4, 0);
        device.place(HOLE + 0x8000);
        assertThat(memory.read64(HOLE + 0xb000)).isZero();
        assertThat(memory.read32(HOLE + 0x8000 + 0x1ffe)).isEqualTo(0x1234_5678);
        device.clear();
        assertThat(memory.read32(HOLE + 0x8000 + 0x1ffe)).isZero();
    }

    @Test
    void itFitsOnlyIntoHoles() {
        assertThat(device.fits(HOLE)).isTrue();
        assertThat(device.fits(HOLE - 0x1000)).isFalse();
        assertThat(device.fits(HOLE + 0x800)).isFalse();
        assertThat(device.fits(HIGH - SIZE)).isTrue();
        assertThat(device.fits(HIGH - SIZE + 0x1000)).isFalse();
        assertThat(device.fits(HIGH + 0x1000)).isFalse();
        assertThat(device.fits(-0x1000)).isFalse();
        assertThat(device.fits(Long.MAX_VALUE & -0x1000)).isFalse();
        device.place(HOLE);
        assertThat(device.fits(HIGH - SIZE)).isFalse();
        assertThatThrownBy(() -> device.place(HIGH - SIZE)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void whatHasBeenWrittenIsKnownPlacedOrNot() {
        assertThat(written()).hasToString("{0, 1, 2, 3}");
        assertThat(written()).hasToString("{}");
        device.write(0xfff, 2, 0);
        assertThat(written()).hasToString("{0, 1}");
        device.place(HOLE);
        assertThat(written()).hasToString("{}");
        memory.write8(HOLE + 0x2000, 1);
        device.write(0x3000, 1, 1);
        assertThat(written()).hasToString("{2, 3}");
        memory.write8(HOLE + 0x2000, 1);
        device.remove();
        device.write(0, 1, 1);
        assertThat(written()).hasToString("{0, 2}");
    }

    @Test
    void listenersHearThatItMoves() {
        List<String> heard = new ArrayList<>();
        memory.addListener(new FrameListener() {
            @Override
            public void framesMoved() {
                heard.add("moved");
            }

            @Override
            public void codeChanging(long frame) {
                heard.add("code " + Long.toHexString(frame));
            }
        });
        device.place(HOLE);
        memory.markCode((HOLE >>> 12) + 1, 1);
        device.remove();
        assertThat(heard).containsExactly("moved", "code 101", "moved");
    }

    @Test
    void itsStateIsItsOwnAndNotTheMachines() throws IOException {
        device.place(HOLE);
        memory.write32(HOLE + 0x1000, 77);
        ByteArrayOutputStream machine = new ByteArrayOutputStream();
        memory.save(new DataOutputStream(machine));
        assertThat(machine.size()).isEqualTo(4);
        ByteArrayOutputStream saved = new ByteArrayOutputStream();
        device.save(new DataOutputStream(saved));
        try (DeviceMemory other = new DeviceMemory(memory, SIZE)) {
            other.write(0, 4, 5);
            other.restore(new DataInputStream(new ByteArrayInputStream(saved.toByteArray())));
            assertThat(other.read(0, 4)).isZero();
            assertThat(other.read(0x1000, 4)).isEqualTo(77);
        }
        try (DeviceMemory smaller = new DeviceMemory(memory, 0x1000)) {
            assertThatThrownBy(
                    () -> smaller.restore(new DataInputStream(new ByteArrayInputStream(saved.toByteArray()))))
                    .isInstanceOf(IOException.class).hasMessageContaining("frame 1");
        }
    }

    @Test
    void offsetsOutsideAreRefused() {
        assertThatThrownBy(() -> device.read(SIZE - 1, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> device.write(-1, 1, 0)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> device.copyOut(0, new byte[SIZE + 1], 0, SIZE + 1))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void protectedFramesTellOfWhatTheyIgnore() {
        List<String> heard = new ArrayList<>();
        memory.addListener(new FrameListener() {
            @Override
            public void writeIgnored(long address, int size, long value) {
                heard.add(Long.toHexString(address) + "/" + size + "=" + value);
            }
        });
        PhysicalMap map = new PhysicalMap(memory);
        memory.write8(0x1000, 5);
        memory.protect(1, 1, true);
        map.write(0x1000, 2, 7);
        assertThat(memory.read8(0x1000)).isEqualTo(5);
        assertThat(heard).containsExactly("1000/2=7");
        memory.protect(1, 1, false);
        map.write(0x1000, 2, 7);
        assertThat(memory.read8(0x1000)).isEqualTo(7);
        assertThat(heard).hasSize(1);
    }
}
