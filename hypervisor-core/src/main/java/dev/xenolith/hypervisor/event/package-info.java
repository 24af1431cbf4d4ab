/**
 * Event channels: the ports of each domain, what they are bound to, and how a domain learns that one is pending.
 *
 * <p>{@link dev.xenolith.hypervisor.event.EventPorts} keeps one domain's ports and their bindings to other domains, virtual
 * interrupts and vCPUs (xen/common/event_channel.c). How a pending port becomes visible is a
 * {@link dev.xenolith.hypervisor.event.Delivery}: the two-level bitmaps in shared memory of a guest
 * ({@link dev.xenolith.hypervisor.event.TwoLevel}), queues in pages of its own when it asks for those
 * ({@link dev.xenolith.hypervisor.event.Fifo}), or the queue of handlers of a Java domain. Who may do what is checked above, in
 * {@code domain.EventOperations}.
 */
@NullMarked
package dev.xenolith.hypervisor.event;

import org.jspecify.annotations.NullMarked;
