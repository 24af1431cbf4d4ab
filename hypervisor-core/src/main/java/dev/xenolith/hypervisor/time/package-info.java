/**
 * Time for the hypervisor and its guests: timers on each processor's local APIC timer, the paravirtual clock, wall-clock time.
 *
 * <p>Machine time is the only source. Each processor has a {@link dev.xenolith.hypervisor.time.TimerQueue} whose earliest
 * deadline is armed in that processor's local APIC; there is no second timer path. Guests see a clock of their own
 * ({@link dev.xenolith.hypervisor.time.DomainClock}) that stands still while the domain is paused.
 */
@NullMarked
package dev.xenolith.hypervisor.time;

import org.jspecify.annotations.NullMarked;
