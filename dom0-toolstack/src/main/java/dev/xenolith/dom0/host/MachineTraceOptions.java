package dev.xenolith.dom0.host;

import dev.xenolith.dom0.monitor.TraceSettings;
import dev.xenolith.dom0.xl.ToolstackException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of {@code xenolith machine run} that begin with {@code --trace}. */
final class MachineTraceOptions {
    @Option(names = "--trace", paramLabel = "WHAT[,WHAT]", description = "Write a line for each instruction with the registers it changes (instructions), each exception and interrupt (interrupts), each access to a device (devices), or all.")
    private @Nullable String what;

    @Option(names = "--trace-file", paramLabel = "FILE", description = "Where the lines go (default: standard error).")
    private @Nullable String file;

    @Option(names = "--trace-from", paramLabel = "N", description = "Begin after N instructions of all processors (default: 0).")
    private @Nullable Long from;

    @Option(names = "--trace-count", paramLabel = "N", description = "End after N lines.")
    private @Nullable Long count;

    @Option(names = "--trace-range", paramLabel = "FIRST-LAST", description = "Only instructions at these linear addresses, in hexadecimal; interrupts and devices everywhere.")
    private @Nullable String range;

    @Option(names = "--trace-cpu", paramLabel = "N", description = "Only what processor N does, counted from 0.")
    private @Nullable Integer cpu;

    /** Checks them; null if nothing is traced. */
    @Nullable
    TraceSettings toSettings(Path directory, int processors) {
        if (what == null) {
            String alone = file != null
                    ? "--trace-file"
                    : from != null
                            ? "--trace-from"
                            : count != null
                                    ? "--trace-count"
                                    : range != null ? "--trace-range" : cpu != null ? "--trace-cpu" : null;
            if (alone != null) {
                throw usage(alone + " goes with --trace");
            }
            return null;
        }
        Integer processor = cpu;
        if (processor != null && (processor < 0 || processor >= processors)) {
            throw usage("--trace-cpu: expected 0 to " + (processors - 1) + ", found " + processor);
        }
        long[] addresses = addresses();
        String given = file;
        return new TraceSettings(kinds(what),
                given == null ? null : MachineRunOptions.resolve(directory, "--trace-file", given),
                atLeast("--trace-from", from, 0, 0), atLeast("--trace-count", count, 1, Long.MAX_VALUE), addresses[0],
                addresses[1], processor == null ? -1 : processor);
    }

    private static Set<TraceSettings.Kind> kinds(String list) {
        Set<TraceSettings.Kind> kinds = EnumSet.noneOf(TraceSettings.Kind.class);
        for (String each : list.split(",", -1)) {
            switch (each) {
                case "instructions" -> kinds.add(TraceSettings.Kind.INSTRUCTIONS);
                case "interrupts" -> kinds.add(TraceSettings.Kind.INTERRUPTS);
                case "devices" -> kinds.add(TraceSettings.Kind.DEVICES);
                case "all" -> kinds.addAll(EnumSet.allOf(TraceSettings.Kind.class));
                default -> throw usage("--trace: expected instructions, interrupts, devices or all, found '" + each
                        + "'");
            }
        }
        return kinds;
    }

    private static long atLeast(String option, @Nullable Long value, long least, long otherwise) {
        if (value != null && value < least) {
            throw usage(option + ": expected at least " + least + ", found " + value);
        }
        return value == null ? otherwise : value;
    }

    private long[] addresses() {
        String given = range;
        if (given == null) {
            return new long[]{0, -1};
        }
        int dash = given.indexOf('-');
        try {
            long first = address(given.substring(0, Math.max(0, dash)));
            long last = address(given.substring(dash + 1));
            if (dash > 0 && Long.compareUnsigned(first, last) <= 0) {
                return new long[]{first, last};
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw usage("--trace-range: expected FIRST-LAST, found '" + given + "'");
    }

    private static long address(String digits) {
        return Long.parseUnsignedLong(digits.startsWith("0x") ? digits.substring(2) : digits, 16);
    }

    private static ToolstackException usage(String problem) {
        return new ToolstackException(ToolstackException.USAGE, problem);
    }
}
