package dev.xenolith.cpu.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PhysicalMapTest {
    private final PhysicalMemory memory = new PhysicalMemory(
            new MemoryLayout(List.of(new MemoryLayout.Region(0, 0x10000, MemoryLayout.Kind.RAM),
                    new MemoryLayout.Region(0x20000, 0x1000, MemoryLayout.Kind.ROM))));
    private final PhysicalMap map = new PhysicalMap(memory);
    private final List<String> log = new ArrayList<>();

    private MmioDevice device(String name) {
        return new MmioDevice() {
            @Override
            public long read(long offset, int size) {
                return -offset;
            }

            @Override
            public void write(long offset, int size, long value) {
                log.add(name + " " + offset + "+" + size + " = " + Long.toHexString(value));
            }
        };
    }

    @AfterEach
    void close() {
        memory.close();
    }

    @Test
    void nothingAnswersWithOnesAndLosesWrites() {
        assertThat(map.read(0x30000, 4)).isEqualTo(0xffff_ffffL);
        assertThat(map.read(-8, 8)).isEqualTo(-1);
        assertThat(map.read(Long.MIN_VALUE, 1)).isEqualTo(0xff);
        map.write(0x30000, 8, 1);
        map.write(-1, 2, 1);
    }

    @Test
    void romIgnoresGuestsButTakesALoader() {
        memory.write32(0x20000, 0x1234);
        map.write(0x20000, 4, 0x5678);
        assertThat(map.read(0x20000, 4)).isEqualTo(0x1234);
        assertThat(memory.attention(0x20) & Attention.ON_WRITE).isEqualTo(Attention.ROM);
    }

    @Test
    void devicesAnswerInTheirWindowsOnly() {
        map.map(0x11000, 0x100, device("a"));
        map.map(0x11100, 0x10, device("b"));
        map.map(0x10000, 0x10, device("c"));
        assertThatThrownBy(() -> map.map(0x110ff, 1, device("d"))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> map.map(0x10ff0, 0x200, device("d"))).isInstanceOf(IllegalArgumentException.class);
        map.write(0x110ff, 1, -1);
        map.write(0x11100, 4, 0xab);
        map.write(0x10008, 8, 5);
        map.write(0x11110, 1, 1);
        assertThat(log).containsExactly("a 255+1 = ff", "b 0+4 = ab", "c 8+8 = 5");
        assertThat(map.read(0x11001, 2)).isEqualTo(0xffff);
        assertThat(map.read(0x1110e, 4)).as("past the end of a window").isEqualTo(0xffff_ffffL);
        int version = map.version();
        map.unmap(0x11000);
        assertThat(map.version()).isNotEqualTo(version);
        assertThat(map.read(0x11001, 1)).isEqualTo(0xff);
        map.map(0x110ff, 1, device("d"));
    }

    @Test
    void accessAcrossTheEndOfMemoryIsSplit() {
        map.map(0x10000, 0x10, device("c"));
        memory.write8(0xffff, 0x77);
        assertThat(map.read(0xffff, 4)).isEqualTo(0xfe_ff_00_77L);
        map.write(0xffff, 2, 0x1234);
        assertThat(memory.read8(0xffff)).isEqualTo(0x34);
        assertThat(log).containsExactly("c 0+1 = 12");
    }
}
