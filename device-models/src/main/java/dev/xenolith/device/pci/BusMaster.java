package dev.xenolith.device.pci;

import dev.xenolith.device.Dma;
import java.util.Arrays;

/** Memory as a function reaches it: only while software lets it master the bus (COMMAND bit 2). */
public record BusMaster(ConfigSpace config, Dma memory) implements Dma {
    @Override
    public void read(long address, byte[] destination, int offset, int length) {
        if (config.commands(ConfigSpace.COMMAND_MASTER)) {
            memory.read(address, destination, offset, length);
        } else {
            Arrays.fill(destination, offset, offset + length, (byte) 0xff);
        }
    }

    @Override
    public void write(long address, byte[] source, int offset, int length) {
        if (config.commands(ConfigSpace.COMMAND_MASTER)) {
            memory.write(address, source, offset, length);
        }
    }
}
