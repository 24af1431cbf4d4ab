/**
 * A soak of a host of its own: rounds of domains that come, answer and go, after each of which nothing may be left of them.
 *
 * <p>Run {@code benchmarks/soak --rounds 20 --domains 50}. A program rather than a test, for it watches the process of a daemon
 * from outside, through the launchers and the socket that users have, and takes as long as it is told to. Start reading at
 * {@link dev.xenolith.benchmark.soak.Soak}.
 */
@NullMarked
package dev.xenolith.benchmark.soak;

import org.jspecify.annotations.NullMarked;
