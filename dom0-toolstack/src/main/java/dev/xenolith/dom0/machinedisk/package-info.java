/**
 * Disk images as the drives of a bare machine: what {@code --disk}, {@code --cdrom} and {@code --boot} say, and the images in the
 * machine's drives.
 *
 * <p>Start reading at {@code MachineDisks}.
 */
@NullMarked
package dev.xenolith.dom0.machinedisk;

import org.jspecify.annotations.NullMarked;
