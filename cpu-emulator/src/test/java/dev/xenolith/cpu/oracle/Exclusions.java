package dev.xenolith.cpu.oracle;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Rows of the opcode table that the host's silicon cannot judge, and why. */
final class Exclusions {
    private static final String TIME = "its result changes from moment to moment";
    private static final String CHANCE = "its result is random; InterpreterTest has it";
    private static final String MODEL = "its result is a matter of the CPU model";
    private static final String KERNEL = "its result belongs to the host's kernel";
    private static final String POINTERS = "stores pointers and masks that are a matter of the CPU model";
    private static final String APPROXIMATE = "within a unit in the last place; FloatAgainstSiliconTest has it";
    private static final String ROUGH = "an approximation of 12 bits, each vendor's its own; PackedFloatTest has it";
    private static final String STATE = "its area is structured; SaveAreaTest has it";
    private static final String KEYS = "would take the runner's own memory away; ProtectionKeysTest has it";
    private static final String HYPERVISOR = "reaches the hypervisor that the host may run under";

    private static final Map<String, String> BY_MNEMONIC = Map.ofEntries(
            Map.entry("XSETBV", KERNEL), Map.entry("INT1", HYPERVISOR), Map.entry("FNSTENV", POINTERS),
            Map.entry("FNSAVE", POINTERS), Map.entry("FXSAVE", POINTERS), Map.entry("FXRSTOR", STATE),
            Map.entry("FLDENV", STATE), Map.entry("FRSTOR", STATE), Map.entry("XSAVE", STATE),
            Map.entry("XSAVEOPT", STATE), Map.entry("XSAVEC", STATE), Map.entry("XSAVES", STATE),
            Map.entry("FSIN", APPROXIMATE), Map.entry("FCOS", APPROXIMATE), Map.entry("FSINCOS", APPROXIMATE),
            Map.entry("FPTAN", APPROXIMATE), Map.entry("FPATAN", APPROXIMATE), Map.entry("F2XM1", APPROXIMATE),
            Map.entry("FYL2X", APPROXIMATE), Map.entry("FYL2XP1", APPROXIMATE),
            Map.entry("RCPPS", ROUGH), Map.entry("RCPSS", ROUGH), Map.entry("RSQRTPS", ROUGH),
            Map.entry("RSQRTSS", ROUGH), Map.entry("VRCPPS", ROUGH), Map.entry("VRCPSS", ROUGH),
            Map.entry("VRSQRTPS", ROUGH), Map.entry("VRSQRTSS", ROUGH), Map.entry("XRSTOR", STATE),
            Map.entry("XRSTORS", STATE),
            Map.entry("CPUID", MODEL),
            Map.entry("XGETBV", MODEL), Map.entry("RDPKRU", KEYS), Map.entry("WRPKRU", KEYS),
            Map.entry("RDTSC", TIME), Map.entry("RDTSCP", TIME), Map.entry("RDPID", TIME), Map.entry("RDRAND", CHANCE),
            Map.entry("RDSEED", CHANCE), Map.entry("RDPMC", KERNEL),
            Map.entry(
                    "SGDT", KERNEL),
            Map.entry("SIDT", KERNEL), Map.entry("SLDT", KERNEL), Map.entry("STR", KERNEL), Map.entry(
                    "SMSW", KERNEL),
            Map.entry("VMCALL", HYPERVISOR), Map.entry("VMMCALL", HYPERVISOR), Map.entry(
                    "SYSENTER", "enters the host's kernel, or not, as its vendor decided"));

    /** Flags of /proc/cpuinfo that have another name than the CPUID feature. */
    private static final Map<String, String> KERNEL_NAMES = Map.of("lzcnt", "abm", "clfsh", "clflush", "sse3", "pni",
            "sha",
            "sha_ni");

    private final Set<String> hostFlags;

    Exclusions() {
        try {
            hostFlags = Set.of(Files.readAllLines(Path.of("/proc/cpuinfo")).stream().filter(line -> line.startsWith(
                    "flags")).findFirst().map(line -> line.substring(line.indexOf(':') + 1).strip()).orElse("")
                    .split(" +"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether /proc/cpuinfo has {@code flag}. */
    boolean hostHas(String flag) {
        return hostFlags.contains(flag);
    }

    /** Why {@code form} cannot be run here in code of {@code codeBits}, 32 or 64; empty if it can. */
    Optional<String> reason(InstructionForm form, int codeBits) {
        if (!form.existsIn(codeBits)) {
            return Optional.of("does not exist in " + codeBits + "-bit code");
        }
        if (!form.feature.equals("-") && !hostFlags.contains(KERNEL_NAMES.getOrDefault(form.feature, form.feature))) {
            return Optional.of("the host has no " + form.feature);
        }
        if (form.mnemonic.equals("SYSCALL") && codeBits == 32) {
            return Optional.of("the host's kernel changes registers before it reports one");
        }
        return Optional.ofNullable(BY_MNEMONIC.get(form.mnemonic));
    }
}
