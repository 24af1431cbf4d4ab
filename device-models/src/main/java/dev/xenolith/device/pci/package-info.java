/**
 * PCI: configuration mechanism #1, the type-0 header that every function has, and the chips of an i440FX board.
 *
 * <p>{@link dev.xenolith.device.pci.PciBus} finds functions; {@link dev.xenolith.device.pci.ConfigSpace} is what a function's 256
 * bytes are made of. Start reading at {@code PciBus}.
 */
@NullMarked
package dev.xenolith.device.pci;

import org.jspecify.annotations.NullMarked;
