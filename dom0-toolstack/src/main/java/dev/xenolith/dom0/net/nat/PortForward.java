package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.packet.Ipv4;
import java.net.InetSocketAddress;

/**
 * A port of the host that leads to a guest, whom its clients seem to be the gateway.
 *
 * @param protocol of both
 * @param host where the host listens; port 0 lets it choose
 * @param guest the guest's address
 * @param guestPort 1..65535
 */
public record PortForward(Protocol protocol, InetSocketAddress host, int guest, int guestPort) {
    /** TCP or UDP. */
    public enum Protocol {
        TCP, UDP
    }

    @Override
    public String toString() {
        return protocol + " " + host.getHostString() + ":" + host.getPort() + " to " + Ipv4.toString(guest) + ":"
                + guestPort;
    }
}
