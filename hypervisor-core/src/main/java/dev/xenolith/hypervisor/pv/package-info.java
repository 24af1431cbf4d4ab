/**
 * Paravirtualised guests on a hosted processor: putting vCPUs on it, and what happens when it stops.
 *
 * <p>The guest's kernel and user mode both run in ring 3, each with a page table and a GS base of its own. Exceptions, system
 * calls and events reach the kernel as {@link dev.xenolith.hypervisor.pv.Bounce} frames on its stack; privileged instructions are
 * emulated ({@link dev.xenolith.hypervisor.pv.PrivilegedOps}); the kernel returns with the iret hypercall. Semantics are those of
 * xen/arch/x86/pv and x86_64/entry.S. Start reading at {@link dev.xenolith.hypervisor.pv.PvExecution}.
 */
@NullMarked
package dev.xenolith.hypervisor.pv;

import org.jspecify.annotations.NullMarked;
