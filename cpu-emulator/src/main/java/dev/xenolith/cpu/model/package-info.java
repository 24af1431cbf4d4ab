/**
 * Processor models as data: what CPUID says, which model-specific registers exist, how wide addresses are.
 *
 * <p>{@code intel.txt} and {@code amd.txt} among the resources describe one model each; {@code features.txt} gives names to
 * CPUID bits. Only what is implemented is advertised. What changes while a processor runs (APIC id, OSXSAVE, APIC enable) is
 * put in by the processor. Start reading at {@link dev.xenolith.cpu.model.CpuModel}.
 */
@NullMarked
package dev.xenolith.cpu.model;

import org.jspecify.annotations.NullMarked;
