package dev.xenolith.cpu.oracle;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Rows of the opcode table that the host's silicon cannot judge, or not all of, and which other test has them. */
final class Exclusions {
    /**
     * Why silicon cannot judge a row, and what does.
     *
     * @param test simple name of a test class of this module
     */
    record Elsewhere(String reason, String test) {
    }

    private static final Elsewhere TIME = new Elsewhere("its result changes from moment to moment",
            "SystemInstructionsTest");
    private static final Elsewhere CHANCE = new Elsewhere("its result is random", "InterpreterTest");
    private static final Elsewhere ENVIRONMENT = new Elsewhere(
            "its area holds pointers and masks that are a matter of the CPU model", "SaveAreaTest");
    private static final Elsewhere APPROXIMATE = new Elsewhere("within a unit in the last place of silicon",
            "FloatAgainstSiliconTest");
    private static final Elsewhere ROUGH = new Elsewhere("an approximation of 12 bits, each vendor's its own",
            "PackedFloatTest");
    private static final Elsewhere STATE = new Elsewhere("its area is structured", "SaveAreaTest");
    private static final Elsewhere KEYS = new Elsewhere("would take the runner's own memory away",
            "ProtectionKeysTest");
    private static final Elsewhere HYPERVISOR = new Elsewhere("reaches the hypervisor that the host may run under",
            "SystemInstructionsTest");
    private static final Elsewhere TABLES = new Elsewhere("its result belongs to the host's kernel",
            "SegmentationTest");
    private static final Elsewhere EXTENDED_CONTROL = new Elsewhere("its register belongs to the host's kernel",
            "SystemInstructionsTest");
    private static final Elsewhere WAIT = new Elsewhere("a host may hide it from its guests", "MonitorTest");

    private static final Map<String, Elsewhere> BY_MNEMONIC = Map.ofEntries(
            Map.entry("XSETBV", EXTENDED_CONTROL), Map.entry("XGETBV", EXTENDED_CONTROL),
            Map.entry("INT1", new Elsewhere("reaches the hypervisor that the host may run under", "HostedModeTest")),
            Map.entry("FNSTENV", ENVIRONMENT), Map.entry("FNSAVE", ENVIRONMENT), Map.entry("FXSAVE", ENVIRONMENT),
            Map.entry("FXRSTOR", STATE), Map.entry("FLDENV", STATE), Map.entry("FRSTOR", STATE),
            Map.entry("XSAVE", STATE),
            Map.entry("XSAVEOPT", STATE), Map.entry("XSAVEC", STATE), Map.entry("XSAVES", STATE),
            Map.entry("XRSTOR", STATE), Map.entry("XRSTORS", STATE), Map.entry("FSIN", APPROXIMATE),
            Map.entry("FCOS", APPROXIMATE), Map.entry("FSINCOS", APPROXIMATE), Map.entry("FPTAN", APPROXIMATE),
            Map.entry("FPATAN", APPROXIMATE), Map.entry("F2XM1", APPROXIMATE), Map.entry("FYL2X", APPROXIMATE),
            Map.entry("FYL2XP1", APPROXIMATE), Map.entry("RCPPS", ROUGH), Map.entry("RCPSS", ROUGH),
            Map.entry("RSQRTPS", ROUGH), Map.entry("RSQRTSS", ROUGH), Map.entry("VRCPPS", ROUGH),
            Map.entry("VRCPSS", ROUGH), Map.entry("VRSQRTPS", ROUGH), Map.entry("VRSQRTSS", ROUGH),
            Map.entry("CPUID", new Elsewhere("its result is a matter of the CPU model", "CpuModelTest")),
            Map.entry("RDPKRU", KEYS), Map.entry("WRPKRU", KEYS), Map.entry("RDTSC", TIME), Map.entry("RDTSCP", TIME),
            Map.entry("RDPID", TIME), Map.entry("RDRAND", CHANCE), Map.entry("RDSEED", CHANCE),
            Map.entry("RDPMC",
                    new Elsewhere("whether it is allowed is up to the host's kernel", "SystemInstructionsTest")),
            Map.entry("SGDT", TABLES), Map.entry("SIDT", TABLES), Map.entry("SLDT", TABLES), Map.entry("STR", TABLES),
            Map.entry("SMSW", TABLES), Map.entry("VMCALL", HYPERVISOR), Map.entry("VMMCALL", HYPERVISOR),
            Map.entry("MONITOR", WAIT), Map.entry("MWAIT", WAIT),
            Map.entry("SYSENTER",
                    new Elsewhere("enters the host's kernel, or not, as its vendor decided", "HostedModeTest")));

    /** Where the rows are tested that silicon refuses in ring 3. */
    private static final Map<String, String> PRIVILEGED = Map.ofEntries(Map.entry("CLI", "SystemInstructionsTest"),
            Map.entry("STI", "SystemInstructionsTest"),
            Map.entry("HLT", "SystemInstructionsTest"),
            Map.entry("IN", "SystemInstructionsTest"),
            Map.entry("OUT", "SystemInstructionsTest"),
            Map.entry("INS", "SystemInstructionsTest"),
            Map.entry("OUTS", "SystemInstructionsTest"),
            Map.entry("LGDT", "SystemInstructionsTest"),
            Map.entry("LIDT", "SystemInstructionsTest"),
            Map.entry("LMSW", "SystemInstructionsTest"),
            Map.entry("CLTS", "SystemInstructionsTest"),
            Map.entry("SWAPGS", "SystemInstructionsTest"),
            Map.entry("INVD", "SystemInstructionsTest"),
            Map.entry("WBINVD", "SystemInstructionsTest"),
            Map.entry("LLDT", "SegmentationTest"),
            Map.entry("LTR", "SegmentationTest"),
            Map.entry("INVLPG", "LegacyPagingTest"),
            Map.entry("INVPCID", "LegacyPagingTest"),
            Map.entry("RDMSR", "ControlRegistersTest"),
            Map.entry("WRMSR", "ControlRegistersTest"),
            Map.entry("SYSRET", "DeliveryTest"),
            Map.entry("SYSEXIT", "DeliveryTest"),
            Map.entry("RSM", "ResetTest"),
            Map.entry("CLAC", "ProcessorMemoryTest"),
            Map.entry("STAC", "ProcessorMemoryTest"));

    /** Flags of /proc/cpuinfo that have another name than the CPUID feature. */
    private static final Map<String, String> KERNEL_NAMES = Map.of("lzcnt", "abm", "clfsh", "clflush", "sse3", "pni",
            "sha",
            "sha_ni");

    private final Set<String> hostFlags;
    private final String processor;

    Exclusions() {
        try {
            List<String> lines = Files.readAllLines(Path.of("/proc/cpuinfo"));
            hostFlags = Set.of(value(lines, "flags").split(" +"));
            processor = value(lines, "model name") + ", family " + value(lines, "cpu family") + ", model "
                    + value(lines, "model\t");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String value(List<String> lines, String key) {
        return lines.stream().filter(line -> line.startsWith(key)).findFirst().map(line -> line.substring(line.indexOf(
                ':') + 1).strip()).orElse("");
    }

    /** Whether /proc/cpuinfo has {@code flag}. */
    boolean hostHas(String flag) {
        return hostFlags.contains(flag);
    }

    /** Name of the host's processor as /proc/cpuinfo has it. */
    String processor() {
        return processor;
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
        return Optional.ofNullable(elsewhere(form)).map(Elsewhere::reason);
    }

    /** Which test has {@code form}, in either mode; null if silicon has it. */
    static @Nullable Elsewhere elsewhere(InstructionForm form) {
        return BY_MNEMONIC.get(form.mnemonic);
    }

    /** Which test of this module has what {@code form} does in ring 0. */
    static String privileged(InstructionForm form) {
        String test = form.hasOperand('C')
                ? "ControlRegistersTest"
                : form.hasOperand('D') ? "DebugPointsTest" : PRIVILEGED.get(form.mnemonic);
        if (test == null) {
            throw new IllegalStateException("no test is named for " + form);
        }
        return test;
    }

    /** Whether a test is named for what {@code form} does in ring 0. */
    static boolean isNamed(InstructionForm form) {
        return PRIVILEGED.containsKey(form.mnemonic) || form.hasOperand('C') || form.hasOperand('D');
    }

    /** Whether no instance of {@code form} ends without an exception in ring 3, because it is privileged or there to raise one. */
    static boolean isRefused(InstructionForm form) {
        return isNamed(form) || form.semantic.equals("ud") || form.semantic.equals("int3");
    }
}
