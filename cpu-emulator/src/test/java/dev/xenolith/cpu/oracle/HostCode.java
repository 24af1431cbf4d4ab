package dev.xenolith.cpu.oracle;

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

        private static boolean runs32Bit() {
            try (SiliconRunner silicon = new SiliconRunner(1)) {
                Snippet nop = new Snippet(0x90);
                nop.registers.selector[Registers.CS] = AddressMap.CODE_SELECTOR_32;
                Outcome outcome = new Outcome();
                silicon.run(List.of(nop), List.of(outcome));
                return outcome.completed(nop);
            }
        }
    }

    private HostCode() {}

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
