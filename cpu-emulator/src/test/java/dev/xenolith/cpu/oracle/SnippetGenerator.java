package dev.xenolith.cpu.oracle;

import java.util.List;

/** Makes a snippet from a seed, which decides everything about it. */
interface SnippetGenerator {
    /** All variants that it makes snippets of. */
    List<Variant> variants();

    /** The variant that the snippet of {@code seed} is about: consecutive seeds take them in turn. */
    default Variant variantOf(long seed) {
        List<Variant> variants = variants();
        return variants.get((int) Long.remainderUnsigned(seed, variants.size()));
    }

    /** Fills {@code snippet} and says what may differ in its outcomes. */
    Comparison generate(long seed, Snippet snippet);

    /** Whether the latest snippet begins with an instruction that a prefix makes invalid, or that the code ends in. */
    boolean stopped();

    /** What the latest snippet's first instruction reads. */
    SourceValues.Kind sources();
}
