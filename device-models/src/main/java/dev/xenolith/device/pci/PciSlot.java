package dev.xenolith.device.pci;

import dev.xenolith.device.Clock;
import dev.xenolith.device.Dma;
import dev.xenolith.device.InterruptLine;

/**
 * What a function finds where it is plugged in.
 *
 * @param spaces where its base address registers appear
 * @param pin the wire of INTA#
 * @param messages where its message signalled interrupts go
 * @param memory what it reaches as a bus master, before {@link BusMaster}
 */
public record PciSlot(Clock clock, PciSpaces spaces, InterruptLine pin, MessageSink messages, Dma memory) {
}
