package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.packet.Bytes;
import dev.xenolith.dom0.net.packet.Ipv4;
import dev.xenolith.dom0.net.packet.Mac;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A DHCP server (RFC 2131, options of RFC 2132): leases by MAC address, which stay the same when they are renewed, released or
 * expire, as long as there are addresses. Relays and BOOTP clients are not answered.
 */
final class DhcpServer implements UdpService {
    static final int SERVER_PORT = 67;
    static final int CLIENT_PORT = 68;

    static final int DISCOVER = 1;
    static final int OFFER = 2;
    static final int REQUEST = 3;
    static final int DECLINE = 4;
    static final int ACK = 5;
    static final int NAK = 6;
    static final int RELEASE = 7;
    static final int INFORM = 8;

    static final int OPTION_MASK = 1;
    static final int OPTION_ROUTER = 3;
    static final int OPTION_DNS = 6;
    static final int OPTION_MTU = 26;
    static final int OPTION_BROADCAST = 28;
    static final int OPTION_REQUESTED = 50;
    static final int OPTION_LEASE = 51;
    static final int OPTION_TYPE = 53;
    static final int OPTION_SERVER = 54;

    private static final int OPTIONS = 240;
    private static final int MIN_MESSAGE = 300;
    private static final int MAGIC = 0x63825363;
    private static final int BROADCAST_FLAG = 0x8000;
    private static final long SECOND = 1_000_000_000L;
    /** So long an offered address is kept for the client, and a declined one away from others. */
    private static final long OFFER_TIME = 60 * SECOND;
    private static final long DECLINE_TIME = 600 * SECOND;

    private static final class Lease {
        final int address;
        /** Until then nobody else gets the address. */
        long expires;

        Lease(int address) {
            this.address = address;
        }
    }

    private final NatSettings settings;
    private final GuestSide guests;
    private final LongSupplier now;
    /** By MAC address, the longest unused first. */
    private final Map<Long, Lease> leases = new LinkedHashMap<>(16, 0.75f, true);
    private final Map<Integer, Long> holders = new HashMap<>();
    private final Map<Integer, Long> declined = new HashMap<>();

    /** @param now ns */
    DhcpServer(NatSettings settings, GuestSide guests, LongSupplier now) {
        this.settings = settings;
        this.guests = guests;
        this.now = now;
    }

    /** The address that a MAC address has or had; 0 if none. */
    int leaseOf(long mac) {
        Lease lease = leases.get(mac);
        return lease == null ? 0 : lease.address;
    }

    int leaseCount() {
        return leases.size();
    }

    @Override
    public void datagram(UdpDatagram datagram, long sourceMac) {
        byte[] buffer = datagram.buffer();
        int at = datagram.offset();
        // BOOTREQUEST from an Ethernet client, not through a relay.
        if (datagram.length() < OPTIONS || Bytes.get32(buffer, at) >>> 8 != 0x01_01_06
                || Bytes.get32(buffer, at + 24) != 0 || Bytes.get32(buffer, at + 236) != MAGIC) {
            return;
        }
        Map<Integer, byte[]> options = options(buffer, at + OPTIONS, at + datagram.length());
        byte[] type = options.get(OPTION_TYPE);
        long mac = Mac.read(buffer, at + 28);
        if (type == null || type.length != 1 || Mac.isGroup(mac)) {
            return;
        }
        Request request = new Request(buffer, at, mac, number(options.get(OPTION_REQUESTED)),
                number(options.get(OPTION_SERVER)));
        switch (type[0]) {
            case DISCOVER -> discover(request);
            case REQUEST -> request(request);
            case DECLINE -> decline(request);
            case RELEASE -> release(request);
            case INFORM -> reply(request, ACK, 0);
            default -> {
            }
        }
    }

    /** What a client wants; the bytes are of the datagram. */
    private record Request(byte[] buffer, int at, long mac, int requested, int server) {
        int clientAddress() {
            return Bytes.get32(buffer, at + 12);
        }

        boolean wantsBroadcast() {
            return (Bytes.get16(buffer, at + 10) & BROADCAST_FLAG) != 0;
        }
    }

    private static Map<Integer, byte[]> options(byte[] buffer, int start, int end) {
        Map<Integer, byte[]> options = new HashMap<>();
        int at = start;
        while (at < end) {
            int code = Bytes.get8(buffer, at++);
            if (code == 0) {
                continue;
            }
            if (code == 255 || at == end) {
                break;
            }
            int length = Bytes.get8(buffer, at++);
            if (at + length > end) {
                break;
            }
            byte[] value = new byte[length];
            System.arraycopy(buffer, at, value, 0, length);
            options.put(code, value);
            at += length;
        }
        return options;
    }

    private static int number(byte @Nullable [] option) {
        return option == null || option.length != 4 ? 0 : Bytes.get32(option, 0);
    }

    private void discover(Request request) {
        Lease lease = lease(request.mac, request.requested);
        if (lease != null) {
            lease.expires = Math.max(lease.expires, now.getAsLong() + OFFER_TIME);
            reply(request, OFFER, lease.address);
        }
    }

    private void request(Request request) {
        if (request.server != 0 && request.server != settings.gateway()) {
            // It has taken another server's offer.
            return;
        }
        int wanted = request.requested != 0 ? request.requested : request.clientAddress();
        Lease lease = lease(request.mac, wanted);
        if (lease != null && lease.address == wanted) {
            lease.expires = now.getAsLong() + settings.leaseSeconds() * SECOND;
            reply(request, ACK, lease.address);
        } else {
            reply(request, NAK, 0);
        }
    }

    private void release(Request request) {
        Lease lease = leases.get(request.mac);
        if (lease != null && lease.address == request.clientAddress()) {
            lease.expires = now.getAsLong();
        }
    }

    private void decline(Request request) {
        Lease lease = leases.get(request.mac);
        if (lease != null && lease.address == request.requested) {
            leases.remove(request.mac);
            holders.remove(lease.address);
            declined.put(lease.address, now.getAsLong() + DECLINE_TIME);
        }
    }

    /** The lease of a client: the one it had, the address it asks for, the next that is free, one that has expired; or null. */
    private @Nullable Lease lease(long mac, int wanted) {
        Lease lease = leases.get(mac);
        if (lease != null) {
            return lease;
        }
        if (isFree(wanted)) {
            return give(mac, wanted);
        }
        int last = Math.min(settings.broadcast() - 1 - settings.firstLease(), NatSettings.MAX_LEASES - 1);
        for (int i = 0; i <= last; i++) {
            if (isFree(settings.firstLease() + i)) {
                return give(mac, settings.firstLease() + i);
            }
        }
        long time = now.getAsLong();
        for (Map.Entry<Long, Lease> entry : leases.entrySet()) {
            if (entry.getValue().expires <= time) {
                int address = entry.getValue().address;
                leases.remove(entry.getKey());
                return give(mac, address);
            }
        }
        return null;
    }

    private boolean isFree(int address) {
        int index = address - settings.firstLease();
        if (index < 0 || index >= NatSettings.MAX_LEASES || !settings.isGuest(address)
                || holders.containsKey(address)) {
            return false;
        }
        Long until = declined.get(address);
        if (until != null && until <= now.getAsLong()) {
            declined.remove(address);
            until = null;
        }
        return until == null;
    }

    private Lease give(long mac, int address) {
        Lease lease = new Lease(address);
        lease.expires = now.getAsLong() + OFFER_TIME;
        leases.put(mac, lease);
        holders.put(address, mac);
        return lease;
    }

    private void reply(Request request, int type, int address) {
        byte[] message = new byte[MIN_MESSAGE];
        // Operation, hardware, transaction, flags, relay and client hardware address are the request's.
        System.arraycopy(request.buffer, request.at, message, 0, 44);
        Bytes.put32(message, 0, 0x02_01_06_00);
        Bytes.put16(message, 8, 0);
        if (type == NAK) {
            Bytes.put32(message, 12, 0);
        }
        Bytes.put32(message, 16, address);
        Bytes.put32(message, 20, 0);
        Bytes.put32(message, 236, MAGIC);
        ByteBuffer options = ByteBuffer.wrap(message, OPTIONS, MIN_MESSAGE - OPTIONS);
        options.put((byte) OPTION_TYPE).put((byte) 1).put((byte) type);
        put32(options, OPTION_SERVER, settings.gateway());
        if (type != NAK) {
            if (address != 0) {
                put32(options, OPTION_LEASE, settings.leaseSeconds());
            }
            put32(options, OPTION_MASK, settings.mask());
            put32(options, OPTION_ROUTER, settings.gateway());
            put32(options, OPTION_DNS, settings.dns());
            put32(options, OPTION_BROADCAST, settings.broadcast());
            options.put((byte) OPTION_MTU).put((byte) 2).putShort((short) settings.mtu());
        }
        options.put((byte) 255);
        send(request, type, address, message);
    }

    /** RFC 2131 4.1: where a client can hear the answer. */
    private void send(Request request, int type, int address, byte[] message) {
        int to = -1;
        long mac = Mac.BROADCAST;
        if (type != NAK && request.clientAddress() != 0) {
            to = request.clientAddress();
            mac = request.mac;
        } else if (type != NAK && !request.wantsBroadcast() && address != 0) {
            to = address;
            mac = request.mac;
        }
        guests.sendUdp(settings.gateway(), SERVER_PORT, to, CLIENT_PORT, message, mac);
    }

    private static void put32(ByteBuffer options, int code, int value) {
        options.put((byte) code).put((byte) 4).putInt(value);
    }

    @Override
    public String toString() {
        return "dhcp at " + Ipv4.toString(settings.gateway());
    }
}
