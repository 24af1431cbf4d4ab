package dev.xenolith.device.pci;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/**
 * The host bridge of an i440FX board (Intel 290549, "82441FX PCI and Memory Controller (PMC)"): its identity, the registers that
 * firmware sets up, and what PAM and SMRAM registers make of the memory below 1 MiB. It answers for all of memory, so that the other
 * registers, of chips and their timing, are kept and mean nothing.
 */
public final class I440fx implements PciFunction, AutoCloseable {
    /** Registers. */
    public static final int PMCCFG = 0x50;
    public static final int DRAMC = 0x57;
    public static final int PAM0 = 0x59;
    public static final int DRB0 = 0x60;
    public static final int SMRAM = 0x72;

    private static final int PAM_REGISTERS = 7;
    private static final int PAM_OPEN = 0x33;
    private static final int SMRAM_RESET = 0x02;
    private static final int DEVICE_SELECT_MEDIUM = 0x0280;

    private final ConfigSpace config = new ConfigSpace(0x8086, 0x1237, 0x02, 0x06_0000)
            .set(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_MEMORY | ConfigSpace.COMMAND_MASTER)
            .set(ConfigSpace.STATUS, 2, DEVICE_SELECT_MEDIUM)
            .allow(PMCCFG, 2, 0xffff).allow(DRAMC, 1, 0xff)
            .set(SMRAM, 1, SMRAM_RESET).allow(SMRAM, 1, 0x78);

    private final ShadowRam shadow;
    private final Smram smram;

    /**
     * Takes charge of the memory from 0xc0000 to 0xfffff, which has to be RAM.
     *
     * @param rom the end of the firmware's image, at most 256 KiB, that is seen there up to 1 MiB from the start; may be empty
     */
    public I440fx(PhysicalMemory memory, byte[] rom) {
        shadow = new ShadowRam(memory, rom);
        smram = new Smram(memory);
        config.allow(PAM0, 1, 0x30);
        for (int i = 1; i < PAM_REGISTERS; i++) {
            config.allow(PAM0 + i, 1, 0x33);
        }
        config.allow(DRB0, 4, -1).allow(DRB0 + 4, 4, -1).onWrite((register, size) -> {
            shadow.update(config);
            smram.update(config);
        });
    }

    /** Sends reads and writes of all segments to memory, as firmware does. */
    public void openShadow() {
        config.write(PAM0, 1, PAM_OPEN & 0xf0);
        for (int i = 1; i < PAM_REGISTERS; i++) {
            config.write(PAM0 + i, 1, PAM_OPEN);
        }
    }

    @Override
    public void close() {
        smram.close();
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public String stateName() {
        return "i440fx";
    }

    @Override
    public void save(StateWriter out) {
        out.put(shadow).put(smram).put(config);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.get(shadow);
        in.get(smram);
        in.get(config);
    }
}
