/**
 * Whole boots against a peer: the same kernel and initial RAM disk, from process start to power-off.
 *
 * <p>Run {@code benchmarks/boot --help}. Start reading at {@link dev.xenolith.benchmark.boot.BootRace}.
 */
@NullMarked
package dev.xenolith.benchmark.boot;

import org.jspecify.annotations.NullMarked;
