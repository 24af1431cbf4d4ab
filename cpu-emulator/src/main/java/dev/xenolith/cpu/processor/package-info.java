/**
 * The architectural state of one logical CPU and everything that changes it other than arithmetic: modes, segments, control
 * registers, MSRs, exceptions and their delivery, and the contract of {@code run(n)}.
 *
 * <p>{@link dev.xenolith.cpu.processor.Processor} holds registers as open fields, because instructions generated from the
 * opcode table work on them directly. What executes instructions is an {@link dev.xenolith.cpu.processor.Engine}, given at
 * construction: this package knows neither the interpreter nor the translator. Start reading at {@code Processor.run}.
 */
@NullMarked
package dev.xenolith.cpu.processor;

import org.jspecify.annotations.NullMarked;
