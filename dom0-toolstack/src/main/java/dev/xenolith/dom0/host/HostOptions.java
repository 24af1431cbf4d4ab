package dev.xenolith.dom0.host;

import dev.xenolith.cpu.translate.Translation;
import dev.xenolith.device.board.ClockMode;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * What {@code xenolith host start} was asked for.
 *
 * @param cpus processors of the emulated machine, 1..8
 * @param memoryMiB RAM of the emulated machine, MiB
 * @param cpuModel intel or amd
 * @param clock how machine time relates to host time
 * @param seed varies quantum lengths and the like; empty to draw one
 * @param xenCommandLine command line of the hypervisor, as a boot loader would pass it
 * @param translation whether hot code is translated; guests cannot tell
 * @param network bridges and what leads out of them
 */
public record HostOptions(int cpus, long memoryMiB, CpuVendor cpuModel, ClockMode clock, OptionalLong seed,
        String xenCommandLine, Translation translation, NetworkOptions network) {
    /** What is used when nothing is said. */
    public static final HostOptions DEFAULT = new HostOptions(1, 2048, CpuVendor.INTEL, ClockMode.REAL,
            OptionalLong.empty(), "", Translation.ON, NetworkOptions.DEFAULT);

    /** Options for a host that translates as all suites do. */
    public HostOptions(int cpus, long memoryMiB, CpuVendor cpuModel, ClockMode clock, OptionalLong seed,
            String xenCommandLine) {
        this(cpus, memoryMiB, cpuModel, clock, seed, xenCommandLine, Translation.byDefault(),
                NetworkOptions.DEFAULT);
    }

    /** The vendor whose model the processors follow. */
    public enum CpuVendor {
        /** VT-x, SYSENTER, and so on. */
        INTEL,
        /** AMD-V and so on. */
        AMD;

        /** Returns the word of the command line. */
        public String key() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Returns the word of the command line for the clock. */
    public String clockKey() {
        return clock.name().toLowerCase(Locale.ROOT);
    }
}
