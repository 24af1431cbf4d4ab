package dev.xenolith.device.pci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class I440fxTest {
    private static final int ROM_SIZE = 128 << 10;
    private static final long BIOS = 0xf_0000;
    private static final long EXTENSION = 0xe_4000;
    private static final int READ_BUS_WRITE_MEMORY = 2;
    private static final int READ_MEMORY = 1;
    private static final int BOTH = 3;

    private final PhysicalMemory memory = memory();
    private final PhysicalMap map = new PhysicalMap(memory);
    private final I440fx bridge = new I440fx(memory, rom());

    private static PhysicalMemory memory() {
        return new PhysicalMemory(new MemoryLayout(List.of(new MemoryLayout.Region(0, 0xa_0000, MemoryLayout.Kind.RAM),
                new MemoryLayout.Region(0xc_0000, 0x4_0000, MemoryLayout.Kind.RAM))));
    }

    private static byte[] rom() {
        byte[] rom = new byte[ROM_SIZE];
        Arrays.fill(rom, (byte) 0x5a);
        return rom;
    }

    @AfterEach
    void close() {
        bridge.close();
        memory.close();
    }

    private void pam(int register, int value) {
        bridge.config().write(I440fx.PAM0 + register, 1, value);
    }

    @Test
    void fromTheStartTheRomIsSeenAndNothingCanBeWritten() {
        map.write(BIOS, 1, 1);
        map.write(0xc_0000, 1, 1);
        assertThat(map.read(BIOS, 1)).isEqualTo(0x5a);
        assertThat(map.read(0xe_0000, 1)).isEqualTo(0x5a);
        assertThat(map.read(0xc_0000, 4)).isEqualTo(0xffff_ffffL);
        assertThat(map.read(0xd_ffff, 1)).isEqualTo(0xff);
    }

    @Test
    void aRomIsCopiedUnderItself() {
        pam(0, READ_BUS_WRITE_MEMORY << 4);
        for (long at = BIOS; at < BIOS + 16; at += 4) {
            map.write(at, 4, map.read(at, 4) ^ 0x0101_0101);
        }
        assertThat(map.read(BIOS, 1)).isEqualTo(0x5a);
        pam(0, READ_MEMORY << 4);
        assertThat(map.read(BIOS, 4)).isEqualTo(0x5b5b_5b5bL);
        assertThat(map.read(BIOS + 16, 4)).isZero();
        map.write(BIOS, 1, 7);
        assertThat(map.read(BIOS, 1)).isEqualTo(0x5b);
        pam(0, BOTH << 4);
        map.write(BIOS, 1, 7);
        assertThat(map.read(BIOS, 1)).isEqualTo(7);
        pam(0, 0);
        assertThat(map.read(BIOS, 1)).isEqualTo(0x5a);
        pam(0, BOTH << 4);
        assertThat(map.read(BIOS, 1)).isEqualTo(7);
    }

    @Test
    void eachSegmentHasHalfARegister() {
        pam(5, BOTH << 4);
        map.write(EXTENSION, 1, 9);
        map.write(EXTENSION - 1, 1, 9);
        map.write(EXTENSION + 0x4000, 1, 9);
        assertThat(map.read(EXTENSION, 1)).isEqualTo(9);
        assertThat(map.read(EXTENSION - 1, 1)).isEqualTo(0x5a);
        assertThat(map.read(EXTENSION + 0x4000, 1)).isEqualTo(0x5a);
        pam(1, BOTH);
        map.write(0xc_0000, 1, 8);
        map.write(0xc_4000, 1, 8);
        assertThat(map.read(0xc_0000, 1)).isEqualTo(8);
        assertThat(map.read(0xc_4000, 1)).isEqualTo(0xff);
    }

    @Test
    void systemManagementMemoryIsOpenUntilItIsLocked() {
        assertThat(map.read(0xa_0000, 1)).isEqualTo(0xff);
        bridge.config().write(I440fx.SMRAM, 1, 0x4a);
        map.write(0xb_ffff, 1, 3);
        assertThat(map.read(0xb_ffff, 1)).isEqualTo(3);
        bridge.config().write(I440fx.SMRAM, 1, 0x0a);
        assertThat(map.read(0xb_ffff, 1)).isEqualTo(0xff);
        bridge.config().write(I440fx.SMRAM, 1, 0x5a);
        assertThat(map.read(0xb_ffff, 1)).isEqualTo(0xff);
        bridge.config().write(I440fx.SMRAM, 1, 0x4a);
        assertThat(bridge.config().get(I440fx.SMRAM, 1)).isEqualTo(0x1a);
        assertThat(map.read(0xb_ffff, 1)).isEqualTo(0xff);
    }

    @Test
    void whatIsSeenAndWhatIsNotComeBack() throws Exception {
        pam(0, BOTH << 4);
        map.write(BIOS, 1, 7);
        pam(0, READ_BUS_WRITE_MEMORY << 4);
        pam(6, BOTH);
        map.write(0xe_8000, 1, 6);
        bridge.config().write(I440fx.SMRAM, 1, 0x4a);
        map.write(0xa_0000, 1, 3);
        byte[] state = StateWriter.save(bridge);
        ByteArrayOutputStream contents = new ByteArrayOutputStream();
        memory.save(new DataOutputStream(contents));
        try (PhysicalMemory otherMemory = memory(); I440fx other = new I440fx(otherMemory, rom())) {
            otherMemory.restore(new DataInputStream(new ByteArrayInputStream(contents.toByteArray())));
            StateReader.restore(other, state);
            assertThat(StateWriter.save(other)).isEqualTo(state);
            PhysicalMap otherMap = new PhysicalMap(otherMemory);
            assertThat(otherMap.read(0xa_0000, 1)).isEqualTo(3);
            assertThat(otherMap.read(0xe_8000, 1)).isEqualTo(6);
            otherMap.write(BIOS, 1, 8);
            otherMap.write(0xe_8000, 1, 8);
            assertThat(otherMap.read(BIOS, 1)).isEqualTo(0x5a);
            assertThat(otherMap.read(0xe_8000, 1)).isEqualTo(8);
            other.config().write(I440fx.PAM0, 1, BOTH << 4);
            assertThat(otherMap.read(BIOS, 1)).isEqualTo(8);
        }
    }
}
