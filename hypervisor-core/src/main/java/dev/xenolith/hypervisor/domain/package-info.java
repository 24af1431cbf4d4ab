/**
 * Domains and their vCPUs: what they are made of, and their life from creation to the last frame given back.
 *
 * <p>A {@link dev.xenolith.hypervisor.domain.Domain} gathers what lower packages keep for it (memory, grants, event channels,
 * scheduling parameters, clock) and its {@link dev.xenolith.hypervisor.domain.Vcpu}s; the
 * {@link dev.xenolith.hypervisor.domain.DomainTable} finds it by domid. How vCPUs come to run is in
 * {@link dev.xenolith.hypervisor.domain.Dispatcher}. Start reading at {@code Domain}.
 */
@NullMarked
package dev.xenolith.hypervisor.domain;

import org.jspecify.annotations.NullMarked;
