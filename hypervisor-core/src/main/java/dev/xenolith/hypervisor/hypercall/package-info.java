/**
 * Hypercalls: finding the handler of a number, and decoding. A handler copies its argument structures once from guest memory, calls a
 * typed operation of the packages below, and copies results back; it decides nothing itself.
 *
 * <p>{@link dev.xenolith.hypervisor.hypercall.Hypercalls} dispatches, batches (multicall) and restarts;
 * {@link dev.xenolith.hypervisor.hypercall.Call} is what a handler sees of the call that it serves. Handlers that concern only
 * paravirtualised processors live in {@code pv}.
 */
@NullMarked
package dev.xenolith.hypervisor.hypercall;

import org.jspecify.annotations.NullMarked;
