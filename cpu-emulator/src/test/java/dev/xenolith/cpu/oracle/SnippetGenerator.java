package dev.xenolith.cpu.oracle;

import java.util.List;

/** Makes a snippet from a seed, which decides everything about it. */
interface SnippetGenerator {
    /** All forms that it makes snippets of. */
    List<InstructionForm> forms();

    /** The form that the snippet of {@code seed} is about. */
    InstructionForm formOf(long seed);

    /** Fills {@code snippet} and says what may differ in its outcomes. */
    Comparison generate(long seed, Snippet snippet);
}
