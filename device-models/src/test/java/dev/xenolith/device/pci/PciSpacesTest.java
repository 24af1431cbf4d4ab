package dev.xenolith.device.pci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.memory.DeviceMemory;
import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.device.PortBus;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PciSpacesTest {
    private final PortBus ports = new PortBus();
    private final PhysicalMemory memory = new PhysicalMemory(
            new MemoryLayout(MemoryLayout.flat(1 << 20).regions(), 0x11_0000));
    private final PhysicalMap map = new PhysicalMap(memory);
    private final PciSpaces spaces = new PciSpaces(ports, map, UnaryOperator.identity());

    @AfterEach
    void close() {
        memory.close();
    }

    /** Answers each read with {@code answer}. */
    private static MmioDevice answering(long answer) {
        return new MmioDevice() {
            @Override
            public long read(long offset, int size) {
                return answer + offset;
            }

            @Override
            public void write(long offset, int size, long value) {
                // Nothing to keep.
            }
        };
    }

    private static ConfigSpace function() {
        return new ConfigSpace(0x1234, 0x5678, 1, 0x02_0000);
    }

    private static void setBar(ConfigSpace config, int index, int address) {
        config.write(ConfigSpace.BAR_0 + 4 * index, 4, address);
    }

    @Test
    void windowsAppearWhereSoftwareSaysOnceItLetsThem() {
        ConfigSpace config = function().ioBar(0, 16).memoryBar(1, 4096, false).memoryBar64(2, 8192, true);
        spaces.ports("io", config, 0, 16, answering(0x10));
        spaces.memory("registers", config, 1, 4096, answering(0x40));
        spaces.memory("buffer", config, 2, 8192, answering(0x80));
        setBar(config, 0, 0xc000);
        setBar(config, 1, 0xfeb0_0000);
        setBar(config, 2, 0);
        setBar(config, 3, 0x10);
        assertThat(ports.in(0xc001, 1)).isEqualTo(0xff);
        config.write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_IO | ConfigSpace.COMMAND_MEMORY);
        assertThat(ports.in(0xc001, 1)).isEqualTo(0x11);
        assertThat(map.read(0xfeb0_0004L, 1)).isEqualTo(0x44);
        assertThat(map.read(0x10_0000_0008L, 1)).isEqualTo(0x88);
        assertThat(map.nameAt(0x10_0000_0008L)).isEqualTo("buffer");
        setBar(config, 0, 0xd000);
        assertThat(ports.in(0xc001, 1)).isEqualTo(0xff);
        assertThat(ports.in(0xd001, 1)).isEqualTo(0x11);
        config.write(ConfigSpace.COMMAND, 2, 0);
        assertThat(ports.isFree(0xd000, 16)).isTrue();
        assertThat(map.read(0xfeb0_0004L, 1)).isEqualTo(0xff);
    }

    @Test
    void sizingABarMovesNothing() {
        ConfigSpace config = function().memoryBar(0, 4096, false);
        spaces.memory("registers", config, 0, 4096, answering(1));
        config.write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_MEMORY);
        setBar(config, 0, 0xfeb0_0000);
        setBar(config, 0, -1);
        assertThat(config.get(ConfigSpace.BAR_0, 4)).isEqualTo(-4096);
        setBar(config, 0, 0xfeb0_0000);
        assertThat(map.read(0xfeb0_0000L, 1)).isEqualTo(1);
    }

    @Test
    void whoWasThereFirstAnswersUntilItGoes() {
        ConfigSpace first = function().ioBar(0, 16);
        ConfigSpace second = function().ioBar(0, 16);
        spaces.ports("first", first, 0, 16, answering(1));
        spaces.ports("second", second, 0, 16, answering(2));
        first.write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_IO);
        second.write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_IO);
        setBar(first, 0, 0xc000);
        setBar(second, 0, 0xc000);
        assertThat(ports.in(0xc000, 1)).isEqualTo(1);
        setBar(first, 0, 0xc010);
        assertThat(ports.in(0xc000, 1)).isEqualTo(2);
        assertThat(ports.in(0xc010, 1)).isEqualTo(1);
    }

    @Test
    void overWhatTheBoardHasNothingIsSeen() {
        ports.map("fixed", 0xc008, 1, answering(9));
        ConfigSpace config = function().ioBar(0, 16);
        spaces.ports("card", config, 0, 16, answering(1));
        config.write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_IO);
        setBar(config, 0, 0xc000);
        assertThat(ports.in(0xc000, 1)).isEqualTo(0xff);
        assertThat(ports.in(0xc008, 1)).isEqualTo(9);
        setBar(config, 0, 0xfff0);
        assertThat(ports.in(0xfff0, 1)).isEqualTo(1);
        setBar(config, 0, 0x7fff_0000);
        assertThat(ports.in(0xfff0, 1)).isEqualTo(0xff);
    }

    @Test
    void aFunctionsMemoryIsMemory() {
        try (DeviceMemory buffer = new DeviceMemory(memory, 8192)) {
            ConfigSpace config = function().memoryBar(0, 8192, true);
            spaces.memory(config, 0, buffer);
            config.write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_MEMORY);
            setBar(config, 0, 0x8000);
            assertThat(memory.isMemory(8)).as("over the board's memory it is not seen").isTrue();
            memory.write8(0x8000, 7);
            assertThat(buffer.read(0, 1)).isZero();
            setBar(config, 0, 0x10_0000);
            map.write(0x10_1ffc, 4, 0x1234);
            assertThat(buffer.read(0x1ffc, 4)).isEqualTo(0x1234);
            setBar(config, 0, 0x10_4000);
            assertThat(map.read(0x10_1ffc, 4)).isEqualTo(0xffff_ffffL);
            assertThat(map.read(0x10_5ffc, 4)).isEqualTo(0x1234);
            setBar(config, 0, 0x11_0000);
            assertThat(map.read(0x11_0000, 4)).as("not after where memory can be").isEqualTo(0xffff_ffffL);
        }
    }

    @Test
    void anExpansionRomIsReadWhileItIsEnabled() {
        ConfigSpace config = function();
        spaces.expansionRom("card", config, new byte[]{0x55, (byte) 0xaa, 4});
        config.write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_MEMORY);
        config.write(ConfigSpace.EXPANSION_ROM, 4, 0xfeb0_0000);
        assertThat(map.read(0xfeb0_0000L, 2)).isEqualTo(0xffff);
        config.write(ConfigSpace.EXPANSION_ROM, 4, 0xfeb0_0001);
        map.write(0xfeb0_0000L, 1, 0);
        assertThat(map.read(0xfeb0_0000L, 4)).isEqualTo(0xff04_aa55L);
        assertThat(map.nameAt(0xfeb0_0000L)).isEqualTo("card-rom");
    }

    @Test
    void capabilitiesAreAList() {
        ConfigSpace config = function().capability(0x05, 0x50).capability(0x11, 0x70);
        assertThat(config.get(ConfigSpace.STATUS, 2) & ConfigSpace.STATUS_CAPABILITIES).isNotZero();
        assertThat(config.get(ConfigSpace.CAPABILITIES, 1)).isEqualTo(0x70);
        assertThat(config.get(0x70, 2)).isEqualTo(0x5011);
        assertThat(config.get(0x50, 2)).isEqualTo(0x0005);
    }
}
