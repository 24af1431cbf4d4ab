package dev.xenolith.hypervisor.console;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.OptionalInt;

/**
 * The hypervisor's command line (docs/misc/xen-command-line.pandoc): words separated by blanks, each {@code name}, {@code no-name} or
 * {@code name=value}. What is not known, not understood or without effect here is named in {@link #remarks}, which go to the boot log.
 *
 * @param text the line as given
 * @param scheduler sched=
 * @param standard loglvl=
 * @param guest guest_loglvl=
 * @param ringSize conring_size=, bytes, a power of two
 * @param dom0MemoryKiB dom0_mem=, the amount (not min: or max:), KiB
 * @param dom0MaxVcpus dom0_max_vcpus=
 * @param ratelimitMicros sched_ratelimit_us=
 * @param remarks lines for the boot log
 */
public record CommandLine(String text, String scheduler, LogThreshold standard, LogThreshold guest, int ringSize,
        OptionalLong dom0MemoryKiB, OptionalInt dom0MaxVcpus, OptionalInt ratelimitMicros, List<String> remarks) {
    /** 64 KiB: a boot log and the crash dumps of several domains. */
    private static final int DEFAULT_RING_SIZE = 1 << 16;
    private static final int MAX_RING_SIZE = 1 << 24;
    private static final int MAX_RATELIMIT = 500_000;
    private static final List<String> OTHER_SCHEDULERS = List.of("credit", "rtds", "arinc653", "null");

    public CommandLine {
        remarks = List.copyOf(remarks);
    }

    /** Collects options; one instance a line. */
    private static final class Parser {
        String scheduler = "credit2";
        LogThreshold standard = LogThreshold.STANDARD;
        LogThreshold guest = LogThreshold.GUEST;
        int ringSize = DEFAULT_RING_SIZE;
        OptionalLong dom0Memory = OptionalLong.empty();
        OptionalInt dom0MaxVcpus = OptionalInt.empty();
        OptionalInt ratelimit = OptionalInt.empty();
        final List<String> remarks = new ArrayList<>();

        void option(String word) {
            int equals = word.indexOf('=');
            String name = equals < 0 ? word : word.substring(0, equals);
            String value = equals < 0 ? "" : word.substring(equals + 1);
            switch (name) {
                case "sched" -> scheduler(word, value);
                case "loglvl" -> standard = level(word, value, standard);
                case "guest_loglvl" -> guest = level(word, value, guest);
                case "conring_size" -> ringSize(word, value);
                case "dom0_mem" -> dom0Memory(word, value);
                case "dom0_max_vcpus" -> dom0MaxVcpus = number(word, value, 1, 32);
                case "sched_ratelimit_us" -> ratelimit = number(word, value, 0, MAX_RATELIMIT);
                case "com1" -> remarks.add("Option '" + word
                        + "': the serial port has no line settings here, its output is the host's log");
                case "console" -> {
                    if (!value.equals("com1") && !value.equals("none")) {
                        remarks.add("Option '" + word + "': only com1 is there");
                    }
                }
                case "noreboot" ->
                    remarks.add("Option '" + word + "': the host stops instead of rebooting in any case");
                default -> remarks.add("Unknown command line option '" + word + "'");
            }
        }

        private void scheduler(String word, String value) {
            if (OTHER_SCHEDULERS.contains(value)) {
                remarks.add("Option '" + word + "': scheduler " + value + " is not supported yet, using " + scheduler);
            } else if (value.equals("credit2")) {
                scheduler = value;
            } else {
                bad(word, "a scheduler's name");
            }
        }

        private LogThreshold level(String word, String value, LogThreshold otherwise) {
            Optional<LogThreshold> parsed = LogThreshold.parse(value);
            if (parsed.isEmpty()) {
                bad(word, "none, error, warning, info, debug or all, and after a slash the same");
            }
            return parsed.orElse(otherwise);
        }

        private void ringSize(String word, String value) {
            OptionalLong size = size(value, 1);
            if (size.isEmpty() || size.getAsLong() < 1 || size.getAsLong() > MAX_RING_SIZE) {
                bad(word, "a size up to 16M");
            } else {
                ringSize = Math.max(1 << 14, Integer.highestOneBit((int) size.getAsLong()));
            }
        }

        /** A list of amounts; {@code min:} and {@code max:} bound what is asked for. */
        private void dom0Memory(String word, String value) {
            for (String part : value.split(",", -1)) {
                boolean bound = part.startsWith("min:") || part.startsWith("max:");
                OptionalLong size = size(bound ? part.substring(4) : part, 1 << 10);
                if (size.isEmpty()) {
                    bad(word, "a size such as 512M");
                    return;
                }
                if (bound) {
                    remarks.add(
                            "Option '" + word + "': bounds of dom0's memory have no effect, it holds what it is given");
                } else {
                    dom0Memory = OptionalLong.of(size.getAsLong() >> 10);
                }
            }
        }

        /** A number with an optional B, K, M, G or T; without one it counts {@code unit} bytes (parse_size_and_unit). */
        private static OptionalLong size(String text, long unit) {
            if (text.isEmpty()) {
                return OptionalLong.empty();
            }
            int shift = switch (Character.toUpperCase(text.charAt(text.length() - 1))) {
                case 'B' -> 0;
                case 'K' -> 10;
                case 'M' -> 20;
                case 'G' -> 30;
                case 'T' -> 40;
                default -> -1;
            };
            try {
                long value = Long.decode(shift < 0 ? text : text.substring(0, text.length() - 1));
                long factor = shift < 0 ? unit : 1L << shift;
                return value < 0 || value > (1L << 50) / factor
                        ? OptionalLong.empty()
                        : OptionalLong.of(value * factor);
            } catch (NumberFormatException e) {
                return OptionalLong.empty();
            }
        }

        private OptionalInt number(String word, String value, int min, int max) {
            try {
                int number = Integer.decode(value);
                if (number >= min && number <= max) {
                    return OptionalInt.of(number);
                }
            } catch (NumberFormatException e) {
                // The remark says what was expected.
            }
            bad(word, "a number from " + min + " to " + max);
            return OptionalInt.empty();
        }

        private void bad(String word, String expected) {
            remarks.add("Bad command line option '" + word + "': expected " + expected);
        }
    }

    public static CommandLine parse(String text) {
        Parser parser = new Parser();
        for (String word : text.strip().split("\\s+", -1)) {
            if (!word.isEmpty()) {
                parser.option(word);
            }
        }
        return new CommandLine(text.strip(), parser.scheduler, parser.standard, parser.guest, parser.ringSize,
                parser.dom0Memory,
                parser.dom0MaxVcpus, parser.ratelimit, parser.remarks);
    }
}
