package dev.xenolith.device.display;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.MemoryDma;
import dev.xenolith.device.PortBus;
import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.TestTime;
import dev.xenolith.device.pci.ConfigSpace;
import dev.xenolith.device.pci.PciSlot;
import dev.xenolith.device.pci.PciSpaces;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StandardVgaTest {
    private static final long MEMORY = 0xe000_0000L;
    private static final long REGISTERS = 0xfebd_0000L;
    private static final long ROM = 0xfebe_0000L;

    private final PhysicalMemory ram = new PhysicalMemory(MemoryLayout.pc(2 << 20));
    private final PhysicalMap map = new PhysicalMap(ram);
    private final PortBus ports = new PortBus();
    private final TestTime time = new TestTime();
    private final StandardVga card = card(ports, map, time);

    private StandardVga card(PortBus bus, PhysicalMap physical, TestTime clock) {
        PciSpaces spaces = new PciSpaces(bus, physical, device -> device);
        StandardVga made = new StandardVga(
                new PciSlot(clock, spaces, InterruptLine.NONE, (address, data) -> {}, new MemoryDma(ram)),
                new byte[]{0x55, (byte) 0xaa, 1});
        made.decode(bus, physical, device -> device);
        return made;
    }

    @AfterEach
    void close() {
        ram.close();
    }

    private void configure() {
        card.config().write(ConfigSpace.BAR_0, 4, (int) MEMORY);
        card.config().write(ConfigSpace.BAR_0 + 8, 4, (int) REGISTERS);
        card.config().write(ConfigSpace.EXPANSION_ROM, 4, (int) ROM | 1);
        card.config().write(ConfigSpace.COMMAND, 2, 3);
    }

    @Test
    void itsHeaderSaysWhatItIs() {
        assertThat(card.config().get(0, 4)).isEqualTo(0x1111_1234);
        assertThat(card.config().get(8, 4)).isEqualTo(0x0300_0002);
        card.config().write(ConfigSpace.BAR_0, 4, -1);
        assertThat(card.config().get(ConfigSpace.BAR_0, 4)).as("16 MiB, prefetchable").isEqualTo(0xff00_0008);
        card.config().write(ConfigSpace.BAR_0 + 8, 4, -1);
        assertThat(card.config().get(ConfigSpace.BAR_0 + 8, 4)).as("4 KiB").isEqualTo(-4096);
    }

    @Test
    void theCommandRegisterSwitchesPortsAndWindowOn() {
        assertThat(ports.in(0x3cc, 1)).isEqualTo(0xff);
        assertThat(map.read(0xb8000, 2)).isEqualTo(0xffff);
        card.config().write(ConfigSpace.COMMAND, 2, 3);
        assertThat(ports.in(0x3cc, 1)).isEqualTo(0x67);
        assertThat(map.read(0xb8000, 2)).isEqualTo(0x0720);
    }

    @Test
    void registersAreInMemoryToo() {
        configure();
        assertThat(map.read(ROM, 4)).isEqualTo(0xff01_aa55L);
        map.write(REGISTERS + 0x414, 2, 0x120e);
        ports.out(0x3d4, 1, 0x0e);
        assertThat(ports.in(0x3d5, 1)).isEqualTo(0x12);
        assertThat(map.read(REGISTERS + 0x40c, 1)).isEqualTo(0x67);
        assertThat(map.read(REGISTERS + 0x500, 2)).isEqualTo(0xb0c5);
        map.write(REGISTERS + 0x502, 2, 1024);
        map.write(REGISTERS + 0x504, 2, 768);
        map.write(REGISTERS + 0x506, 2, 32);
        map.write(REGISTERS + 0x508, 2, 0x41);
        ports.out(0x1ce, 2, 6);
        assertThat(ports.in(0x1cf, 2)).isEqualTo(1024);
        map.write(MEMORY + 4 * 1024, 4, 0x112233);
        Picture picture = new Picture();
        card.vga().draw(picture);
        assertThat(picture.pixel(0, 1)).isEqualTo(0x112233);
        assertThat(map.read(REGISTERS + 0x600, 4)).isEqualTo(8);
        assertThat(map.read(REGISTERS + 0x604, 4)).isEqualTo(0x1e1e1e1e);
        map.write(REGISTERS + 0x604, 4, 0xbebebebeL);
        card.vga().draw(picture);
        assertThat(picture.pixel(0, 1)).as("bytes 33 22 11 00").isEqualTo(0x221100);
    }

    @Test
    void nothingThatAGuestDoesBreaksIt() throws StateException {
        long seed = Long.getLong("device.seed", new Random().nextLong());
        Random random = new Random(seed);
        Picture picture = new Picture();
        configure();
        int count = Integer.getInteger("device.fuzz", 300_000);
        int[] firsts = {0x3b4, 0x3c0, 0x3c0, 0x3d4, 0x1ce};
        for (int i = 0; i < count; i++) {
            int size = 1 << random.nextInt(3);
            long value = random.nextInt(3) == 0 ? random.nextInt(0x800) : random.nextLong();
            boolean writes = random.nextInt(3) != 0;
            switch (random.nextInt(6)) {
                case 0, 1 -> {
                    int port = firsts[random.nextInt(firsts.length)] + random.nextInt(16);
                    port(port, size, value, writes);
                }
                case 2 -> {
                    ports.out(0x1ce, 2, random.nextInt(12));
                    port(0x1cf, 2, value, writes);
                }
                case 3 -> memory(0xa_0000 + random.nextInt(0x2_0000 - 7), 2 * size, value, writes);
                case 4 -> memory(MEMORY + random.nextInt((16 << 20) - 7), 2 * size, value, writes);
                default -> memory(REGISTERS + random.nextInt(0x700), size, value, writes);
            }
            if (i % 500 == 0) {
                ports.out(0x3c3, 1, 1);
                time.advance(random.nextInt(100_000_000));
                card.vga().draw(picture);
                assertThat(card.vga().text()).as("seed %d", seed).isNotEmpty();
            }
        }
        PortBus otherPorts = new PortBus();
        RoundTrip.check(card, card(otherPorts, new PhysicalMap(ram), time.copy()));
    }

    private void port(int port, int size, long value, boolean writes) {
        if (writes) {
            ports.out(port, size, value);
        } else {
            ports.in(port, size);
        }
    }

    private void memory(long address, int size, long value, boolean writes) {
        if (writes) {
            map.write(address, size, value);
        } else {
            map.read(address, size);
        }
    }

    @Test
    void impossibleStateIsRefused() {
        configure();
        byte[] good = StateWriter.save(card);
        Random random = new Random(1);
        for (int i = 0; i < 300; i++) {
            byte[] bad = good.clone();
            for (int j = 0; j < 8; j++) {
                bad[random.nextInt(bad.length)] = (byte) random.nextInt();
            }
            StandardVga victim = card(new PortBus(), new PhysicalMap(ram), time.copy());
            try {
                StateReader.restore(victim, bad);
                victim.vga().draw(new Picture());
                victim.vga().window().write(0, 4, 1);
            } catch (StateException e) {
                assertThat(e).hasMessageNotContaining("null");
            }
        }
        assertThatThrownBy(() -> StateReader.restore(card, new byte[8])).isInstanceOf(StateException.class);
    }
}
