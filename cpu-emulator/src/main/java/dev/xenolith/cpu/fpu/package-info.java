/**
 * Floating point in software: binary32, binary64 and the x87's 80-bit extended format, with every rounding mode, exception flag
 * and NaN rule that x87 and SSE have (SDM 1 chapters 4, 8 and 11).
 *
 * <p>One exact arithmetic ({@link dev.xenolith.cpu.fpu.Exact}) works on unpacked numbers ({@link dev.xenolith.cpu.fpu.Real}) of 128
 * significant bits; {@link dev.xenolith.cpu.fpu.Binary} (SSE) and {@link dev.xenolith.cpu.fpu.Extended} (x87) unpack, choose
 * NaNs, and round by what {@link dev.xenolith.cpu.fpu.FloatEnvironment} says. An environment also owns the unpacked operands and
 * the second half of an 80-bit result: fields of one object per processor that C2 keeps in registers where it inlines, which
 * allocate nothing and, unlike packed longs, hold 80-bit numbers. {@link dev.xenolith.cpu.fpu.Float32} and {@link
 * dev.xenolith.cpu.fpu.Float64} try the host's FPU first.
 */
@NullMarked
package dev.xenolith.cpu.fpu;

import org.jspecify.annotations.NullMarked;
