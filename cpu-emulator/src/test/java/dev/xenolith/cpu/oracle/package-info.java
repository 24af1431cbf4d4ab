/**
 * Holds the emulated processor against the processor this machine has.
 *
 * <p>A {@link dev.xenolith.cpu.oracle.Snippet} is a few bytes of machine code, the registers it starts with and three
 * pages of data. {@link dev.xenolith.cpu.oracle.SiliconRunner} executes it natively in a child process, whose source is in
 * {@code src/test/native/oracle}; the emulated side executes it from the same addresses. Both fill an
 * {@link dev.xenolith.cpu.oracle.Outcome}: registers, flags, memory, and the exception that ended it. What no manual can
 * settle (is this flag really left alone? which page is in CR2?) is settled here.
 *
 * <p>Each build runs a bounded {@link dev.xenolith.cpu.oracle.Slice} with fixed seeds, and makes sure that it finds planted errors; a
 * campaign of millions is a command of its own, whose result is {@code docs/instruction-coverage.txt}.
 *
 * <p>Start with {@link dev.xenolith.cpu.oracle.AddressMap}, the world a snippet lives in.
 */
@NullMarked
package dev.xenolith.cpu.oracle;

import org.jspecify.annotations.NullMarked;
