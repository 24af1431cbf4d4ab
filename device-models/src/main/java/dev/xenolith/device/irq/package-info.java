/**
 * Interrupt controllers of a PC: the pair of 8259As and the I/O APIC.
 *
 * <p>{@link dev.xenolith.device.irq.PicPair} stands behind LINT0 of the bootstrap processor's local APIC,
 * {@link dev.xenolith.device.irq.IoApic} sends messages over the APIC bus. Start reading at either.
 */
@NullMarked
package dev.xenolith.device.irq;

import org.jspecify.annotations.NullMarked;
