package dev.xenolith.device;

import dev.xenolith.cpu.memory.Attention;
import dev.xenolith.cpu.memory.PhysicalMemory;
import java.util.Arrays;

/** A bus master's view of all of a machine's memory, with no IOMMU between; devices are no targets of DMA. */
public record MemoryDma(PhysicalMemory memory) implements Dma {
    @Override
    public void read(long address, byte[] destination, int offset, int length) {
        int done = 0;
        while (done < length) {
            int chunk = inFrame(address + done, length - done);
            if (memory.isMemory(frame(address + done))) {
                memory.copyOut(address + done, destination, offset + done, chunk);
            } else {
                Arrays.fill(destination, offset + done, offset + done + chunk, (byte) 0xff);
            }
            done += chunk;
        }
    }

    @Override
    public void write(long address, byte[] source, int offset, int length) {
        int done = 0;
        while (done < length) {
            int chunk = inFrame(address + done, length - done);
            long frame = frame(address + done);
            if (memory.isMemory(frame) && (memory.attention(frame) & Attention.ROM) == 0) {
                memory.copyIn(source, offset + done, address + done, chunk);
            }
            done += chunk;
        }
    }

    private static long frame(long address) {
        return address >>> PhysicalMemory.FRAME_SHIFT;
    }

    private static int inFrame(long address, int length) {
        return Math.min(length, PhysicalMemory.FRAME_SIZE - (int) (address & PhysicalMemory.FRAME_SIZE - 1));
    }
}
