package dev.xenolith.cpu.oracle;

import dev.xenolith.cpu.decode.DecodedInstruction;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Where libzydis 4.0 may differ from the decoder: differences that were looked at one by one. */
final class DecoderQuirks {
    /** Extensions that no model advertises: what they add is undefined, or what it was before them. */
    private static final Set<String> ABSENT = Set.of("AMD3DNOW", "AMD_INVLPGB", "AVX512VEX", "CET", "CLDEMOTE",
            "CLZERO",
            "ENQCMD", "FMA4", "GFNI", "HRESET", "KEYLOCKER", "KEYLOCKER_WIDE", "KNC", "KNCV", "MCOMMIT", "MONITORX",
            "MOVDIR", "MPX", "PADLOCK",
            "PCONFIG", "PREFETCHWT1", "PT", "RDPRU", "RTM", "SERIALIZE", "SGX", "SGX_ENCLV", "SMX", "SNP", "SSE4A",
            "TBM", "TDX",
            "TSX_LDTRK", "UINTR", "WAITPKG", "XOP", "LWP", "AVX_VNNI", "AMX_TILE", "AMX_INT8",
            "AMX_BF16");

    /** Instructions of virtualisation that are not there yet: they are undefined without VMX and SVM. */
    private static final Set<String> VIRTUALISATION = Set.of("VTX", "SVM", "VMFUNC");

    /**
     * Operands that we do not name or name otherwise: what a fence has in r/m, the register operand of a hint, the width of a
     * selector's register or of one that takes a few bits of a mask, the operands of UD0 and UD1.
     */
    private static final Set<String> NAMED_OTHERWISE = Set.of("LFENCE", "MFENCE", "SFENCE", "NOP", "LAR", "LSL",
            "MOVMSKPD",
            "MOVMSKPS", "PMOVMSKB", "UD0", "UD1", "FNSTSW", "CALLF", "JMPF", "ENDBR32", "ENDBR64");

    private DecoderQuirks() {
    }

    /** Whether it is right that only they know it. */
    static boolean absent(Zydis zydis) {
        // Outside 64-bit mode VEX.W = 1 makes these undefined on silicon, and they think that it is ignored.
        if (!zydis.long64() && (zydis.mnemonic().equals("vpextrd") || zydis.mnemonic().equals("vpinsrd"))) {
            return true;
        }
        // The register form of 0F 0D is undefined on AMD's processors.
        return zydis.foreign() || ABSENT.contains(zydis.extension()) || VIRTUALISATION.contains(zydis.extension())
                || zydis.mnemonic().equals("nop");
    }

    /**
     * Whether it is right that only we know it: moves with control and debug registers that do not exist are decoded and then
     * undefined, because which exist depends on the mode.
     */
    static boolean decidedLater(DecodedInstruction ours) {
        return ours.row.mnemonic().equals("MOV")
                && ours.row.operands().stream().anyMatch(o -> switch (o.type()) {
                    case CONTROL, DEBUG -> true;
                    default -> false;
                });
    }

    /** Whether lengths and operands of {@code ours} say nothing here. */
    static boolean named(DecodedInstruction ours, Zydis zydis) {
        String mnemonic = ours.row.mnemonic();
        // PAUSE is not for REX.B: silicon exchanges.
        return NAMED_OTHERWISE.contains(mnemonic) || mnemonic.equals("XCHG") && zydis.mnemonic().equals("pause");
    }

    /** Why these operands may differ; null if they may not. */
    static @Nullable String operand(DecodedInstruction ours, OperandText mine, OperandText other) {
        if (ours.addressBits == 32 && mine.kind().equals("memory") && ours.base == DecodedInstruction.ZERO
                && (other.place().contains("13+") || other.place().contains("+13*"))) {
            return "they name R13D as base where there is none";
        }
        return switch (ours.row.mnemonic()) {
            case "LEA" -> "the segment has no meaning";
            case "CLFLUSH", "CLFLUSHOPT", "CLWB" -> "one byte names a line";
            case "MOVSXD" -> mine.bits() == 16 ? "reads 16 bits on Intel's processors" : null;
            case "POP" -> mine.kind().equals("memory") ? "we address with RSP as it is afterwards" : null;
            default -> null;
        };
    }
}
