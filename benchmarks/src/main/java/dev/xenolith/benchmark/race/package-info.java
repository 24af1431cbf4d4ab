/**
 * Races against a peer, QEMU's TCG, which runs the same software in turns with us: whole boots.
 *
 * <p>Run {@code benchmarks/boot --help}. Start reading at {@link dev.xenolith.benchmark.race.Race}.
 */
@NullMarked
package dev.xenolith.benchmark.race;

import org.jspecify.annotations.NullMarked;
