package dev.xenolith.dom0.machinedisk;

import dev.xenolith.dom0.disk.DiskFormat;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A drive of a bare machine, as the command line describes it.
 *
 * @param option which option that was, for messages
 * @param format null: the file's first bytes tell
 */
public record DriveSpec(String option, Path file, Bus bus, boolean disc, @Nullable DiskFormat format,
        boolean readOnly) {
    /** How a drive is connected. */
    public enum Bus {
        IDE, AHCI;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final String DISK = "--disk";
    private static final String CDROM = "--cdrom";
    /** Buses that others have. */
    private static final List<String> UNSUPPORTED = List.of("nvme", "virtio");

    /**
     * Reads {@code FILE[,if=ide|ahci][,format=raw|qcow2|vhd][,readonly]}. A comma that belongs to the file's name is written twice.
     *
     * @param resolve finds the file's place
     * @throws IllegalArgumentException with the option and what is wrong with it
     */
    public static DriveSpec disk(String text, Function<String, Path> resolve) {
        // Two commas are one that is no separator.
        String[] parts = text.replace(",,", "\0").split(",", -1);
        String name = parts[0].replace('\0', ',');
        if (name.isEmpty()) {
            throw new IllegalArgumentException(DISK + ": expected FILE[,OPTION...], found '" + text + "'");
        }
        Bus bus = Bus.IDE;
        DiskFormat format = null;
        boolean readOnly = false;
        for (int i = 1; i < parts.length; i++) {
            String part = parts[i].replace('\0', ',');
            if (part.startsWith("if=")) {
                bus = bus(name, part.substring("if=".length()));
            } else if (part.startsWith("format=")) {
                String key = part.substring("format=".length());
                format = DiskFormat.ofKey(key).orElseThrow(() -> problem(name,
                        "format: expected one of " + DiskFormat.keys() + ", found '" + key + "'"));
            } else if (part.equals("readonly")) {
                readOnly = true;
            } else {
                throw problem(name, "expected if=BUS, format=FORMAT or readonly, found '" + part + "'");
            }
        }
        return new DriveSpec(DISK, resolve.apply(name), bus, false, format, readOnly);
    }

    /** A disc in a drive on the secondary IDE channel; the file holds its blocks as they are. */
    public static DriveSpec cdrom(Path file) {
        return new DriveSpec(CDROM, file, Bus.IDE, true, DiskFormat.RAW, true);
    }

    private static Bus bus(String file, String word) {
        for (Bus bus : Bus.values()) {
            if (bus.word().equals(word)) {
                return bus;
            }
        }
        throw problem(file, UNSUPPORTED.contains(word)
                ? "if=" + word + " is not supported yet"
                : "if: expected ide or ahci, found '" + word + "'");
    }

    private static IllegalArgumentException problem(String file, String what) {
        return new IllegalArgumentException(DISK + " " + file + ": " + what);
    }
}
