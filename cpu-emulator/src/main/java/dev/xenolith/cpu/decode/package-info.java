/**
 * What instruction bytes mean: the opcode table, its loader, the decoder and the disassembler.
 *
 * <p>{@code opcodes.txt} beside this package has one row per instruction form: encoding, operands in the letters of the SDM
 * (Ev, Gv, Ib), operand sizes, prefixes, CPUID feature, exception class, intercept, and the name of its semantics, which are
 * spelled out in the same file as a few assignments over static methods of {@code execute}. Everything that must know
 * instructions reads that table: the decoder and the disassembler here, the generator of interpreter operations in
 * {@code emit}, test generators. Adding an instruction is a row and a method. Start reading at the head of {@code opcodes.txt},
 * then {@link dev.xenolith.cpu.decode.Decoder}.
 */
@NullMarked
package dev.xenolith.cpu.decode;

import org.jspecify.annotations.NullMarked;
