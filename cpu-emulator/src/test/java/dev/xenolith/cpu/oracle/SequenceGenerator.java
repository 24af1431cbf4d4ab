package dev.xenolith.cpu.oracle;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Makes snippets of several instructions: one with its operands anywhere, then some on registers that work with what the former
 * left. What single instances cannot show is here: flags that survive from one instruction to the next in whatever form the
 * emulated processor keeps them.
 */
final class SequenceGenerator implements SnippetGenerator {
    private static final int LONGEST = 5;
    private static final int RESERVED_BYTES = LONGEST * 15;

    private final InstructionGenerator first;
    private final List<Variant> variants;
    private final EncodedInstruction encoded;

    /**
     * Takes those of {@code forms} that neither transfer control nor do more than compute.
     *
     * @param codeBits 64 for 64-bit mode, 32 for compatibility mode
     */
    SequenceGenerator(List<InstructionForm> forms, int codeBits) {
        first = new InstructionGenerator(forms.stream().filter(form -> !form.endsBlock && !form.semantic.equals("enter")
                && !form.semantic.startsWith("fprem")).toList(), codeBits); // conditions that are undefined now and then
        variants = first.variants();
        encoded = new EncodedInstruction(codeBits);
    }

    @Override
    public List<Variant> variants() {
        return variants;
    }

    @Override
    public boolean stopped() {
        return first.stopped();
    }

    @Override
    public SourceValues.Kind sources() {
        return first.sources();
    }

    @Override
    public Comparison generate(long seed, Snippet snippet) {
        SplittableRandom random = new SplittableRandom(seed * 0x9e37_79b9_7f4a_7c15L + 1);
        int entry = random.nextInt(AddressMap.CODE_BYTES - RESERVED_BYTES);
        first.generate(variantOf(seed), entry, snippet, random);
        Comparison comparison = first.comparison(snippet);
        if (comparison.undefinedRegisters() != 0 || comparison.memory() != Comparison.Memory.ALWAYS
                || comparison.anyFault()) {
            return comparison;
        }
        long undefined = comparison.undefinedFlags();
        long everUndefined = undefined;
        for (int more = random.nextInt(1, LONGEST); more > 0; more--) {
            Variant variant = variants.get(random.nextInt(variants.size()));
            InstructionForm form = variant.form();
            if (!usable(form) || (form.readFlags & undefined) != 0) {
                continue;
            }
            encoded.random(variant, false, random);
            if (encoded.operandBits == 16 && (form.semantic.startsWith("sh") || form.semantic.equals("bswap"))) {
                continue; // the result may be undefined
            }
            append(snippet, encoded.code());
            undefined = undefined & ~form.writtenFlags | undefinedFlags(form);
            everUndefined |= undefined;
        }
        return new Comparison(undefined, 0, everUndefined, Comparison.Memory.ALWAYS, false);
    }

    private static boolean usable(InstructionForm form) {
        // Not what is partly done when it faults, nor what wraps at 4 GiB.
        boolean vendors = form.semantic.matches("pusha|popa|maskmov.*");
        return (!form.modrm || form.mayBeRegister() || form.modrmByte >= 0) && !form.hasOperand('O') && !vendors;
    }

    /** CF too after a shift by the whole width or more (SDM 2B, SAL), which only its execution would tell. */
    private static long undefinedFlags(InstructionForm form) {
        boolean shift = form.semantic.startsWith("sh") && form.undefinedFlags != 0;
        return form.undefinedFlags | (shift ? 1 : 0);
    }

    private static void append(Snippet snippet, byte[] code) {
        int length = snippet.code.length;
        snippet.code = Arrays.copyOf(snippet.code, length + code.length);
        System.arraycopy(code, 0, snippet.code, length, code.length);
    }
}
