/**
 * What instructions compute, by family, each once: static methods that the interpreter's operations and translated units call
 * alike, so that neither owns arithmetic of its own.
 *
 * <p>Pure methods take and return 64-bit values. Operands of less than 64 bits come sign-extended, so most methods need not know
 * the operand size; those that do have a parameter {@code bits}, always a constant at the call. An operation that sets flags is
 * a pair: its value, and its carries ({@link dev.xenolith.cpu.execute.Flags}), so that unused flags cost nothing. What works on
 * a Processor (strings, system instructions) is in package {@code processor}. Which instruction calls what is in
 * {@code decode/opcodes.txt}.
 */
@NullMarked
package dev.xenolith.cpu.execute;

import org.jspecify.annotations.NullMarked;
