package dev.xenolith.benchmark;

import dev.xenolith.cpu.translate.Translation;
import dev.xenolith.device.board.ClockMode;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.DomainConfig.Devices;
import dev.xenolith.dom0.config.DomainType;
import dev.xenolith.dom0.host.Host;
import dev.xenolith.dom0.host.HostOptions;
import dev.xenolith.dom0.host.NetworkOptions;
import dev.xenolith.dom0.net.Bridges;
import dev.xenolith.dom0.xl.Toolstack;
import dev.xenolith.guest.GuestImages;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.UUID;

/** A host with {@code bench} guests, for benchmarks that need a hypervisor; its one bridge leads nowhere. */
final class BenchHost implements AutoCloseable {
    private static final long GUEST_KIB = 8 << 10;
    private static final int MEMORY_MIB = 256;

    final Host host;
    final Toolstack toolstack;

    /** One whose time is that of the real host, as measuring needs it. */
    BenchHost() {
        this(ClockMode.REAL);
    }

    BenchHost(ClockMode clock) {
        NetworkOptions network = new NetworkOptions(
                Map.of(Bridges.DEFAULT_NAME, new NetworkOptions.Outside.None()), List.of());
        host = Host.boot(new HostOptions(1, MEMORY_MIB, HostOptions.DEFAULT.cpuModel(), clock, OptionalLong.of(1), "",
                Translation.byDefault(), network));
        toolstack = host.toolstack();
    }

    /** Creates a running {@code bench} guest; returns when it takes commands. */
    BenchGuest guest(String name, int vcpus, Devices devices) throws NoSuchFileException {
        DomainConfig config = new DomainConfig(name, UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)),
                DomainType.PV, new DomainConfig.Boot(GuestImages.ofHome().image("bench"), null, ""), GUEST_KIB,
                GUEST_KIB, vcpus, vcpus, List.of(),
                new DomainConfig.Scheduling(OptionalInt.empty(), OptionalInt.empty()), DomainConfig.Lifecycle.DEFAULT,
                DomainConfig.Limits.DEFAULT, devices);
        int domid = toolstack.create(config);
        BenchGuest guest = new BenchGuest(toolstack, domid);
        toolstack.unpause(domid);
        guest.await("ready");
        return guest;
    }

    @Override
    public void close() {
        host.close();
    }
}
