package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.packet.Ipv4;
import java.net.InetAddress;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** Which host a guest means by an address, and what it calls a host: the gateway is the host's loopback interface. */
record HostAddresses(NatSettings settings) {
    /** The host that a guest means; null if it must not or cannot be reached: another guest, loopback, no host. */
    @Nullable
    InetAddress toHost(int address) {
        if (address == settings.gateway()) {
            return InetAddress.ofLiteral("127.0.0.1");
        }
        return settings.isInside(address) || Ipv4.isLoopback(address) || Ipv4.isNoHost(address)
                ? null
                : Ipv4.toInetAddress(address);
    }

    /** What guests call a host; empty if they cannot, for it has an address of IPv6 or of their subnet. */
    OptionalInt toGuest(InetAddress host) {
        OptionalInt address = Ipv4.of(host);
        if (address.isPresent() && Ipv4.isLoopback(address.getAsInt())) {
            return OptionalInt.of(settings.gateway());
        }
        return address.isPresent() && settings.isInside(address.getAsInt()) ? OptionalInt.empty() : address;
    }
}
