/**
 * Direct paging for PV domains: guests write the page tables that the processor walks, and every entry is checked before it can
 * take effect.
 *
 * <p>{@link dev.xenolith.hypervisor.paging.PageTypes} gives frames their types: a frame that is a page table of some level, or
 * holds segment descriptors, cannot be mapped writable at the same time, and what it holds has been found harmless. On it stand the
 * operations of the hypercalls ({@link dev.xenolith.hypervisor.paging.TableUpdates},
 * {@link dev.xenolith.hypervisor.paging.ExtendedOperations}, {@link dev.xenolith.hypervisor.paging.Reservations}), the tables that
 * a vCPU runs on ({@link dev.xenolith.hypervisor.paging.VcpuTables}) and the end of a domain
 * ({@link dev.xenolith.hypervisor.paging.Teardown}). Rules and error numbers are Xen's (xen/arch/x86/mm.c, 4.17). Start reading at
 * {@code PageTypes}.
 */
@NullMarked
package dev.xenolith.hypervisor.paging;

import org.jspecify.annotations.NullMarked;
