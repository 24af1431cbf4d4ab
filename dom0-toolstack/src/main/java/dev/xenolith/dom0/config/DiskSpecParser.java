package dev.xenolith.dom0.config;

import dev.xenolith.dom0.config.DiskSpec.BackendType;
import dev.xenolith.dom0.disk.DiskFormat;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads a disk specification (xl-disk-configuration(5)): parameters separated by commas, each {@code key=value}, a flag, or one of the
 * positional ones: target, format, vdev, access. {@code target=} takes all that follows. The prefixes of old configurations ({@code file:},
 * {@code qcow2:} and so on) stand before the target and in the place of the format.
 */
final class DiskSpecParser {
    private static final Map<String, DiskFormat> FORMATS = Map.of("raw", DiskFormat.RAW, "qcow2", DiskFormat.QCOW2,
            "vhd",
            DiskFormat.VHD);
    private static final Set<String> OTHER_FORMATS = Set.of("qcow", "qed");
    private static final Set<String> UNSUPPORTED = Set.of("script", "colo", "colo-host", "colo-port", "colo-export",
            "active-disk", "hidden-disk", "no-colo");

    private final String text;
    private final Set<String> given = new HashSet<>();
    private int at;
    private int partStart;
    private @Nullable String target;
    private DiskFormat format = DiskFormat.RAW;
    private @Nullable VirtualDevice device;
    private @Nullable Boolean readOnly;
    private boolean cdrom;
    private @Nullable String backend;
    private @Nullable BackendType backendType;
    private boolean discard = true;
    private boolean trusted = true;

    DiskSpecParser(String text) {
        this.text = text;
    }

    DiskSpec parse() {
        while (at <= text.length() && !(at == text.length() && at != 0)) {
            partStart = at;
            if (text.startsWith("target=", at)) {
                target(text.substring(at + "target=".length()));
                break;
            }
            int comma = text.indexOf(',', at);
            int end = comma < 0 ? text.length() : comma;
            part(text.substring(at, end).strip());
            at = end + 1;
        }
        return result();
    }

    private DiskSpec result() {
        partStart = text.length();
        VirtualDevice named = device;
        if (named == null) {
            throw error("expected a vdev, found none");
        }
        if (target == null && !cdrom) {
            throw error("expected a target, found none; only a cdrom may be empty");
        }
        boolean onlyRead = readOnly == null ? cdrom : readOnly;
        if (cdrom && !onlyRead) {
            throw error("expected access ro for a cdrom, found rw");
        }
        if (backendType == BackendType.PHY && cdrom) {
            throw error("backendtype phy does not go with a cdrom, whose media may be of any format; qdisk does");
        }
        if (backendType == BackendType.PHY && format != DiskFormat.RAW) {
            throw error("backendtype phy knows only format raw, and this is " + format.key() + "; qdisk knows it");
        }
        return new DiskSpec(target, format, named, onlyRead, cdrom, backend, backendType, discard, trusted);
    }

    private void part(String part) {
        int equals = part.indexOf('=');
        if (equals >= 0) {
            value(part.substring(0, equals).strip(), part.substring(equals + 1).strip());
        } else if (!flag(part)) {
            positional(part);
        }
    }

    private boolean flag(String word) {
        switch (word) {
            case "cdrom" -> cdrom = true;
            case "discard" -> discard = true;
            case "no-discard" -> discard = false;
            case "trusted" -> trusted = true;
            case "untrusted" -> trusted = false;
            case "direct-io-safe" -> {
                // A hint: images are opened the same way whatever is said.
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private void value(String key, String value) {
        if (!given.add(key)) {
            throw error("'" + key + "' is given twice");
        }
        switch (key) {
            case "format" -> format(value);
            case "vdev" -> device(value);
            case "access" -> access(value);
            case "devtype" -> {
                if (!value.equals("cdrom") && !value.equals("disk")) {
                    throw error("expected devtype cdrom or disk, found \"" + value + "\"");
                }
                cdrom = value.equals("cdrom");
            }
            case "backend" -> backend = value;
            case "backendtype" -> backendType = switch (value) {
                case "phy" -> BackendType.PHY;
                case "qdisk" -> BackendType.QDISK;
                default -> throw error("backendtype \"" + value + "\" is not supported; phy and qdisk are");
            };
            case "specification" -> {
                if (!value.equals("xen")) {
                    throw error("specification \"" + value + "\" is not supported; xen is");
                }
            }
            default -> throw error(UNSUPPORTED.contains(key)
                    ? "'" + key + "' is not supported"
                    : "unknown parameter '" + key + "'");
        }
    }

    /** A positional parameter; an empty one has its default. */
    private void positional(String part) {
        if (given.add("target")) {
            if (!part.isEmpty()) {
                target(part);
            }
        } else if (given.add("format")) {
            if (!part.isEmpty()) {
                format(part);
            }
        } else if (given.add("vdev")) {
            device(part);
        } else if (given.add("access")) {
            if (!part.isEmpty()) {
                access(part);
            }
        } else {
            throw error("expected at most target, format, vdev and access without a key, found \"" + part + "\"");
        }
    }

    private void target(String written) {
        given.add("target");
        String rest = written;
        for (String prefix = prefix(rest); prefix != null; prefix = prefix(rest)) {
            rest = rest.substring(prefix.length() + 1);
            given.add("format");
            DiskFormat named = FORMATS.get(prefix);
            if (named != null) {
                format = named;
            }
        }
        target = rest.isEmpty() ? null : rest;
    }

    /** The prefix of an old configuration at the start of a target, or null. */
    private @Nullable String prefix(String written) {
        int colon = written.indexOf(':');
        String word = colon < 0 ? "" : written.substring(0, colon);
        if (FORMATS.containsKey(word)
                || Set.of("file", "phy", "tap", "tap2", "aio", "tapdisk", "ioemu").contains(word)) {
            return word;
        }
        if (OTHER_FORMATS.contains(word)) {
            throw error("format " + word + " is not supported");
        }
        return null;
    }

    private void format(String word) {
        DiskFormat named = FORMATS.get(word);
        if (named == null) {
            throw error(OTHER_FORMATS.contains(word)
                    ? "format " + word + " is not supported"
                    : "expected format raw, qcow2 or vhd, found \"" + word + "\"");
        }
        format = named;
    }

    private void device(String written) {
        String name = written;
        if (name.endsWith(":cdrom")) {
            cdrom = true;
            name = name.substring(0, name.length() - ":cdrom".length());
        }
        try {
            device = VirtualDevice.parse(name);
        } catch (IllegalArgumentException e) {
            throw error(String.valueOf(e.getMessage()));
        }
    }

    private void access(String word) {
        readOnly = switch (word) {
            case "r", "ro" -> true;
            case "w", "rw" -> false;
            default -> throw error("expected access r, ro, w or rw, found \"" + word + "\"");
        };
    }

    private IllegalArgumentException error(String problem) {
        return new IllegalArgumentException("\"" + text + "\", character " + (partStart + 1) + ": " + problem);
    }
}
