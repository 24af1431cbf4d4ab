/**
 * Looks over the shoulder of a bare machine: the trace of {@code machine run --trace} and the counts of {@code --stats}. Start reading at
 * {@link dev.xenolith.dom0.monitor.MachineTrace}.
 */
@NullMarked
package dev.xenolith.dom0.monitor;

import org.jspecify.annotations.NullMarked;
