/**
 * What every device is made of: registers behind {@code read} and {@code write}, interrupt lines, a clock with timers, access to
 * memory, and state that can be saved.
 *
 * <p>A device knows neither where it is mapped nor whether it serves the bare board or a guest of a hypervisor. Registers are
 * {@link dev.xenolith.cpu.memory.MmioDevice}s, or {@link dev.xenolith.device.ByteRegisters} where the part has an 8-bit bus;
 * {@link dev.xenolith.device.PortBus} routes I/O ports to them. All of it belongs to the machine thread. Start reading at
 * {@link dev.xenolith.device.Clock} and {@link dev.xenolith.device.Saveable}.
 */
@NullMarked
package dev.xenolith.device;

import org.jspecify.annotations.NullMarked;
