/**
 * What firmware and kernels find on a board: fw_cfg, debug ports, and the tables that describe it (ACPI, SMBIOS, MP, e820).
 *
 * <p>{@link dev.xenolith.device.firmware.BoardDescription} says what there is; the tables are functions of it. Start reading at
 * {@link dev.xenolith.device.firmware.FirmwareTables}.
 */
@NullMarked
package dev.xenolith.device.firmware;

import org.jspecify.annotations.NullMarked;
