package dev.xenolith.dom0.config;

import dev.xenolith.dom0.config.DomainConfig.Boot;
import dev.xenolith.dom0.config.DomainConfig.Lifecycle;
import dev.xenolith.dom0.config.DomainConfig.Limits;
import dev.xenolith.dom0.config.DomainConfig.Scheduling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Makes a {@link DomainConfig} of a parsed {@link XlConfig}: checks values, fills in defaults, finds files. */
public final class DomainConfigReader {
    /** Virtual CPUs that a PV domain can have without moved vcpu_info areas (XEN_LEGACY_MAX_VCPUS). */
    public static final int MAX_VCPUS = 32;

    /** What xl gives a domain when nothing is said, MiB. */
    static final long DEFAULT_MEMORY = 32;

    /** 16 TiB in MiB, more than any PV guest can address. */
    static final long MAX_MEMORY = 16L << 20;

    /** Highest event channel port of the FIFO ABI (EVTCHN_FIFO_NR_CHANNELS - 1). */
    static final long MAX_EVENT_CHANNELS = (1 << 17) - 1;

    private static final long MAX_TABLE_FRAMES = 1 << 16;

    /**
     * What came out.
     *
     * @param config complete and checked, but its files may be missing
     * @param warnings each one line that begins with the place
     * @param missing for each file that is not there a line that begins with the place and names the paths tried
     */
    public record Result(DomainConfig config, List<String> warnings, List<String> missing) {
    }

    private final XlConfig config;
    private final List<Path> directories;
    private final PulledImages images;
    private final List<String> warnings = new ArrayList<>();
    private final List<String> missing = new ArrayList<>();

    private DomainConfigReader(XlConfig config, List<Path> directories, PulledImages images) {
        this.config = config;
        this.directories = directories;
        this.images = images;
    }

    /**
     * Reads a configuration.
     *
     * @param config parsed
     * @param directories where relative paths of kernel and ramdisk are looked for, in this order: that of the config
     *     file, then that of the client
     * @param images that {@code kernel="image:..."} may name
     * @param uuids makes the uuid if none is given
     * @throws XlConfigException at the first value that cannot be used
     */
    public static Result read(XlConfig config, List<Path> directories, PulledImages images, Supplier<UUID> uuids)
            throws XlConfigException {
        DomainConfigReader reader = new DomainConfigReader(config, directories, images);
        reader.warnOfKeys();
        DomainConfig domain = reader.domain(uuids);
        return new Result(domain, List.copyOf(reader.warnings), List.copyOf(reader.missing));
    }

    private void warnOfKeys() {
        for (XlSetting setting : config.settings()) {
            XlConfigKeys.Key key = XlConfigKeys.find(setting.key());
            if (key == null) {
                String hint = Suggestions.nearest(setting.key(), XlConfigKeys.all().keySet())
                        .map(nearest -> "; did you mean '" + nearest + "'?").orElse("");
                warn(setting, "unknown key, ignored" + hint);
            } else if (!key.actedOn()) {
                warn(setting, "not supported yet, ignored");
            }
        }
    }

    private DomainConfig domain(Supplier<UUID> uuids) throws XlConfigException {
        String name = name();
        UUID uuid = uuid(uuids);
        DomainType type = type();
        Boot boot = type == DomainType.JAVA ? null : boot();
        checkDriver(type);
        long memory = config.number("memory", 1, MAX_MEMORY).orElse(-1);
        long maxMemory = config.number("maxmem", 1, MAX_MEMORY).orElse(memory < 0 ? DEFAULT_MEMORY : memory);
        if (memory < 0) {
            memory = maxMemory;
        }
        if (maxMemory < memory) {
            throw error("maxmem", "expected at least the " + memory + " MiB of memory, found " + maxMemory);
        }
        int mostVcpus = type == DomainType.JAVA ? 1 : MAX_VCPUS;
        OptionalInt wantedVcpus = integer("vcpus", 1, mostVcpus);
        OptionalInt wantedMaxVcpus = integer("maxvcpus", 1, mostVcpus);
        int vcpus = wantedVcpus.orElse(1);
        int maxVcpus = wantedMaxVcpus.orElse(vcpus);
        if (maxVcpus < vcpus) {
            throw error("maxvcpus", "expected at least the " + vcpus + " of vcpus, found " + maxVcpus);
        }
        Scheduling scheduling = new Scheduling(integer("cpu_weight", 1, 65535), integer("cap", 0, 100 * maxVcpus));
        return new DomainConfig(name, uuid, type, boot, memory * 1024, maxMemory * 1024, vcpus, maxVcpus,
                affinity(maxVcpus), scheduling, lifecycle(), limits(),
                new DomainConfig.Devices(disks(), vifs(), channels()), config.bool("privileged").orElse(false));
    }

    private String name() throws XlConfigException {
        Optional<String> name = config.string("name");
        if (name.isEmpty()) {
            throw new XlConfigException(config.source() + ": name: expected a name for the domain, found none");
        }
        String problem = DomainName.problem(name.get());
        if (problem != null) {
            throw error("name", "\"" + name.get() + "\" " + problem);
        }
        return name.get();
    }

    private UUID uuid(Supplier<UUID> uuids) throws XlConfigException {
        Optional<String> written = config.string("uuid");
        if (written.isEmpty()) {
            return uuids.get();
        }
        String hex = written.get().toLowerCase(Locale.ROOT);
        if (hex.matches("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}")) {
            hex = hex.replace("-", "");
            return new UUID(Long.parseUnsignedLong(hex, 0, 16, 16), Long.parseUnsignedLong(hex, 16, 32, 16));
        }
        throw error("uuid", "expected 32 hexadecimal digits grouped 8-4-4-4-12, found \"" + written.get() + "\"");
    }

    private DomainType type() throws XlConfigException {
        String key = "type";
        Optional<String> word = config.string(key);
        if (word.isEmpty() && config.setting("builder") != null) {
            key = "builder";
            word = config.string(key).map(builder -> switch (builder) {
                case "generic", "linux" -> DomainType.PV.key();
                default -> builder;
            });
        }
        String wanted = word.orElse(DomainType.PV.key());
        DomainType type = Arrays.stream(DomainType.values()).filter(t -> t.key().equals(wanted)).findFirst()
                .orElse(null);
        if (type == null) {
            throw error(key, "expected \"pv\", \"pvh\", \"hvm\" or \"java\", found \"" + wanted + "\"");
        }
        if (type != DomainType.PV && type != DomainType.JAVA) {
            throw error(key, "\"" + wanted + "\" is not supported yet; \"pv\" is");
        }
        return type;
    }

    /** A Java domain serves others and is served by none; a PV domain may run a toolstack of its own. */
    private void checkDriver(DomainType type) throws XlConfigException {
        boolean driver = config.number("driver_domain", 0, 1).orElse(0) == 1;
        if (type == DomainType.JAVA) {
            if (!driver) {
                throw error(config.setting("driver_domain") == null ? "type" : "driver_domain",
                        "a domain of type \"java\" serves disks and vifs of others: expected driver_domain=1");
            }
            for (String key : List.of("kernel", "ramdisk", "cmdline", "root", "extra", "disk", "vif", "channel",
                    "privileged")) {
                XlSetting setting = config.setting(key);
                if (setting != null) {
                    throw XlConfigException.key(setting, "a domain of type \"java\" has none");
                }
            }
        } else if (driver) {
            warn(Objects.requireNonNull(config.setting("driver_domain")),
                    "only domains of type \"java\" are driver domains yet, ignored");
        }
    }

    private Boot boot() throws XlConfigException {
        String written = config.string("kernel").orElse("");
        if (written.startsWith(PulledImages.PREFIX)) {
            return bootImage(written.substring(PulledImages.PREFIX.length()));
        }
        Path kernel = file("kernel");
        if (kernel == null) {
            throw new XlConfigException(config.source() + ": kernel: expected a kernel for the pv domain, found none");
        }
        return new Boot(kernel, file("ramdisk"), commandLine());
    }

    /** An image brings its initial RAM disk, unless another is given, and the beginning of the command line. */
    private Boot bootImage(String name) throws XlConfigException {
        Boot image;
        try {
            image = images.boot(name);
        } catch (IllegalArgumentException e) {
            throw error("kernel", String.valueOf(e.getMessage()));
        } catch (IOException e) {
            missing.add(place("kernel") + ": kernel: " + e.getMessage());
            image = images.files(name);
        }
        Path ramdisk = file("ramdisk");
        return new Boot(image.kernel(), ramdisk == null ? image.ramdisk() : ramdisk,
                (image.commandLine() + " " + commandLine()).strip());
    }

    private String commandLine() throws XlConfigException {
        Optional<String> whole = config.string("cmdline");
        Optional<String> root = config.string("root");
        Optional<String> extra = config.string("extra");
        if (whole.isPresent()) {
            for (String key : List.of("root", "extra")) {
                XlSetting setting = config.setting(key);
                if (setting != null) {
                    warn(setting, "ignored in favour of cmdline");
                }
            }
            return whole.get();
        }
        List<String> parts = new ArrayList<>();
        root.ifPresent(device -> parts.add("root=" + device));
        extra.ifPresent(parts::add);
        return String.join(" ", parts);
    }

    /** Finds the file that a key names; null if the key is not there or empty. */
    private @Nullable Path file(String key) throws XlConfigException {
        String name = config.string(key).orElse("");
        return name.isEmpty() ? null : find(key, name);
    }

    /** Finds the file {@code name} that is a value of {@code key}, or says where it was looked for. */
    private Path find(String key, String name) throws XlConfigException {
        List<Path> tried = new ArrayList<>();
        try {
            for (Path directory : directories) {
                Path candidate = directory.resolve(name).toAbsolutePath().normalize();
                if (Files.exists(candidate)) {
                    return candidate;
                }
                if (!tried.contains(candidate)) {
                    tried.add(candidate);
                }
            }
        } catch (InvalidPathException e) {
            throw error(key, "expected a file, found \"" + name + "\": " + e.getReason());
        }
        List<String> names = tried.stream().map(Path::toString).toList();
        missing.add(place(key) + ": " + key + ": no such file: " + String.join(", nor ", names));
        return tried.getFirst();
    }

    /** Where a key is set. */
    private String place(String key) {
        XlSetting setting = config.setting(key);
        return setting == null ? config.source() : setting.position().lineText();
    }

    private List<CpuSelection> affinity(int maxVcpus) throws XlConfigException {
        XlSetting setting = config.setting("cpus");
        if (setting == null) {
            return List.of();
        }
        try {
            if (setting.value() instanceof XlValue.Atom atom) {
                return Collections.nCopies(maxVcpus, CpuSelection.parse(atom.text()));
            }
            List<String> texts = config.strings("cpus").orElseThrow();
            List<CpuSelection> selections = new ArrayList<>(Collections.nCopies(maxVcpus, CpuSelection.ALL));
            for (int vcpu = 0; vcpu < texts.size(); vcpu++) {
                CpuSelection selection = CpuSelection.parse(texts.get(vcpu));
                if (vcpu < maxVcpus) {
                    selections.set(vcpu, selection);
                }
            }
            return selections;
        } catch (IllegalArgumentException e) {
            throw XlConfigException.key(setting, String.valueOf(e.getMessage()));
        }
    }

    private List<DiskSpec> disks() throws XlConfigException {
        List<DiskSpec> disks = new ArrayList<>();
        for (String text : config.strings("disk").orElse(List.of())) {
            DiskSpec disk;
            try {
                disk = DiskSpec.parse(text);
            } catch (IllegalArgumentException e) {
                throw error("disk", String.valueOf(e.getMessage()));
            }
            for (DiskSpec other : disks) {
                if (other.device().number() == disk.device().number()) {
                    throw error("disk", "two disks are " + disk.device().name());
                }
            }
            Path file = disk.target() == null ? null : find("disk", disk.target());
            disks.add(file == null ? disk : disk.withTarget(file.toString()));
        }
        return disks;
    }

    private List<VifSpec> vifs() throws XlConfigException {
        XlSetting setting = config.setting("vif");
        List<VifSpec> vifs = new ArrayList<>();
        if (setting == null) {
            return vifs;
        }
        if (!(setting.value() instanceof XlValue.Items list)) {
            throw XlConfigException.key(setting, "expected a list, found " + setting.value().toText());
        }
        Set<Integer> numbers = new HashSet<>();
        Set<Long> addresses = new HashSet<>();
        for (XlValue item : list.items()) {
            if (!(item instanceof XlValue.Atom atom)) {
                throw XlConfigException.syntax(item.position(), "vif: expected a string, found a list");
            }
            VifSpec vif = VifSpec.parse(atom);
            // What it is called if it does not say: its place in the list, as with xl.
            VifSpec numbered = vif.withDevice(vif.device().orElse(vifs.size()));
            if (!numbers.add(numbered.device().getAsInt())) {
                throw XlConfigException.syntax(atom.position(),
                        "vif: two vifs have devid " + numbered.device().getAsInt());
            }
            if (vif.mac().isPresent() && !addresses.add(vif.mac().getAsLong())) {
                throw XlConfigException.syntax(atom.position(), "vif: two vifs have the same mac");
            }
            vif.warnings().forEach(warning -> warnings
                    .add(atom.position().lineText() + ": warning: vif: " + warning));
            vifs.add(numbered);
        }
        return vifs;
    }

    private List<ChannelSpec> channels() throws XlConfigException {
        List<ChannelSpec> channels = new ArrayList<>();
        for (String text : config.strings("channel").orElse(List.of())) {
            try {
                ChannelSpec channel = ChannelSpec.parse(text);
                String path = channel.path();
                if (path != null) {
                    channel = channel
                            .withPath(directories.getFirst().resolve(path).toAbsolutePath().normalize().toString());
                }
                channels.add(channel);
            } catch (InvalidPathException e) {
                throw error("channel", "\"" + text + "\": path: " + e.getReason());
            } catch (IllegalArgumentException e) {
                throw error("channel", "\"" + text + "\": " + e.getMessage());
            }
        }
        return channels;
    }

    private Lifecycle lifecycle() throws XlConfigException {
        Lifecycle initial = Lifecycle.DEFAULT;
        return new Lifecycle(action("on_poweroff", initial.onPoweroff()), action("on_reboot", initial.onReboot()),
                action("on_watchdog", initial.onWatchdog()), action("on_crash", initial.onCrash()),
                action("on_soft_reset", initial.onSoftReset()));
    }

    private LifecycleAction action(String key, LifecycleAction initial) throws XlConfigException {
        Optional<String> word = config.string(key);
        if (word.isEmpty()) {
            return initial;
        }
        for (LifecycleAction action : LifecycleAction.values()) {
            if (action.key().equals(word.get())) {
                return action;
            }
        }
        List<String> words = Arrays.stream(LifecycleAction.values()).map(LifecycleAction::key).toList();
        throw error(key, "expected one of " + String.join(", ", words) + ", found \"" + word.get() + "\"");
    }

    private Limits limits() throws XlConfigException {
        return new Limits(integer("max_event_channels", 0, MAX_EVENT_CHANNELS),
                integer("max_grant_frames", 0, MAX_TABLE_FRAMES), integer("max_maptrack_frames", 0, MAX_TABLE_FRAMES),
                integer("max_grant_version", 1, 2));
    }

    private OptionalInt integer(String key, long least, long most) throws XlConfigException {
        OptionalLong value = config.number(key, least, most);
        return value.isEmpty() ? OptionalInt.empty() : OptionalInt.of((int) value.getAsLong());
    }

    private void warn(XlSetting setting, String text) {
        warnings.add(setting.position().lineText() + ": warning: " + setting.key() + ": " + text);
    }

    /** Makes an error about a key, at its place if it was set. */
    private XlConfigException error(String key, String problem) {
        XlSetting setting = config.setting(key);
        return setting == null
                ? new XlConfigException(config.source() + ": " + key + ": " + problem)
                : XlConfigException.key(setting, problem);
    }
}
