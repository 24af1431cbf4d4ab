/**
 * The clocks of a PC: PIT, RTC, HPET, ACPI PM timer.
 *
 * <p>None of them counts. Each is arithmetic on its {@link dev.xenolith.device.Clock}, computed when somebody looks, and arms a
 * timer only for a moment at which a wire changes; so a clock that nobody waits for costs an idle machine nothing. Start reading
 * at {@link dev.xenolith.device.time.Pit}.
 */
@NullMarked
package dev.xenolith.device.time;

import org.jspecify.annotations.NullMarked;
