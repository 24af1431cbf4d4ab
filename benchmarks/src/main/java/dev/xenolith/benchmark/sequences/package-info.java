/**
 * Which sequences of operations guests execute most: what {@code sequences.txt}, from which the build fuses operations, is made with.
 *
 * <p>Run {@code benchmarks/sequences --help}. Start reading at {@link dev.xenolith.benchmark.sequences.SequenceSearch}.
 */
@NullMarked
package dev.xenolith.benchmark.sequences;

import org.jspecify.annotations.NullMarked;
