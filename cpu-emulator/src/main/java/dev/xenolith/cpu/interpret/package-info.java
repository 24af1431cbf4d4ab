/**
 * The interpreter: decoded blocks, where they are kept, and the loops that execute them.
 *
 * <p>A {@link dev.xenolith.cpu.interpret.Block} is a short run of {@link dev.xenolith.cpu.interpret.Op}s of one page, found by
 * physical address and mode, shared by all processors. {@link dev.xenolith.cpu.interpret.Interpreter} runs blocks; what needs
 * exactness after each instruction (the end of a budget, single-stepping, tracing, devices) it leaves to its stepping loop. Both
 * execute the same operations, which the build generates from the opcode table. Start reading at
 * {@link dev.xenolith.cpu.interpret.Interpreter#execute}.
 */
@NullMarked
package dev.xenolith.cpu.interpret;

import org.jspecify.annotations.NullMarked;
