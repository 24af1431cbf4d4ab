package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.Bridge;
import dev.xenolith.dom0.net.Link;
import dev.xenolith.dom0.net.NetworkException;
import dev.xenolith.dom0.net.NetworkPort;
import dev.xenolith.dom0.net.TestContext;
import dev.xenolith.dom0.net.packet.Offload;
import dev.xenolith.dom0.net.packet.OffloadFeatures;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * A guest's network stack, written for tests and apart from what it tests: Ethernet, ARP, IPv4 without fragments, UDP, ICMP, and TCP in
 * {@link GuestTcp}. Its link can delay, lose, double and reorder frames. Whatever is wrong with a frame that comes is noted in
 * {@link #complaints}.
 */
final class GuestStack implements NetworkPort {
    /** How bad a link is: probabilities that a frame is lost or doubled, and the most that it is late, ns. */
    record Weather(double loss, double doubling, long delay) {
        static final Weather FINE = new Weather(0, 0, 0);
    }

    record Udp(int source, int sourcePort, int destinationPort, byte[] data) {
    }

    final TestContext context;
    final int address;
    final long mac;
    final Link link;
    final List<String> complaints = new ArrayList<>();
    final List<Udp> datagrams = new ArrayList<>();
    final List<byte[]> icmp = new ArrayList<>();
    final List<byte[]> fragments = new ArrayList<>();
    final Map<Long, GuestTcp> sockets = new HashMap<>();
    final Map<Integer, List<GuestTcp>> listeners = new HashMap<>();
    final List<byte[]> resets = new ArrayList<>();
    private final SplittableRandom random;
    private final OffloadFeatures features;
    private Weather weather = Weather.FINE;
    private long gatewayMac = 0x52550a000202L;
    boolean silent;
    long framesSeen;
    long gsoSeen;

    GuestStack(TestContext context, Bridge bridge, int address, OffloadFeatures features, long seed)
            throws NetworkException {
        this.context = context;
        this.address = address;
        this.features = features;
        mac = 0x00163e000000L | address & 0xffff;
        random = new SplittableRandom(seed);
        link = bridge.attach(this);
    }

    static int ip(String text) {
        int value = 0;
        for (String part : text.split("\\.")) {
            value = value << 8 | Integer.parseInt(part);
        }
        return value;
    }

    void setWeather(Weather newWeather) { weather = newWeather; }

    @Override
    public String name() {
        return "guest";
    }

    @Override
    public OffloadFeatures features() {
        return features;
    }

    // Sending

    private void through(Runnable delivery) {
        if (weather.loss > 0 && random.nextDouble() < weather.loss) {
            return;
        }
        int copies = weather.doubling > 0 && random.nextDouble() < weather.doubling ? 2 : 1;
        for (int i = 0; i < copies; i++) {
            if (weather.delay == 0) {
                context.post(delivery);
            } else {
                // Mostly in order, now and then late.
                long late = random.nextInt(20) == 0 ? random.nextLong(weather.delay) : 0;
                context.at(context.now() + weather.delay / 4 + late, delivery);
            }
        }
    }

    void sendFrame(byte[] frame) {
        sendFrame(frame, Offload.NONE);
    }

    void sendFrame(byte[] frame, Offload offload) {
        through(() -> link.send(frame, 0, frame.length, offload));
    }

    ByteBuffer frame(long to, int type, int length) {
        ByteBuffer frame = ByteBuffer.allocate(14 + length);
        putMac(frame, to);
        putMac(frame, mac);
        return frame.putShort((short) type);
    }

    static void putMac(ByteBuffer buffer, long mac) {
        buffer.putShort((short) (mac >> 32)).putInt((int) mac);
    }

    void sendArpRequest(int target) {
        ByteBuffer arp = frame(0xffffffffffffL, 0x0806, 28).putInt(0x00010800).putInt(0x06040001);
        putMac(arp, mac);
        arp.putInt(address);
        putMac(arp, 0);
        sendFrame(arp.putInt(target).array());
    }

    void sendIp(int source, int destination, int protocol, byte[] payload, long to) {
        ByteBuffer frame = frame(to, 0x0800, 20 + payload.length);
        frame.put(ipHeader(source, destination, protocol, payload.length, 0, 64)).put(payload);
        sendFrame(frame.array());
    }

    static byte[] ipHeader(int source, int destination, int protocol, int length, int fragment, int ttl) {
        ByteBuffer header = ByteBuffer.allocate(20).putShort((short) 0x4500).putShort((short) (20 + length))
                .putShort((short) 77).putShort((short) fragment).put((byte) ttl).put((byte) protocol)
                .putShort((short) 0).putInt(source).putInt(destination);
        header.putShort(10, (short) checksum(header.array(), 0));
        return header.array();
    }

    void sendIp(int destination, int protocol, byte[] payload) {
        sendIp(address, destination, protocol, payload, gatewayMac);
    }

    /** The checksum the slow way: two bytes at a time. */
    static int checksum(byte[] bytes, long start) {
        long sum = start;
        for (int i = 0; i < bytes.length; i++) {
            sum += (bytes[i] & 0xff) << (i % 2 == 0 ? 8 : 0);
        }
        while (sum >> 16 != 0) {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        return (int) ~sum & 0xffff;
    }

    static long pseudo(int source, int destination, int protocol, int length) {
        return (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol + length;
    }

    void sendUdp(int sourcePort, int destination, int port, byte[] data) {
        sendIp(destination, 17, udp(address, sourcePort, destination, port, data));
    }

    static byte[] udp(int source, int sourcePort, int destination, int port, byte[] data) {
        ByteBuffer udp = ByteBuffer.allocate(8 + data.length).putShort((short) sourcePort).putShort((short) port)
                .putShort((short) (8 + data.length)).putShort((short) 0).put(data);
        udp.putShort(6, (short) checksum(udp.array(), pseudo(source, destination, 17, 8 + data.length)));
        return udp.array();
    }

    void sendTcp(byte[] segment, int destination) {
        ByteBuffer.wrap(segment).putShort(16, (short) 0);
        ByteBuffer.wrap(segment).putShort(16,
                (short) checksum(segment, pseudo(address, destination, 6, segment.length)));
        sendIp(destination, 6, segment);
    }

    void ping(int destination, byte[] data) {
        ByteBuffer echo = ByteBuffer.allocate(8 + data.length).putInt(0x0800_0000).putInt(0x1234_0001).put(data);
        echo.putShort(2, (short) checksum(echo.array(), 0));
        sendIp(destination, 1, echo.array());
    }

    GuestTcp connect(int destination, int port, int sourcePort) {
        GuestTcp socket = new GuestTcp(this, destination, port, sourcePort, random.nextInt());
        sockets.put(key(destination, port, sourcePort), socket);
        socket.connect();
        return socket;
    }

    private static long key(int remote, int remotePort, int port) {
        return (long) remote << 32 | (long) remotePort << 16 | port;
    }

    void listen(int port) {
        listeners.put(port, new ArrayList<>());
    }

    // Receiving

    @Override
    public boolean deliver(byte[] buffer, int offset, int length, Offload offload) {
        byte[] frame = Arrays.copyOfRange(buffer, offset, offset + length);
        through(() -> receive(frame, offload));
        return true;
    }

    private void complain(String what) {
        complaints.add(what);
    }

    private void receive(byte[] frame, Offload offload) {
        framesSeen++;
        if (silent) {
            return;
        }
        ByteBuffer in = ByteBuffer.wrap(frame);
        int type = in.getShort(12) & 0xffff;
        if (type == 0x0806) {
            arp(in);
        } else if (type == 0x0800) {
            ip(frame, in, offload);
        } else {
            complain("type " + type);
        }
    }

    private void arp(ByteBuffer in) {
        if (in.getShort(20) == 1 && in.getInt(38) == address) {
            ByteBuffer reply = frame(gatewayMac, 0x0806, 28).putInt(0x00010800).putInt(0x06040002);
            putMac(reply, mac);
            reply.putInt(address);
            putMac(reply, gatewayMac);
            sendFrame(reply.putInt(in.getInt(28)).array());
        } else if (in.getShort(20) == 2) {
            gatewayMac = (long) in.getShort(22) << 32 & 0xffff00000000L | in.getInt(24) & 0xffffffffL;
        }
    }

    private void ip(byte[] frame, ByteBuffer in, Offload offload) {
        int total = in.getShort(16) & 0xffff;
        if (in.get(14) != 0x45 || checksum(Arrays.copyOfRange(frame, 14, 34), 0) != 0 || 14 + total > frame.length) {
            complain("bad IP header");
            return;
        }
        if (!offload.isGso() && total > 1500) {
            complain("a packet of " + total + " bytes");
        }
        if ((in.getShort(20) & 0x3fff) != 0) {
            fragments.add(frame);
            return;
        }
        int source = in.getInt(26);
        int destination = in.getInt(30);
        if (destination != address && destination != -1) {
            complain("not for us");
            return;
        }
        byte[] payload = Arrays.copyOfRange(frame, 34, 14 + total);
        int protocol = in.get(23);
        if (protocol == 1) {
            if (checksum(payload, 0) != 0) {
                complain("bad ICMP checksum");
            }
            icmp.add(payload);
            return;
        }
        long pseudo = pseudo(source, destination, protocol, payload.length);
        int field = protocol == 6 ? 16 : 6;
        if (offload.isBlank()) {
            // What is in the field is the sum of the pseudo header.
            int held = ByteBuffer.wrap(payload).getShort(field) & 0xffff;
            if ((checksum(new byte[0], pseudo) ^ 0xffff) != held || offload.checksumStart() != 34
                    || offload.checksumOffset() != field) {
                complain("bad blank checksum");
            }
        } else if (checksum(payload, pseudo) != 0) {
            complain("bad checksum, protocol " + protocol);
            return;
        }
        if (protocol == 17) {
            ByteBuffer udp = ByteBuffer.wrap(payload);
            datagrams.add(new Udp(source, udp.getShort(0) & 0xffff, udp.getShort(2) & 0xffff,
                    Arrays.copyOfRange(payload, 8, udp.getShort(4) & 0xffff)));
        } else if (protocol == 6) {
            gsoSeen += offload.isGso() ? 1 : 0;
            tcp(source, payload);
        } else {
            complain("protocol " + protocol);
        }
    }

    private void tcp(int source, byte[] segment) {
        ByteBuffer in = ByteBuffer.wrap(segment);
        int remotePort = in.getShort(0) & 0xffff;
        int port = in.getShort(2) & 0xffff;
        int flags = in.get(13);
        GuestTcp socket = sockets.get(key(source, remotePort, port));
        List<GuestTcp> accepted = listeners.get(port);
        if (socket == null && accepted != null && (flags & 0x12) == 0x02) {
            socket = new GuestTcp(this, source, remotePort, port, random.nextInt());
            sockets.put(key(source, remotePort, port), socket);
            accepted.add(socket);
        }
        if (socket != null) {
            socket.input(segment);
        } else if ((flags & 0x04) == 0) {
            ByteBuffer reset = ByteBuffer.allocate(20).putShort((short) port).putShort((short) remotePort)
                    .putInt((flags & 0x10) != 0 ? in.getInt(8) : 0).putInt(in.getInt(4) + 1).putShort((short) 0x5014)
                    .putShort((short) 0).putInt(0);
            sendTcp(reset.array(), source);
        } else {
            resets.add(segment);
        }
    }

    @Nullable
    Udp lastDatagram() {
        return datagrams.isEmpty() ? null : datagrams.getLast();
    }
}
