/**
 * An emulated x86-64 processor and its physical memory.
 *
 * <p>Start with {@link dev.xenolith.cpu.ProcessorBuilder}, which wires memory, engine, model and APIC bus into
 * {@link dev.xenolith.cpu.Processors}, the set of all processors of a machine. One of them is a
 * {@link dev.xenolith.cpu.processor.Processor}: its {@code run} is the one way to execute.
 */
@NullMarked
package dev.xenolith.cpu;

import org.jspecify.annotations.NullMarked;
