package dev.xenolith.device.storage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.TestLine;
import dev.xenolith.device.TestTime;
import dev.xenolith.device.pci.ConfigSpace;
import dev.xenolith.device.pci.PciFunction;
import dev.xenolith.device.storage.ahci.AhciController;
import dev.xenolith.device.storage.ata.AtaDevice;
import dev.xenolith.device.storage.ata.HardDisk;
import dev.xenolith.device.storage.atapi.OpticalDrive;
import dev.xenolith.device.storage.ide.Piix3Ide;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Registers are read and written at random: nothing throws, and what is saved at any moment can be restored. */
class StorageFuzzTest {
    private static final int COUNT = Integer.getInteger("device.fuzz", 300_000);
    private static final int MASTER = 0xc000;
    private static final long REGISTERS = 0xfeb0_0000L;
    private static final int[] COMMANDS = {0x20, 0x24, 0x25, 0x30, 0x34, 0x35, 0x39, 0xc4, 0xc5, 0xc6, 0xc8, 0xca, 0x06,
        0x60, 0x61, 0xa0, 0xa0, 0xa0, 0xa1, 0xec, 0xef, 0x2f, 0x08, 0x90, 0xe7, 0x40};
    private static final int[] PACKETS = {0x00, 0x03, 0x12, 0x28, 0xa8, 0x43, 0x46, 0x4a, 0x5a, 0xbe, 0x1b, 0x51, 0x25};

    private final Random random = new Random(20261128);
    private final TestTime time = new TestTime();

    private TestMedium medium(TestTime clock, int sectors) {
        TestMedium medium = new TestMedium(clock, sectors);
        medium.broken.add(77L);
        return medium;
    }

    private Piix3Ide ide(TestTime clock, TestSlot slot) {
        Piix3Ide ide = new Piix3Ide(slot.slot, new TestLine(), new TestLine());
        ide.attach(0, 0, new HardDisk(clock, AtaDevice.Cable.PARALLEL, medium(clock, 2000), "1"));
        ide.attach(0, 1, new OpticalDrive(clock, AtaDevice.Cable.PARALLEL, medium(clock, 800), "2"));
        return ide;
    }

    private AhciController ahci(TestTime clock, TestSlot slot) {
        AhciController controller = new AhciController(slot.slot);
        controller.attach(0, new HardDisk(clock, AtaDevice.Cable.SERIAL, medium(clock, 2000), "1"));
        controller.attach(5, new OpticalDrive(clock, AtaDevice.Cable.SERIAL, medium(clock, 800), "2"));
        return controller;
    }

    private void pass(TestSlot slot) {
        time.advance(random.nextInt(8) == 0 ? random.nextInt(4_000_000) : random.nextInt(3_000));
        if (random.nextInt(16) == 0) {
            slot.putInt(random.nextInt(TestSlot.MEMORY / 4) * 4L, random.nextInt());
        }
    }

    /** Another one, of the same make, takes over the state and gives back the same. */
    private static void checkState(PciFunction original, PciFunction copy) throws StateException {
        byte[] saved = StateWriter.save(original);
        StateReader.restore(copy, saved);
        assertThat(StateWriter.save(copy)).isEqualTo(saved);
    }

    @Test
    void ide() throws StateException {
        try (TestSlot slot = new TestSlot(time)) {
            Piix3Ide ide = ide(time, slot);
            ide.config().write(Piix3Ide.IDETIM, 4, 0x8000_8000);
            ide.config().write(0x20, 4, MASTER);
            ide.config().write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_IO | ConfigSpace.COMMAND_MASTER);
            for (int i = 0; i < COUNT; i++) {
                int size = 1 << random.nextInt(3);
                int port = (random.nextInt(6) == 0 ? 0x170 : 0x1f0) + random.nextInt(8);
                switch (random.nextInt(10)) {
                    case 0 -> slot.ports.out(0x1f7, 1, COMMANDS[random.nextInt(COMMANDS.length)]);
                    case 1 -> slot.ports.in(port, size);
                    case 2 -> slot.ports.out(port, size, random.nextInt() & 0xffff_ffffL);
                    case 3 -> slot.ports.out(MASTER + random.nextInt(16), size, random.nextInt() & 0xffff_ffffL);
                    case 4 -> slot.ports.in(MASTER + random.nextInt(16), size);
                    case 5 -> slot.ports.out(0x1f2 + random.nextInt(4), 1, random.nextInt(8));
                    case 6 -> {
                        for (int n = random.nextInt(300); n > 0; n--) {
                            if (random.nextBoolean()) {
                                slot.ports.in(0x1f0, 2);
                            } else {
                                slot.ports.out(0x1f0, 2, n % 6 == 0 ? PACKETS[random.nextInt(PACKETS.length)] : 0);
                            }
                        }
                    }
                    case 7 -> {
                        slot.ports.out(MASTER + 4, 4, random.nextInt(TestSlot.MEMORY));
                        slot.ports.out(MASTER, 1, random.nextInt(2) * 8);
                        slot.ports.out(MASTER, 1, 1 | random.nextInt(2) * 8);
                    }
                    case 8 -> slot.ports.out(0x1f6, 1, 0xa0 | random.nextInt(8) << 4 & 0x50);
                    default -> {
                        if (random.nextInt(50) == 0) {
                            slot.ports.out(0x3f6, 1, random.nextInt(256));
                        } else if (random.nextInt(20) == 0) {
                            slot.ports.out(0x3f6, 1, 0);
                        }
                    }
                }
                pass(slot);
                if (i % 5000 == 0) {
                    TestTime other = time.copy();
                    try (TestSlot second = new TestSlot(other)) {
                        checkState(ide, ide(other, second));
                    }
                }
            }
        }
    }

    @Test
    void ahci() throws StateException {
        try (TestSlot slot = new TestSlot(time)) {
            AhciController controller = ahci(time, slot);
            controller.config().write(0x24, 4, (int) REGISTERS);
            controller.config().write(ConfigSpace.COMMAND, 2,
                    ConfigSpace.COMMAND_MEMORY | ConfigSpace.COMMAND_MASTER);
            for (int i = 0; i < COUNT; i++) {
                int port = random.nextBoolean() ? 0 : 5;
                long registers = REGISTERS + 0x100 + port * 0x80L;
                int size = 1 << random.nextInt(4);
                switch (random.nextInt(8)) {
                    case 0 -> slot.map.read(REGISTERS + random.nextInt(0x1000) / size * size, size);
                    case 1 -> slot.map.write(registers + random.nextInt(16) * 4, 4, random.nextInt());
                    case 2 -> slot.map.write(REGISTERS + random.nextInt(0x1000) / size * size, size, random.nextLong());
                    case 3 -> {
                        slot.map.write(registers, 8, random.nextInt(8) == 0 ? random.nextLong() : 0x1_0000);
                        slot.map.write(registers + 8, 8, random.nextInt(8) == 0 ? random.nextLong() : 0x2_0000);
                        slot.map.write(registers + 0x2c, 4, random.nextInt(100) == 0 ? 1 : 0);
                        slot.map.write(registers + 0x18, 4, random.nextInt(8) == 0 ? 0x10 : 0x11);
                    }
                    case 4 -> slot.map.write(registers + 0x18, 4, 0x10 | random.nextInt(8) << 1);
                    default -> command(slot, registers);
                }
                pass(slot);
                if (i % 5000 == 0) {
                    TestTime other = time.copy();
                    try (TestSlot second = new TestSlot(other)) {
                        checkState(controller, ahci(other, second));
                    }
                }
            }
        }
    }

    private void command(TestSlot slot, long registers) {
        int number = random.nextInt(32);
        int table = 0x3_0000 + number * 0x400;
        slot.putInt(0x1_0000 + number * 32, random.nextInt(6) << 16 | random.nextInt(0x800));
        slot.putInt(0x1_0000 + number * 32 + 8, table);
        slot.putInt(0x1_0000 + number * 32 + 12, 0);
        byte[] fis = new byte[16];
        fis[0] = 0x27;
        fis[1] = (byte) (random.nextInt(20) == 0 ? 0 : 0x80);
        fis[2] = (byte) COMMANDS[random.nextInt(COMMANDS.length)];
        fis[3] = (byte) random.nextInt(9);
        fis[4] = (byte) random.nextInt(256);
        fis[5] = (byte) random.nextInt(10);
        fis[7] = 0x40;
        fis[12] = (byte) (random.nextBoolean() ? number << 3 : random.nextInt(20));
        fis[15] = (byte) (random.nextInt(4) == 0 ? 4 : 0);
        slot.put(table, fis);
        byte[] packet = new byte[12];
        packet[0] = (byte) PACKETS[random.nextInt(PACKETS.length)];
        packet[5] = (byte) random.nextInt(256);
        packet[8] = (byte) random.nextInt(20);
        slot.put(table + 0x40, packet);
        for (int i = 0; i < 5; i++) {
            boolean wild = random.nextInt(10) == 0;
            slot.putInt(table + 0x80 + i * 16, wild ? random.nextInt() : 0x10_0000 + random.nextInt(0x10_0000));
            slot.putInt(table + 0x84 + i * 16, wild ? random.nextInt() : 0);
            slot.putInt(table + 0x8c + i * 16, wild ? random.nextInt() : random.nextInt(0x8000));
        }
        if (random.nextBoolean()) {
            slot.map.write(registers + 0x34, 4, 1L << number);
        }
        slot.map.write(registers + 0x38, 4, 1L << number);
    }
}
