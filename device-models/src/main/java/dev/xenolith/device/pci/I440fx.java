package dev.xenolith.device.pci;

import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/**
 * The host bridge of an i440FX board (Intel 290549, "82441FX PCI and Memory Controller (PMC)"): its identity, and the registers that
 * firmware sets up. The PAM registers are kept; the memory from 0xc0000 to 0xfffff is RAM whatever they say.
 */
public final class I440fx implements PciFunction {
    /** Registers. */
    public static final int PMCCFG = 0x50;
    public static final int DRAMC = 0x57;
    public static final int PAM0 = 0x59;
    public static final int DRB0 = 0x60;
    public static final int SMRAM = 0x72;

    private static final int PAM_REGISTERS = 7;
    private static final int SMRAM_RESET = 0x02;
    private static final int DEVICE_SELECT_MEDIUM = 0x0280;

    private final ConfigSpace config = new ConfigSpace(0x8086, 0x1237, 0x02, 0x06_0000)
            .set(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_MEMORY | ConfigSpace.COMMAND_MASTER)
            .set(ConfigSpace.STATUS, 2, DEVICE_SELECT_MEDIUM)
            .allow(PMCCFG, 2, 0xffff).allow(DRAMC, 1, 0xff)
            .set(SMRAM, 1, SMRAM_RESET).allow(SMRAM, 1, 0x78);

    public I440fx() {
        config.allow(PAM0, 1, 0x30);
        for (int i = 1; i < PAM_REGISTERS; i++) {
            config.allow(PAM0 + i, 1, 0x33);
        }
        config.allow(DRB0, 4, -1).allow(DRB0 + 4, 4, -1);
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
        out.put(config);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.get(config);
    }
}
