package dev.xenolith.dom0.host;

import dev.xenolith.device.board.ClockMode;
import dev.xenolith.dom0.host.HostOptions.CpuVendor;
import dev.xenolith.dom0.xl.ToolstackException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of {@code xenolith host start}, the same in the command and in the daemon that it starts. */
final class HostStartOptions {
    private static final int MAX_CPUS = 8;
    private static final long MIN_MEMORY = 64;
    private static final long MAX_MEMORY = 1 << 20;

    @Option(names = "--cpus", paramLabel = "N", description = "Processors of the machine, 1 to 8 (default: 1).")
    private int cpus = HostOptions.DEFAULT.cpus();

    @Option(names = "--memory", paramLabel = "SIZE", description = "Memory of the machine in MiB, or with a G for GiB (default: 2048).")
    private String memory = Long.toString(HostOptions.DEFAULT.memoryMiB());

    @Option(names = "--cpu", paramLabel = "VENDOR", description = "Model of the processors: intel or amd (default: intel).")
    private String cpu = HostOptions.DEFAULT.cpuModel().key();

    @Option(names = "--clock", paramLabel = "MODE", description = "real: machine time follows host time; virtual: idle time is skipped (default: real).")
    private String clock = HostOptions.DEFAULT.clockKey();

    @Option(names = "--seed", paramLabel = "N", description = "Varies scheduling in ways that must not matter (default: drawn).")
    private @Nullable Long seed;

    @Option(names = "--xen", paramLabel = "\"OPTIONS\"", description = "Command line of the hypervisor, such as \"sched=credit2 loglvl=all dom0_mem=64M\".")
    private String xen = HostOptions.DEFAULT.xenCommandLine();

    @Option(names = "--translate", paramLabel = "MODE", description = TranslationModes.DESCRIPTION + " (default: on).")
    private String translate = "on";

    @Option(names = "--net", paramLabel = "BRIDGE=UPLINK", description = {
        "A bridge for vifs and what leads out of it: nat (with its own 10.0.2.0/24, or nat:SUBNET), "
                + "none (its guests reach each other) or tap:INTERFACE (of this host; needs the right to open it). "
                + "May be repeated (default: xenbr0=nat)."})
    private List<String> bridges = new ArrayList<>();

    @Option(names = "--forward", paramLabel = "tcp:[ADDRESS:]PORT-GUEST:PORT", description = "A port of this host, at 127.0.0.1 if nothing is said, that leads to a guest behind a NAT; udp too. "
            + "May be repeated.")
    private List<String> forwards = new ArrayList<>();

    /** Checks everything. Throws with the option at fault and {@link ToolstackException#USAGE}. */
    HostOptions toOptions() {
        if (cpus < 1 || cpus > MAX_CPUS) {
            throw usage("--cpus: expected 1 to " + MAX_CPUS + ", found " + cpus);
        }
        CpuVendor vendor = switch (cpu) {
            case "intel" -> CpuVendor.INTEL;
            case "amd" -> CpuVendor.AMD;
            default -> throw usage("--cpu: expected intel or amd, found '" + cpu + "'");
        };
        ClockMode mode = switch (clock) {
            case "real" -> ClockMode.REAL;
            case "virtual" -> ClockMode.VIRTUAL;
            default -> throw usage("--clock: expected real or virtual, found '" + clock + "'");
        };
        return new HostOptions(cpus, memoryMiB(), vendor, mode,
                seed == null ? OptionalLong.empty() : OptionalLong.of(seed), xen,
                TranslationModes.named(translate), network());
    }

    private NetworkOptions network() {
        try {
            return NetworkOptions.parse(bridges, forwards);
        } catch (IllegalArgumentException e) {
            throw usage(String.valueOf(e.getMessage()));
        }
    }

    /** Returns the command line that means the same. */
    List<String> toArguments() {
        List<String> arguments = new ArrayList<>(List.of("--cpus=" + cpus, "--memory=" + memory, "--cpu=" + cpu,
                "--clock=" + clock, "--translate=" + translate, "--xen=" + xen));
        if (seed != null) {
            arguments.add("--seed=" + seed);
        }
        bridges.forEach(bridge -> arguments.add("--net=" + bridge));
        forwards.forEach(forward -> arguments.add("--forward=" + forward));
        return arguments;
    }

    private long memoryMiB() {
        String digits = memory.toUpperCase(Locale.ROOT);
        long unit = 1;
        if (digits.endsWith("G")) {
            unit = 1024;
        }
        if (digits.endsWith("G") || digits.endsWith("M")) {
            digits = digits.substring(0, digits.length() - 1);
        }
        if (digits.matches("[0-9]{1,9}")) {
            long size = Long.parseLong(digits) * unit;
            if (size >= MIN_MEMORY && size <= MAX_MEMORY) {
                return size;
            }
        }
        throw usage("--memory: expected " + MIN_MEMORY + " MiB to " + MAX_MEMORY / 1024 + "G, found '" + memory + "'");
    }

    private static ToolstackException usage(String problem) {
        return new ToolstackException(ToolstackException.USAGE, problem);
    }
}
