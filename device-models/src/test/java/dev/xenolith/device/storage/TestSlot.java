package dev.xenolith.device.storage;

import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.device.MemoryDma;
import dev.xenolith.device.PortBus;
import dev.xenolith.device.TestLine;
import dev.xenolith.device.TestTime;
import dev.xenolith.device.pci.PciSlot;
import dev.xenolith.device.pci.PciSpaces;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** A slot with memory, ports and wires around it. */
public final class TestSlot implements AutoCloseable {
    public static final int MEMORY = 4 << 20;

    public final PortBus ports = new PortBus();
    public final PhysicalMemory memory = new PhysicalMemory(MemoryLayout.flat(MEMORY));
    public final PhysicalMap map = new PhysicalMap(memory);
    public final TestLine pin = new TestLine();
    public final List<Integer> messages = new ArrayList<>();
    public final PciSlot slot;

    public TestSlot(TestTime time) {
        slot = new PciSlot(time, new PciSpaces(ports, map, UnaryOperator.identity()), pin,
                (address, data) -> messages.add(data), new MemoryDma(memory));
    }

    public void put(long address, byte... bytes) {
        slot.memory().write(address, bytes, 0, bytes.length);
    }

    public void putInt(long address, int value) {
        put(address, (byte) value, (byte) (value >>> 8), (byte) (value >>> 16), (byte) (value >>> 24));
    }

    public byte[] get(long address, int length) {
        byte[] bytes = new byte[length];
        slot.memory().read(address, bytes, 0, length);
        return bytes;
    }

    public int getInt(long address) {
        byte[] bytes = get(address, 4);
        return bytes[0] & 0xff | (bytes[1] & 0xff) << 8 | (bytes[2] & 0xff) << 16 | bytes[3] << 24;
    }

    @Override
    public void close() {
        memory.close();
    }
}
