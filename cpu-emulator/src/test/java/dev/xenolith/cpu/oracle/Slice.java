package dev.xenolith.cpu.oracle;

import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.decode.Disassembler;
import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.decode.OpcodeTable;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;

/** The parts of a comparison with silicon: single instructions and sequences, in 64-bit and in 32-bit code. */
enum Slice {
    INSTRUCTIONS_64(64, false), INSTRUCTIONS_32(32, false), SEQUENCES_64(64, true), SEQUENCES_32(32, true);

    /** With this seed, and so many instances of every row at every operand size, it is part of every build. */
    static final long SEED = 1;
    static final int EACH = 40;

    final int codeBits;
    final boolean sequences;

    Slice(int codeBits, boolean sequences) {
        this.codeBits = codeBits;
        this.sequences = sequences;
    }

    /** Whether the host runs such code. */
    boolean runsHere() {
        return HostCode.runs(codeBits);
    }

    /** @param only regular expression that the feature and instruction of a form begin with */
    SnippetGenerator generator(Exclusions exclusions, String only) {
        List<InstructionForm> forms = InstructionForm.table().stream()
                .filter(form -> exclusions.reason(form, codeBits).isEmpty())
                .filter(form -> (form.feature + " " + form.assembly).matches(only + ".*")).toList();
        return sequences ? new SequenceGenerator(forms, codeBits) : new InstructionGenerator(forms, codeBits);
    }

    /** Tells the code at an address in assembly language. */
    BiFunction<byte[], Long, String> disassembler() {
        Decoder decoder = new Decoder(OpcodeTable.load());
        int mode = (codeBits == 64 ? Mode.CODE_64 : Mode.CODE_32 | Mode.FLAT) | Mode.STACK_32;
        return (code, address) -> {
            StringBuilder text = new StringBuilder();
            for (int at = 0; at < code.length;) {
                byte[] rest = Arrays.copyOfRange(code, at, at + 16);
                long linear = address + at;
                var instruction = Objects
                        .requireNonNull(decoder.decode(rest, 0, rest.length, (int) (linear & 0xfff), mode));
                text.append(at == 0 ? "" : "; ").append(Disassembler.format(instruction, linear));
                at += instruction.length;
            }
            return text.toString();
        };
    }
}
