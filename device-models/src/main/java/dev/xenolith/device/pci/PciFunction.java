package dev.xenolith.device.pci;

import dev.xenolith.device.Saveable;

/** One function of a PCI device. */
public interface PciFunction extends Saveable {
    /** Its 256 bytes of configuration. */
    ConfigSpace config();
}
