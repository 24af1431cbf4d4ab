/**
 * The operations API, implemented: what a Java domain may do through its handle, and the control over other domains that a
 * privileged one has.
 *
 * <p>Each class binds a caller's domain to typed operations of the packages below and asks {@code AccessCheck} once per operation, as
 * a hypercall would be asked. Start reading at {@code Handle}.
 */
@NullMarked
package dev.xenolith.hypervisor.control;

import org.jspecify.annotations.NullMarked;
