package dev.xenolith.cpu.oracle;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What a process may not do although the processor could, because the host's kernel, or the hypervisor below it, does not let it: silicon
 * cannot be asked for that there.
 */
final class HostCode {
    /** Found once. */
    private static final class Found {
        private static final boolean NO_SILICON = SiliconRunner.unavailable().isPresent();
        static final boolean RUNS_32_BIT = NO_SILICON || runs32Bit();
        static final boolean SETS_BASES = NO_SILICON || new Exclusions().hostHas("fsgsbase");
        static final boolean INTEL = !NO_SILICON && isIntel();

        private static boolean runs32Bit() {
            Snippet nop = new Snippet(0x90);
            Snippet nop32 = new Snippet(0x90);
            nop32.registers.selector[Registers.CS] = AddressMap.CODE_SELECTOR_32;
            Outcome outcome = new Outcome();
            Outcome outcome32 = new Outcome();
            try (SiliconRunner silicon = new SiliconRunner(2)) {
                silicon.run(List.of(nop, nop32), List.of(outcome, outcome32));
            }
            if (!outcome.completed(nop)) {
                // Not to be taken for a host that cannot.
                throw new IllegalStateException("silicon does not execute NOP: " + outcome.ending + " " + outcome.note);
            }
            return outcome32.completed(nop32);
        }

        private static boolean isIntel() {
            try {
                return Files.readString(Path.of("/proc/cpuinfo")).contains("GenuineIntel");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private HostCode() {}

    /** Whether the processor is one of Intel's; no where no silicon can be asked. */
    static boolean isIntel() {
        return Found.INTEL;
    }

    /** Whether there is 32-bit code, and INT 80h for it; kernels without IA32 emulation have neither. Yes where no silicon can be asked. */
    static boolean has32Bit() {
        return Found.RUNS_32_BIT;
    }

    /** Whether there is code of {@code codeBits}, 32 or 64. */
    static boolean runs(int codeBits) {
        return codeBits == 64 || has32Bit();
    }

    /**
     * Whether a process sets the bases of FS and GS itself, to what it likes; otherwise it asks the kernel, which takes only addresses of
     * user space. Yes where no silicon can be asked.
     */
    static boolean setsAnySegmentBase() {
        return Found.SETS_BASES;
    }
}
