/**
 * The trace: what the hypervisor did, as small binary records in one ring per processor; free when it is off.
 *
 * <p>Who records asks {@link dev.xenolith.hypervisor.trace.Trace#on} first. A record has five little-endian 64-bit words:
 * machine time in ns; then, from the low end, event (16 bits: class in the high byte), processor (16), domain id (16), vCPU (16);
 * then three words whose meaning the event gives ({@link dev.xenolith.hypervisor.trace.TraceEvent}).
 * {@link dev.xenolith.hypervisor.trace.TraceDecoder} turns records into text. A running hash over all records, overwritten ones
 * too, tells whether two runs did the same.
 */
@NullMarked
package dev.xenolith.hypervisor.trace;

import org.jspecify.annotations.NullMarked;
