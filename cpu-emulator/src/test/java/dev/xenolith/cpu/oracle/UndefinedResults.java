package dev.xenolith.cpu.oracle;

/** What the manuals leave undefined after an instance of an instruction, so that no difference there counts. */
final class UndefinedResults {
    private static final long CF = 1;
    private static final long OF = 1 << 11;
    private static final long AC = 1 << 18;
    private static final long STATUS = InstructionForm.STATUS;
    /** C0 to C3 of the x87 status word. */
    private static final int CONDITIONS = 0x4700;
    /** Of the eight registers that POPA knows. */
    private static final int ALL_BUT_RSP = 0xef;
    private static final int RCX = 1;
    /** Elements of a gather are not farther away from where it was placed, unless anywhere. */
    private static final long GATHERED = 1 << 18;

    private final int codeBits;
    private final EncodedInstruction encoded;

    /** @param encoded the latest instance's encoding */
    UndefinedResults(int codeBits, EncodedInstruction encoded) {
        this.codeBits = codeBits;
        this.encoded = encoded;
    }

    /**
     * What is undefined after the instance of {@code form} that {@code snippet} holds; finer than the table where it depends on the
     * count (SDM 2B, SAL).
     *
     * @param target linear address of its operand in memory
     * @param placedOutside whether that begins or ends at an address that is not canonical
     * @param placedLast whether it ends in the last double quadword below those
     */
    Comparison after(InstructionForm form, Snippet snippet, long target, boolean placedOutside, boolean placedLast) {
        int bits = encoded.operandBits;
        long flags = form.undefinedFlags;
        boolean checksAlignment = (snippet.registers.rflags & AC) != 0;
        boolean several = (checksAlignment || placedOutside || codeBits == 32) && accessesTwice(form);
        if (encoded.invalid || several || placedLast || placedOutside && form.semantic.startsWith("bt")) {
            return new Comparison(flags, 0, 0, Comparison.Memory.ALWAYS, true);
        }
        // Of elements that fault and elements that are not canonical, Zen 3 reports the latter first.
        if (form.hasVectorIndex() && Math.abs((1L << 47) - Math.abs(target)) < GATHERED) {
            return new Comparison(flags, 0, 0, Comparison.Memory.ALWAYS, true);
        }
        // Whether the end of an operand that crosses 4 GB wraps is up to the vendor.
        if (form.operands.contains("Mt") && encoded.addressBits == 32) {
            return new Comparison(flags, 0, 0, Comparison.Memory.ALWAYS, true);
        }
        // Some of AMD's refuse it in long mode as unknown, others as forbidden in ring 3.
        if (form.mnemonic.equals("SYSEXIT") && !HostCode.isIntel()) {
            return new Comparison(flags, 0, 0, Comparison.Memory.ALWAYS, true);
        }
        switch (form.semantic) {
            case "fprem", "fprem1" -> {
                // The quotient is undefined for zero, infinity and before exceptions; FloatAgainstSiliconTest looks at it.
                return new Comparison(0, 0, 0, Comparison.Memory.ALWAYS, false, CONDITIONS);
            }
            case "rol", "ror", "rcl", "rcr", "shl", "shr", "sar", "shld", "shrd" -> {
                int count = shiftCount(form, snippet.registers.gpr);
                if (count == 0) {
                    return Comparison.EXACT;
                }
                if (count > bits && form.semantic.length() == 4) {
                    int register = encoded.rmRegister >= 0 ? 1 << encoded.rmRegister : 0;
                    return new Comparison(STATUS, register, 0, Comparison.Memory.IF_FAULTED, false);
                }
                boolean losesCarry = count >= bits && (form.semantic.equals("shl") || form.semantic.equals("shr"));
                return Comparison.flags(flags & (count == 1 ? ~OF : -1) | (losesCarry ? CF : 0));
            }
            case "enter", "callf", "callfi", "pusha" -> {
                // What it pushed before it faulted is below the stack pointer and may be there or not.
                return new Comparison(0, 0, 0, Comparison.Memory.UNLESS_FAULTED, true);
            }
            case "popa" -> {
                // No manual says whether what was popped before it faulted is in its register; on Zen 3 it is.
                return new Comparison(0, 0, 0, Comparison.Memory.ALWAYS, true, 0, ALL_BUT_RSP);
            }
            case "calli", "jmpf", "jmpfi", "retf", "retfi", "iret", "lss", "lfs", "lgs", "les", "lds", "bound" -> {
                return new Comparison(0, 0, 0, Comparison.Memory.ALWAYS, true);
            }
            default -> {
                return flags == 0 ? Comparison.EXACT : Comparison.flags(flags);
            }
        }
    }

    private boolean accessesTwice(InstructionForm form) {
        return switch (form.semantic) {
            case "movs", "cmps", "popmem" -> true;
            case "push" -> encoded.memory;
            default -> false;
        };
    }

    private int shiftCount(InstructionForm form, long[] gpr) {
        String operand = form.operands.getLast();
        long count = operand.equals("CL") ? gpr[RCX] : operand.equals("1") ? 1 : encoded.immediate;
        return (int) (count & (encoded.operandBits == 64 ? 63 : 31));
    }
}
