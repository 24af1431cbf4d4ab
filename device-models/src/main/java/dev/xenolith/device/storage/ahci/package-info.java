/**
 * Serial ATA: an AHCI host bus adapter ("Serial ATA Advanced Host Controller Interface (AHCI) 1.3.1") with six ports.
 *
 * <p>A port takes commands from a list in memory, hands them to its drive, and posts what the drive answers. Start reading at
 * {@code AhciController}.
 */
@NullMarked
package dev.xenolith.device.storage.ahci;

import org.jspecify.annotations.NullMarked;
