/**
 * ATA devices as their hosts see them, whatever controller is between: registers, data blocks, commands (T13 1410D, "ATA/ATAPI-6", for
 * the protocols; T13 2015-D, "ACS-2", for what came later), and a disk.
 *
 * <p>A controller writes a device's registers, moves the bytes of its {@link dev.xenolith.device.storage.ata.DataBlock}, and hears of it
 * through {@link dev.xenolith.device.storage.ata.AtaHost}. Start reading at {@code AtaDevice}.
 */
@NullMarked
package dev.xenolith.device.storage.ata;

import org.jspecify.annotations.NullMarked;
