/**
 * Speed, measured: JMH benchmarks of the processor, the hypervisor and dom0, each named for the phenomenon it shows.
 *
 * <p>Run {@code benchmarks/run [pattern]}; docs/benchmarks.md is about those with PV guests. Because this module sees all others, its tests also hold the rules of the house: which
 * module and package may know which.
 */
@NullMarked
package dev.xenolith.benchmark;

import org.jspecify.annotations.NullMarked;
