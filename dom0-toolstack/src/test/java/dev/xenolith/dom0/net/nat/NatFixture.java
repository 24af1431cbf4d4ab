package dev.xenolith.dom0.net.nat;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.net.Bridge;
import dev.xenolith.dom0.net.NetworkException;
import dev.xenolith.dom0.net.TestContext;
import dev.xenolith.dom0.net.packet.OffloadFeatures;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.random.RandomGenerator;

/** A bridge with a NAT and a guest. */
final class NatFixture implements AutoCloseable {
    static final int GATEWAY = GuestStack.ip("10.0.2.2");
    static final int DNS = GuestStack.ip("10.0.2.3");
    static final int GUEST = GuestStack.ip("10.0.2.15");

    final TestContext context;
    final Bridge bridge;
    final HostSockets sockets;
    final UserModeNat nat;
    final GuestStack guest;

    NatFixture() throws NetworkException {
        this(NatSettings.standard(), OffloadFeatures.NONE, 1);
    }

    NatFixture(NatSettings settings, OffloadFeatures features, long seed) throws NetworkException {
        this(settings, features, seed, new TestContext(seed));
    }

    /** Sequence numbers of the NAT begin shortly before they wrap. */
    static NatFixture aboutToWrap(OffloadFeatures features) throws NetworkException {
        RandomGenerator high = () -> 0xffff_f000_0000_0000L;
        return new NatFixture(NatSettings.standard(), features, 1, new TestContext(high));
    }

    private NatFixture(NatSettings settings, OffloadFeatures features, long seed, TestContext context)
            throws NetworkException {
        this.context = context;
        bridge = new Bridge("xenbr0", context::now);
        sockets = new HostSockets(context);
        nat = UserModeNat.attach(bridge, context, settings, sockets, LOOKUP);
        guest = new GuestStack(context, bridge, GUEST, features, seed);
    }

    /** Knows one host. */
    static final DnsResponder.Lookup LOOKUP = new DnsResponder.Lookup() {
        @Override
        public InetAddress[] addresses(String name) throws UnknownHostException {
            if (!name.equals("known.example")) {
                throw new UnknownHostException(name);
            }
            return new InetAddress[]{InetAddress.ofLiteral("192.0.2.1"), InetAddress.ofLiteral("192.0.2.2"),
                InetAddress.ofLiteral("2001:db8::1")};
        }

        @Override
        public String name(InetAddress address) {
            return address.getHostAddress().equals("192.0.2.1") ? "known.example" : address.getHostAddress();
        }
    };

    void assertNothingLeft() {
        assertThat(guest.complaints).isEmpty();
        assertThat(nat.tcp().size()).as("connections").isZero();
        assertThat(nat.tcp().budgetLeft()).as("budget").isEqualTo(TcpNat.BUFFER_BYTES);
    }

    @Override
    public void close() {
        nat.close();
        sockets.close();
        assertThat(nat.tcp().budgetLeft()).as("budget").isEqualTo(TcpNat.BUFFER_BYTES);
    }
}
