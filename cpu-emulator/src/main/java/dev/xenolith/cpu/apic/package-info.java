/**
 * The local APIC of each processor and the bus between them (SDM 3A chapter 11; chapter 10 in older editions).
 *
 * <p>{@link dev.xenolith.cpu.apic.LocalApic} takes interrupts, orders them by priority, and drives its timer from machine time;
 * software reaches it through MSRs (x2APIC) or memory (xAPIC). {@link dev.xenolith.cpu.apic.ApicBus} carries interprocessor
 * interrupts and messages from devices. A processor learns through a callback that it should look; the machine asks for the
 * next deadline of the timer. Start reading at {@code LocalApic}.
 */
@NullMarked
package dev.xenolith.cpu.apic;

import org.jspecify.annotations.NullMarked;
