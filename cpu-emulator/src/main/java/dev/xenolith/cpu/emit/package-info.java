/**
 * From the opcode table's semantics to JVM bytecode.
 *
 * <p>{@link dev.xenolith.cpu.emit.Program} parses what a semantic does, {@link dev.xenolith.cpu.emit.ProgramEmitter} writes it as
 * bytecode that loads operands, calls the static methods of {@code execute}, and writes results and flags back. At build time
 * {@link dev.xenolith.cpu.emit.GenerateOperations} makes of it one small final class per semantic, operand size and operand form:
 * the operations that the interpreter executes. No class forest and no giant switch is checked in. Start reading at
 * {@code GenerateOperations}.
 */
@NullMarked
package dev.xenolith.cpu.emit;

import org.jspecify.annotations.NullMarked;
