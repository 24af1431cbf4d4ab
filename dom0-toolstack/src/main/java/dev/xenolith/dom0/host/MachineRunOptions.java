package dev.xenolith.dom0.host;

import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.device.board.ClockMode;
import dev.xenolith.device.board.Machine;
import dev.xenolith.dom0.gdb.Architecture;
import dev.xenolith.dom0.gdb.GdbAddress;
import dev.xenolith.dom0.image.Image;
import dev.xenolith.dom0.image.ImageStore;
import dev.xenolith.dom0.xl.ToolstackException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** The options of {@code xenolith machine run}. */
final class MachineRunOptions {
    private static final int MAX_CPUS = 8;
    private static final long MIN_MEMORY = 4;
    private static final long MAX_MEMORY = 1 << 20;
    private static final String SERIAL_STDIO = "stdio";
    private static final String SERIAL_FILE = "file:";
    /** Every deterministic machine starts on 1 January 2024. */
    private static final long DETERMINISTIC_START = 1_704_067_200;

    @Option(names = "--kernel", paramLabel = "FILE", description = "A Linux bzImage, a Multiboot kernel, or an ELF kernel with a PVH entry.")
    private @Nullable String kernel;

    @Option(names = "--initrd", paramLabel = "FILE", description = "Initial RAM disk, or first module.")
    private @Nullable String initrd;

    @Option(names = "--image", paramLabel = "NAME", description = "An image that 'xenolith image pull' has fetched, in place of --kernel and --initrd.")
    private @Nullable String image;

    @Option(names = "--append", paramLabel = "STRING", description = "Command line of the kernel; added to that of an image.")
    private @Nullable String append;

    @Option(names = "--module", paramLabel = "FILE[,ARGS]", description = "A further boot module; may be repeated.")
    private List<String> modules = new ArrayList<>();

    @Option(names = "--bios", paramLabel = "FILE", description = "Firmware image in place of a kernel.")
    private @Nullable String bios;

    @Option(names = "--memory", paramLabel = "SIZE", description = "Memory in MiB, or with an M or G (default: 512M).")
    private String memory = "512M";

    @Option(names = "--cpus", paramLabel = "N", description = "Processors, 1 to 8 (default: 1).")
    private int cpus = 1;

    @Option(names = "--cpu", paramLabel = "VENDOR", description = "Model of the processors: intel or amd (default: intel).")
    private String cpu = "intel";

    @Option(names = "--clock", paramLabel = "MODE", description = "real: machine time follows host time; virtual: idle time is skipped (default: real).")
    private @Nullable String clock;

    @Option(names = "--translate", paramLabel = "MODE", description = TranslationModes.DESCRIPTION + " (default: off).")
    private String translate = "off";

    @Option(names = "--deterministic", description = "Virtual clock, a fixed date, and seed 1 unless another is given: without input, runs are identical.")
    private boolean deterministic;

    @Option(names = "--seed", paramLabel = "N", description = "Varies what real hardware leaves open (default: drawn).")
    private @Nullable Long seed;

    @Option(names = "--serial", paramLabel = "WHERE", description = "The first serial port: stdio, or file:FILE (default: stdio).")
    private String serial = SERIAL_STDIO;

    @Option(names = "--debug-exit", description = "Have a debug-exit port at 0xf4 and 0x501.")
    private boolean debugExit;

    @Option(names = "--test-device", description = "Have the device that kvm-unit-tests drive: a register at port 0xe0, interrupt lines at 0x2000, memory at 0xff000000.")
    private boolean testDevice;

    @Option(names = "--max-instructions", paramLabel = "N", description = "End after so many instructions.")
    private long maxInstructions = Long.MAX_VALUE;

    @Option(names = "--stats", description = "Say at the end what was done in what time: instructions, caches, devices, the hottest blocks. Counting them takes time.")
    private boolean stats;

    @Option(names = "--screen", description = "Print the text on the screen at the end; Ctrl-A s prints it meanwhile.")
    private boolean screen;

    @Option(names = "--gdb", paramLabel = "[HOST]:PORT", description = "Let gdb connect ('target remote :PORT'); without HOST from this computer only. Port 0: any that is free.")
    private @Nullable String gdb;

    @Option(names = "--gdb-arch", paramLabel = "ARCH", description = "What gdb is told the processors are: x86-64, or i386 for software that stays below (default: x86-64).")
    private @Nullable String gdbArchitecture;

    @Option(names = "--freeze", description = "Wait for gdb before the first instruction.")
    private boolean freeze;

    @ArgGroup(validate = false, heading = "%nDevices%n")
    private MachineDeviceOptions devices = new MachineDeviceOptions();

    @ArgGroup(validate = false, heading = "%nTracing%n")
    private MachineTraceOptions trace = new MachineTraceOptions();

    /** Checks everything. Throws with the option at fault and {@link ToolstackException#USAGE}. */
    MachineSettings toSettings(Path directory, ImageStore images) {
        if (Stream.of(kernel, bios, image).filter(Objects::nonNull).count() != 1) {
            throw usage("expected one of --kernel, --bios and --image");
        }
        if (image != null && (initrd != null || !modules.isEmpty())) {
            throw usage("--initrd and --module go with --kernel, not with --image");
        }
        if (bios != null && (initrd != null || append != null || !modules.isEmpty())) {
            throw usage("--initrd, --append and --module go with --kernel, not with --bios");
        }
        if (cpus < 1 || cpus > MAX_CPUS) {
            throw usage("--cpus: expected 1 to " + MAX_CPUS + ", found " + cpus);
        }
        CpuModel model = switch (cpu) {
            case "intel" -> CpuModel.intel();
            case "amd" -> CpuModel.amd();
            default -> throw usage("--cpu: expected intel or amd, found '" + cpu + "'");
        };
        if (maxInstructions < 1) {
            throw usage("--max-instructions: expected at least 1, found " + maxInstructions);
        }
        List<MachineSettings.Module> files = new ArrayList<>();
        for (String module : modules) {
            int comma = module.indexOf(',');
            String file = comma < 0 ? module : module.substring(0, comma);
            files.add(new MachineSettings.Module(resolve(directory, "--module", file),
                    comma < 0 ? "" : module.substring(comma + 1)));
        }
        Image pulled = image == null ? null : images.get(image);
        String given = append == null ? "" : append;
        return new MachineSettings(pulled == null ? given(directory, "--kernel", kernel) : pulled.kernel(),
                pulled == null ? given(directory, "--initrd", initrd) : pulled.initrd(),
                pulled == null ? given : (pulled.commandLine() + " " + given).strip(), files,
                given(directory, "--bios", bios),
                memoryMiB() << 20, cpus, model,
                new Machine.Configuration(clockMode(), chosenSeed(), TranslationModes.named(translate)),
                deterministic ? DETERMINISTIC_START : null,
                serialFile(directory), debugExit, testDevice, maxInstructions, stats, screen, debugging(),
                trace.toSettings(directory, cpus), devices.toSettings(directory, bios != null, screen));
    }

    static @Nullable Path given(Path directory, String option, @Nullable String file) {
        return file == null ? null : resolve(directory, option, file);
    }

    /** A file's place. Throws if the locale has no such characters. */
    static Path resolve(Path directory, String option, String file) {
        try {
            return directory.resolve(file);
        } catch (InvalidPathException e) {
            throw usage(option + ": " + e.getMessage());
        }
    }

    private ClockMode clockMode() {
        String chosen = clock == null ? deterministic ? "virtual" : "real" : clock;
        ClockMode mode = switch (chosen) {
            case "real" -> ClockMode.REAL;
            case "virtual" -> ClockMode.VIRTUAL;
            default -> throw usage("--clock: expected real or virtual, found '" + chosen + "'");
        };
        if (deterministic && mode == ClockMode.REAL) {
            throw usage("--deterministic needs --clock virtual");
        }
        return mode;
    }

    private long chosenSeed() {
        Long given = seed;
        if (given != null) {
            return given;
        }
        return deterministic ? 1 : ThreadLocalRandom.current().nextLong(1L << 32);
    }

    private MachineSettings.@Nullable Debugging debugging() {
        if (gdb == null) {
            if (freeze || gdbArchitecture != null) {
                throw usage((freeze ? "--freeze" : "--gdb-arch") + " goes with --gdb");
            }
            return null;
        }
        String name = gdbArchitecture == null ? "x86-64" : gdbArchitecture;
        Architecture architecture = switch (name) {
            case "x86-64" -> Architecture.X86_64;
            case "i386" -> Architecture.I386;
            default -> throw usage("--gdb-arch: expected x86-64 or i386, found '" + name + "'");
        };
        try {
            return new MachineSettings.Debugging(GdbAddress.parse(gdb), architecture, freeze);
        } catch (IllegalArgumentException e) {
            throw usage("--gdb: " + e.getMessage());
        }
    }

    private @Nullable Path serialFile(Path directory) {
        if (serial.equals(SERIAL_STDIO)) {
            return null;
        }
        if (serial.startsWith(SERIAL_FILE) && serial.length() > SERIAL_FILE.length()) {
            return resolve(directory, "--serial", serial.substring(SERIAL_FILE.length()));
        }
        throw usage("--serial: expected stdio or file:FILE, found '" + serial + "'");
    }

    private long memoryMiB() {
        String digits = memory.toUpperCase(Locale.ROOT);
        long unit = digits.endsWith("G") ? 1024 : 1;
        if (digits.endsWith("G") || digits.endsWith("M")) {
            digits = digits.substring(0, digits.length() - 1);
        }
        if (digits.matches("[0-9]{1,9}")) {
            long size = Long.parseLong(digits) * unit;
            if (size >= MIN_MEMORY && size <= MAX_MEMORY) {
                return size;
            }
        }
        throw usage("--memory: expected " + MIN_MEMORY + "M to " + MAX_MEMORY / 1024 + "G, found '" + memory + "'");
    }

    private static ToolstackException usage(String problem) {
        return new ToolstackException(ToolstackException.USAGE, problem);
    }
}
