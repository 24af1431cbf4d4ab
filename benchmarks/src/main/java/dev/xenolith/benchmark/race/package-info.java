/**
 * Races against a peer, QEMU's TCG, which runs the same software in turns with us: whole boots, and compute kernels.
 *
 * <p>Run {@code benchmarks/boot --help} and {@code benchmarks/kernels --help}. Start reading at
 * {@link dev.xenolith.benchmark.race.Race}.
 */
@NullMarked
package dev.xenolith.benchmark.race;

import org.jspecify.annotations.NullMarked;
