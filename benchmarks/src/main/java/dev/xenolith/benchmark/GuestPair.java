package dev.xenolith.benchmark;

import dev.xenolith.dom0.config.DomainConfig.Devices;
import dev.xenolith.dom0.config.VifSpec;
import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.dom0.xl.Xenstore;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Locale;

/** Two {@code bench} guests on one processor, who know each other: one asks, the other one answers, and offers pages. */
final class GuestPair {
    private static final int CLIENT_VCPUS = 2;
    private static final long FIRST_MAC = 0x00_16_3e_00_00_01L;

    final BenchGuest client;
    private final BenchGuest server;
    private final boolean network;

    private GuestPair(BenchHost host, boolean network) throws NoSuchFileException, XenstoreException {
        this.network = network;
        client = host.guest("client", CLIENT_VCPUS, devices(FIRST_MAC));
        server = host.guest("server", 1, devices(serverMac()));
        server.run("serve " + client.domid);
        try (Xenstore store = host.toolstack.xenstore()) {
            String data = "/local/domain/" + server.domid + "/data/";
            client.run("bind " + server.domid + ' ' + store.readText(data + "port") + ' '
                    + store.readText(data + "grants"));
        }
        if (network) {
            server.run("up");
            client.run("up");
        }
    }

    /** Without devices. */
    static GuestPair on(BenchHost host) throws NoSuchFileException, XenstoreException {
        return new GuestPair(host, false);
    }

    /** Each with an interface on the same bridge. */
    static GuestPair onBridge(BenchHost host) throws NoSuchFileException, XenstoreException {
        return new GuestPair(host, true);
    }

    private Devices devices(long mac) {
        return network ? new Devices(List.of(), List.of(VifSpec.DEFAULT.withMac(mac).withDevice(0))) : Devices.NONE;
    }

    private static long serverMac() {
        return FIRST_MAC + 1;
    }

    /** Sends frames from the client to the server; returns when it has received them all. */
    void send(int frames, int bytes) {
        server.run("receive " + bytes);
        client.run(String.format(Locale.ROOT, "send %d %d 0x%x", frames, bytes, serverMac()));
    }
}
