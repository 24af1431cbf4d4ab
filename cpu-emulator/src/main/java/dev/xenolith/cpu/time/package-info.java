/**
 * Machine time: the one counter, in nanoseconds, that every clock of a machine is derived from.
 *
 * <p>Each instruction that a processor retires advances it; work done in Java for the guest's sake (an exit, a hypercall, a
 * device access) advances it by a charge. TSCs, APIC timers, platform timers and pvclock read it, so no reader ever sees an
 * earlier time than another reader has seen. Start reading at {@link dev.xenolith.cpu.time.MachineClock}.
 */
@NullMarked
package dev.xenolith.cpu.time;

import org.jspecify.annotations.NullMarked;
