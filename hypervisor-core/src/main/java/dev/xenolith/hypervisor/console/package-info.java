/**
 * The hypervisor's own console: its log with levels and rate limits, the ring that {@code xl dmesg} reads, and the command line
 * that configures it all.
 *
 * <p>Everything the hypervisor says goes through {@link dev.xenolith.hypervisor.console.Log}; start reading there.
 */
@NullMarked
package dev.xenolith.hypervisor.console;

import org.jspecify.annotations.NullMarked;
