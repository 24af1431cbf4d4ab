package dev.xenolith.benchmark;

import dev.xenolith.device.board.ClockMode;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.DomainType;
import dev.xenolith.dom0.host.Host;
import dev.xenolith.dom0.host.HostOptions;
import dev.xenolith.dom0.xl.Toolstack;
import dev.xenolith.guest.GuestImages;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.UUID;

/** A host with {@code bench} guests, for benchmarks that need a hypervisor. */
final class BenchHost implements AutoCloseable {
    private static final long GUEST_KIB = 8 << 10;

    final Host host;
    final Toolstack toolstack;

    BenchHost() {
        host = Host
                .boot(new HostOptions(1, 256, HostOptions.DEFAULT.cpuModel(), ClockMode.REAL, OptionalLong.of(1), ""));
        toolstack = host.toolstack();
    }

    /** Creates a running {@code bench} guest; returns when it takes commands. */
    BenchGuest guest(String name) throws NoSuchFileException {
        DomainConfig config = new DomainConfig(name, UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)),
                DomainType.PV, new DomainConfig.Boot(GuestImages.ofHome().image("bench"), null, ""), GUEST_KIB,
                GUEST_KIB, 1, 1, List.of(),
                new DomainConfig.Scheduling(OptionalInt.empty(), OptionalInt.empty()), DomainConfig.Lifecycle.DEFAULT,
                DomainConfig.Limits.DEFAULT, DomainConfig.Devices.NONE);
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
