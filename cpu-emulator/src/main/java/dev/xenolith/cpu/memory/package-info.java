/**
 * Physical memory: RAM and ROM on the host, the map of what stands at which physical address, and the attention bits of each
 * 4 KiB frame.
 *
 * <p>{@link dev.xenolith.cpu.memory.PhysicalMemory} is what devices, hypervisor and page walker use: bounds-checked, and each
 * write notices decoded code, dirty logging and watchers. {@link dev.xenolith.cpu.memory.PhysicalMap} adds devices.
 * {@link dev.xenolith.cpu.memory.HostMemory} below them is the only class that touches memory of the host by address; TLB
 * hits use it directly, which is why a frame that needs attention on write has no TLB entry for writing. Start reading at
 * {@code PhysicalMemory}, then {@link dev.xenolith.cpu.memory.Attention}.
 */
@NullMarked
package dev.xenolith.cpu.memory;

import org.jspecify.annotations.NullMarked;
