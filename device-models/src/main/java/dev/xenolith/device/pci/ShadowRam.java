package dev.xenolith.device.pci;

import dev.xenolith.cpu.memory.FrameListener;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import java.util.Arrays;

/**
 * What answers from 0xc0000 to 0xfffff: for each of thirteen segments the host bridge's PAM registers send reads and writes to memory
 * or past it, to the bus, where the end of the firmware's ROM is seen and nothing else (82441FX PMC, 3.2.18 "PAM[6:0]").
 *
 * <p>The frames there always hold what reads give. What is not seen meanwhile, memory's bytes while reads go to the bus, is kept aside.
 */
final class ShadowRam implements FrameListener, Saveable {
    /** First address, and the end. */
    static final int START = 0xc_0000;
    static final int END = 0x10_0000;

    /** Attributes of a segment: reads and writes go to memory. */
    private static final int READ = 1;
    private static final int WRITE = 2;
    private static final int SEGMENTS = 13;
    private static final int SEGMENT_SIZE = 16 << 10;
    /** The last one, that of the system BIOS, which the upper half of PAM0 controls; the others have two to a register from PAM1 on. */
    private static final int BIOS_SEGMENT = SEGMENTS - 1;
    private static final int BIOS_START = 0xf_0000;

    private final PhysicalMemory memory;
    /** What the bus answers. */
    private final byte[] bus = new byte[END - START];
    /** Bytes of memory in the segments whose reads go to the bus. */
    private final byte[] hidden = new byte[END - START];
    private final byte[] attributes = new byte[SEGMENTS];

    /** @param rom the end of the firmware's image, which is seen up to {@link #END}; may be empty, is at most 256 KiB */
    ShadowRam(PhysicalMemory memory, byte[] rom) {
        this.memory = memory;
        Arrays.fill(bus, (byte) 0xff);
        System.arraycopy(rom, 0, bus, bus.length - rom.length, rom.length);
        memory.addListener(this);
        for (int segment = 0; segment < SEGMENTS; segment++) {
            memory.copyIn(bus, start(segment) - START, start(segment), size(segment));
            protect(segment);
        }
    }

    private static int start(int segment) {
        return START + segment * SEGMENT_SIZE;
    }

    private static int size(int segment) {
        return segment == BIOS_SEGMENT ? END - BIOS_START : SEGMENT_SIZE;
    }

    private static int segment(int address) {
        return Math.min((address - START) / SEGMENT_SIZE, BIOS_SEGMENT);
    }

    /** The registers have been written. */
    void update(ConfigSpace config) {
        for (int segment = 0; segment < SEGMENTS; segment++) {
            int register = segment == BIOS_SEGMENT ? I440fx.PAM0 : I440fx.PAM0 + 1 + segment / 2;
            boolean upper = segment == BIOS_SEGMENT || segment % 2 != 0;
            route(segment, config.get(register, 1) >>> (upper ? 4 : 0) & (READ | WRITE));
        }
    }

    private void route(int segment, int wanted) {
        int changed = attributes[segment] ^ wanted;
        if (changed == 0) {
            return;
        }
        attributes[segment] = (byte) wanted;
        int start = start(segment);
        if ((changed & READ) != 0) {
            if ((wanted & READ) == 0) {
                memory.copyOut(start, hidden, start - START, size(segment));
            }
            memory.copyIn((wanted & READ) != 0 ? hidden : bus, start - START, start, size(segment));
        }
        protect(segment);
    }

    private void protect(int segment) {
        memory.protect(start(segment) >>> PhysicalMemory.FRAME_SHIFT, size(segment) >>> PhysicalMemory.FRAME_SHIFT,
                attributes[segment] != (READ | WRITE));
    }

    /** A write to memory while reads go to the bus: so software copies a ROM under itself. */
    @Override
    public void writeIgnored(long address, int size, long value) {
        for (int i = 0; i < size; i++) {
            long at = address + i;
            if (at >= START && at < END && attributes[segment((int) at)] == WRITE) {
                hidden[(int) at - START] = (byte) (value >>> i * 8);
            }
        }
    }

    @Override
    public String stateName() {
        return "shadow";
    }

    @Override
    public void save(StateWriter out) {
        out.put("attributes", attributes).put("hidden", hidden);
    }

    /** The frames' contents have been restored with memory. */
    @Override
    public void restore(StateReader in) throws StateException {
        in.get("hidden", hidden);
        in.get("attributes", attributes);
        for (int segment = 0; segment < SEGMENTS; segment++) {
            attributes[segment] &= READ | WRITE;
            protect(segment);
        }
    }
}
