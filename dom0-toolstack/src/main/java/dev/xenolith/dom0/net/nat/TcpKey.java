package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.packet.Ipv4;

/** The two ends of a connection, as the guest sees them. */
record TcpKey(int guest, int guestPort, int remote, int remotePort) {
    @Override
    public String toString() {
        return "tcp " + Ipv4.toString(guest) + ":" + guestPort + " - " + Ipv4.toString(remote) + ":" + remotePort;
    }
}
