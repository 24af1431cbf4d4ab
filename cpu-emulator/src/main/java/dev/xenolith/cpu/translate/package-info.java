/**
 * The translator: hot guest code becomes JVM bytecode, with exactly the interpreter's results.
 *
 * <p>{@link dev.xenolith.cpu.translate.RegionBuilder} finds what belongs to a hot block: a single-entry region of one page with its loops.
 * {@link dev.xenolith.cpu.translate.UnitEmitter} writes it as one method, each instruction by the program that the opcode table has for
 * it. {@link dev.xenolith.cpu.translate.BackgroundTranslator} does that in the background and hands the units to the interpreter. Start reading at
 * {@code UnitEmitter}.
 */
@NullMarked
package dev.xenolith.cpu.translate;

import org.jspecify.annotations.NullMarked;
