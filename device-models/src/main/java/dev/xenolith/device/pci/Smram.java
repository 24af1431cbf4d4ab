package dev.xenolith.device.pci;

import dev.xenolith.cpu.memory.DeviceMemory;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/**
 * The memory below the video window, 0xa0000 to 0xbffff, that is for system management mode (82441FX PMC, 3.2.20 "SMRAM"). Processors
 * have no such mode here; all can reach it while the register opens it, until it is locked.
 */
final class Smram implements Saveable, AutoCloseable {
    private static final int START = 0xa_0000;
    private static final int SIZE = 128 << 10;
    /** Bits of the register. */
    private static final int OPEN = 1 << 6;
    private static final int LOCK = 1 << 4;
    private static final int ENABLE = 1 << 3;
    private static final int WRITABLE = 0x78;

    private final DeviceMemory memory;

    Smram(PhysicalMemory physical) {
        memory = new DeviceMemory(physical, SIZE);
    }

    /** The register has been written: once it is locked, it can neither be opened nor written until a reset. */
    void update(ConfigSpace config) {
        int register = config.get(I440fx.SMRAM, 1);
        if ((register & LOCK) != 0) {
            register &= ~OPEN;
            config.set(I440fx.SMRAM, 1, register);
        }
        config.allow(I440fx.SMRAM, 1, (register & LOCK) != 0 ? 0 : WRITABLE);
        boolean open = (register & (OPEN | ENABLE)) == (OPEN | ENABLE);
        if (!open) {
            memory.remove();
        } else if (memory.fits(START)) {
            memory.place(START);
        }
    }

    @Override
    public void close() {
        memory.close();
    }

    @Override
    public String stateName() {
        return "smram";
    }

    @Override
    public void save(StateWriter out) {
        out.put("memory", memory::save);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.get("memory", memory::restore);
    }
}
