/**
 * Packet devices: an optical drive that understands MMC commands (T10 1363D, "MMC-3"; INCITS 301, "SPC") in ATA packets.
 *
 * <p>Start reading at {@code OpticalDrive}.
 */
@NullMarked
package dev.xenolith.device.storage.atapi;

import org.jspecify.annotations.NullMarked;
