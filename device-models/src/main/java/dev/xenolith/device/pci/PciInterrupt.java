package dev.xenolith.device.pci;

import dev.xenolith.device.InterruptLine;
import org.jspecify.annotations.Nullable;

/**
 * The interrupt of a function that has one reason to interrupt at a time: its pin INTx#, or one message for each time that it begins to
 * ask, whichever software has chosen (PCI Local Bus Specification 3.0, 6.8.2 "MSI and MSI-X Operation").
 */
public final class PciInterrupt implements InterruptLine {
    private final ConfigSpace config;
    private final InterruptLine pin;
    private final @Nullable Msi msi;

    /**
     * Gives {@code config} an interrupt pin, INTA#.
     *
     * @param pin the wire it is connected to
     * @param msi null if the function has only the pin
     */
    public PciInterrupt(ConfigSpace config, InterruptLine pin, @Nullable Msi msi) {
        this.config = config.set(ConfigSpace.INTERRUPT_PIN, 1, 1).allow(ConfigSpace.COMMAND + 1, 1,
                ConfigSpace.COMMAND_INTX_DISABLE >>> 8);
        this.pin = pin;
        this.msi = msi;
        config.onWrite((register, size) -> drive());
    }

    /** The status register remembers whether the function asks, and so does what is saved. */
    private boolean asks() {
        return (config.get(ConfigSpace.STATUS, 2) & ConfigSpace.STATUS_INTERRUPT) != 0;
    }

    @Override
    public void set(boolean asserted) {
        boolean rises = asserted && !asks();
        int status = config.get(ConfigSpace.STATUS, 2) & ~ConfigSpace.STATUS_INTERRUPT;
        config.set(ConfigSpace.STATUS, 2, asserted ? status | ConfigSpace.STATUS_INTERRUPT : status);
        drive();
        if (rises && msi != null) {
            msi.raise(0);
        }
    }

    private void drive() {
        boolean messages = msi != null && msi.isEnabled();
        pin.set(asks() && !messages && !config.commands(ConfigSpace.COMMAND_INTX_DISABLE));
    }
}
