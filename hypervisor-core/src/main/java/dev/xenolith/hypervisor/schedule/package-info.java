/**
 * Who runs next on a processor, and for how long: the {@link dev.xenolith.hypervisor.schedule.Scheduler} interface and Xen's
 * default, {@link dev.xenolith.hypervisor.schedule.Credit2}.
 *
 * <p>A scheduler knows {@link dev.xenolith.hypervisor.schedule.SchedUnit}s (vCPUs) grouped into
 * {@link dev.xenolith.hypervisor.schedule.SchedDomain}s, nothing else of a domain. It is told what wakes, sleeps and yields, and
 * asks for a processor's attention through {@link dev.xenolith.hypervisor.schedule.ProcessorControl}. Equal inputs give equal
 * decisions: ties are broken by the order of creation.
 */
@NullMarked
package dev.xenolith.hypervisor.schedule;

import org.jspecify.annotations.NullMarked;
