/**
 * Machine memory and who owns it: the frame table, the allocator, reference counts, the machine-to-physical table, and the doors
 * through which the hypervisor touches guest memory.
 *
 * <p>Everything that a guest or a processor can address is a 4 KiB frame of emulated RAM from one allocator. A frame has one
 * owner, a count of references that keep it allocated, and a type with a count of uses that rely on the type
 * ({@link dev.xenolith.hypervisor.memory.FrameTable}). It changes type or owner only after every processor that may hold a
 * translation for it has flushed ({@link dev.xenolith.hypervisor.memory.TlbFlush}). What the types mean is decided one package up,
 * in {@code paging}. Start reading at {@link dev.xenolith.hypervisor.memory.Memory}.
 */
@NullMarked
package dev.xenolith.hypervisor.memory;

import org.jspecify.annotations.NullMarked;
