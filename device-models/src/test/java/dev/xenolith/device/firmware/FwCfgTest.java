package dev.xenolith.device.firmware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.device.MemoryDma;
import dev.xenolith.device.PortBus;
import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import dev.xenolith.device.serial.CharacterBackend;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FwCfgTest {
    private final PhysicalMemory memory = new PhysicalMemory(MemoryLayout.flat(1 << 20));
    private final FwCfg fwCfg = new FwCfg(new MemoryDma(memory));
    private final PortBus ports = new PortBus();

    @BeforeEach
    void map() {
        ports.map(FwCfg.PORT, FwCfg.PORTS, fwCfg.registers());
        ports.map(FwCfg.DMA_PORT, FwCfg.DMA_PORTS, fwCfg.dma());
        fwCfg.putShort(FwCfg.NB_CPUS, 4);
        fwCfg.putLong(FwCfg.RAM_SIZE, 512 << 20);
        fwCfg.putFile("etc/b", new byte[]{1, 2, 3});
        fwCfg.putFile("etc/a", new byte[]{9});
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private byte[] item(int key, int length) {
        ports.out(FwCfg.PORT, 2, key);
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) ports.in(FwCfg.PORT + 1, 1);
        }
        return bytes;
    }

    private int transfer(int control, int length, long address) {
        memory.copyIn(ByteBuffer.allocate(16).putInt(control).putInt(length).putLong(address).array(), 0, 0x1000, 16);
        ports.out(FwCfg.DMA_PORT, 4, 0);
        ports.out(FwCfg.DMA_PORT + 4, 4, Integer.reverseBytes(0x1000) & 0xffff_ffffL);
        return Integer.reverseBytes(memory.read32(0x1000));
    }

    @Test
    void itemsAreReadByByte() {
        assertThat(new String(item(FwCfg.SIGNATURE, 4), StandardCharsets.US_ASCII)).isEqualTo("QEMU");
        assertThat(item(FwCfg.ID, 6)).as("zeros after the end").containsExactly(3, 0, 0, 0, 0, 0);
        assertThat(item(FwCfg.NB_CPUS, 2)).containsExactly(4, 0);
        assertThat(item(0x7777, 1)).containsExactly(0);
        assertThat(ports.in(FwCfg.PORT, 1)).isZero();
        ports.out(FwCfg.PORT, 1, 1);
        assertThat(ports.in(FwCfg.PORT, 2)).isZero();
    }

    @Test
    void theDirectoryNamesFiles() {
        ByteBuffer directory = ByteBuffer.wrap(item(FwCfg.FILE_DIR, 4 + 2 * 64));
        assertThat(directory.getInt()).isEqualTo(2);
        assertThat(directory.getInt()).isEqualTo(1);
        int key = directory.getShort();
        directory.getShort();
        byte[] name = new byte[56];
        directory.get(name);
        assertThat(new String(name, StandardCharsets.US_ASCII).trim()).isEqualTo("etc/a");
        assertThat(item(key, 1)).containsExactly(9);
        assertThatThrownBy(() -> fwCfg.putFile("n".repeat(56), new byte[0])).hasMessageContaining("at most 55");
    }

    @Test
    void dmaReadsSkipsAndRefusesToWrite() {
        assertThat(ports.in(FwCfg.DMA_PORT, 4)).as("QEMU, big-endian").isEqualTo(0x554d_4551L);
        assertThat(ports.in(FwCfg.DMA_PORT + 4, 4)).isEqualTo(0x4746_4320L);
        assertThat(ports.in(FwCfg.DMA_PORT + 1, 1)).isEqualTo(0x45);
        memory.write32(0x2000, -1);
        assertThat(transfer(FwCfg.SIGNATURE << 16 | 8 | 4, 1, 0)).isZero();
        assertThat(transfer(2, 4, 0x2000)).isZero();
        assertThat(memory.read32(0x2000)).as("EMU and a zero").isEqualTo(0x0055_4d45);
        assertThat(transfer(FwCfg.SIGNATURE << 16 | 8 | 16, 4, 0x2000)).as("error").isEqualTo(1);
        assertThat(transfer(FwCfg.SIGNATURE << 16 | 8 | 2, 4, 0x7fff_ffff_ffff_fff0L)).isZero();
    }

    @Test
    void debugPorts() {
        List<Integer> codes = new ArrayList<>();
        ports.map(DebugExit.TESTS_PORT, DebugExit.PORTS, new DebugExit(codes::add));
        ports.out(DebugExit.TESTS_PORT, 1, 0x10);
        ports.out(DebugExit.TESTS_PORT, 4, 0);
        assertThat(codes).containsExactly(0x21, 1);
        assertThat(ports.in(DebugExit.TESTS_PORT, 4)).isZero();
        StringBuilder text = new StringBuilder();
        ports.map(DebugConsole.PORT, 1, new DebugConsole(new CharacterBackend() {
            @Override
            public void write(byte value) {
                text.append((char) value);
            }

            @Override
            public void connect(Receiver receiver) {
                throw new AssertionError();
            }
        }));
        ports.out(DebugConsole.PORT, 1, 'x');
        assertThat(ports.in(DebugConsole.PORT, 1)).isEqualTo(0xe9);
        assertThat(text).hasToString("x");
    }

    @Test
    void stateComesBack() throws StateException {
        item(FwCfg.SIGNATURE, 2);
        ports.out(FwCfg.DMA_PORT, 4, 0x0100_0000);
        FwCfg copy = RoundTrip.check(fwCfg, new FwCfg(new MemoryDma(memory)));
        assertThat(copy.registers().read(1, 1)).isEqualTo('M');
    }
}
