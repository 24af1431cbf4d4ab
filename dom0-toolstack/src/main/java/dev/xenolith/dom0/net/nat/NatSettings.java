package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.packet.Ipv4;
import java.net.InetSocketAddress;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a NAT is to its guests.
 *
 * @param network of the guests' subnet, its host bits zero
 * @param prefix length of the network part, 8..28
 * @param gateway the router and DHCP server, by which guests also reach the host's loopback interface
 * @param dns the name server
 * @param firstLease the first address that DHCP gives; the last is the last of the subnet
 * @param leaseSeconds how long, from 60 on
 * @param mtu of the guests' link, 576..9000
 * @param resolver the host's name server, to which queries are sent on; empty to let Java's resolver answer them
 */
public record NatSettings(int network, int prefix, int gateway, int dns, int firstLease, int leaseSeconds, int mtu,
        Optional<InetSocketAddress> resolver) {
    /** So many addresses are leased at most. */
    static final int MAX_LEASES = 1024;

    private static final int GATEWAY = 2;
    private static final int DNS = 3;
    private static final int FIRST_LEASE = 15;
    private static final int DAY = 86_400;
    private static final int DEFAULT_MTU = 1500;

    /** @throws IllegalArgumentException naming what does not fit */
    public NatSettings {
        require(prefix >= 8 && prefix <= 28, "a prefix of 8 to 28 bits", prefix);
        require((network & ~mask(prefix)) == 0, "a network without host bits", Ipv4.toString(network));
        for (int address : new int[]{gateway, dns, firstLease}) {
            boolean inside = (address & mask(prefix)) == network && address != network
                    && address != (network | ~mask(prefix));
            require(inside, "an address in " + Ipv4.toString(network) + "/" + prefix, Ipv4.toString(address));
        }
        require(gateway != dns, "another address for the name server than the gateway's", Ipv4.toString(dns));
        require(leaseSeconds >= 60, "a lease of at least 60 seconds", leaseSeconds);
        require(mtu >= 576 && mtu <= 9000, "an MTU of 576 to 9000", mtu);
    }

    /** 10.0.2.0/24 with the gateway 10.0.2.2 and the name server 10.0.2.3, and the host's resolver. */
    public static NatSettings standard() {
        return subnet(10 << 24 | 2 << 8, 24);
    }

    /** A subnet with the gateway at .2, the name server at .3 and leases from .15 on (in one of 28 bits from .4 on). */
    public static NatSettings subnet(int network, int prefix) {
        int lease = prefix > 27 ? DNS + 1 : FIRST_LEASE;
        return new NatSettings(network, prefix, network | GATEWAY, network | DNS, network | lease, DAY, DEFAULT_MTU,
                ResolverFile.system());
    }

    /**
     * Parses a subnet such as {@code 10.0.2.0/24}.
     *
     * @throws IllegalArgumentException with what was expected and found
     */
    public static NatSettings parse(String text) {
        int slash = text.indexOf('/');
        var network = Ipv4.parse(slash < 0 ? text : text.substring(0, slash));
        String prefix = slash < 0 ? "" : text.substring(slash + 1);
        if (network.isEmpty() || !prefix.matches("[0-9]{1,2}")) {
            throw new IllegalArgumentException("expected a subnet such as 10.0.2.0/24, found \"" + text + "\"");
        }
        return subnet(network.getAsInt(), Integer.parseInt(prefix));
    }

    /** The same with another name server of the host; null for Java's resolver. */
    public NatSettings withResolver(@Nullable InetSocketAddress address) {
        return new NatSettings(network, prefix, gateway, dns, firstLease, leaseSeconds, mtu,
                Optional.ofNullable(address));
    }

    /** The subnet mask. */
    int mask() {
        return mask(prefix);
    }

    private static int mask(int prefix) {
        return -1 << 32 - prefix;
    }

    int broadcast() {
        return network | ~mask();
    }

    boolean isInside(int address) {
        return (address & mask()) == network;
    }

    /** Whether a guest may have this address. */
    public boolean isGuest(int address) {
        return isInside(address) && address != network && address != broadcast() && address != gateway
                && address != dns;
    }

    private static void require(boolean fits, String expected, Object found) {
        if (!fits) {
            throw new IllegalArgumentException("expected " + expected + ", found " + found);
        }
    }
}
