/**
 * Physical memory: RAM on the host, the physical map, and the per-frame attention bits.
 */
@NullMarked
package dev.xenolith.cpu.memory;

import org.jspecify.annotations.NullMarked;
