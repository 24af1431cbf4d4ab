package dev.xenolith.dom0.net;

import dev.xenolith.dom0.net.packet.Mac;
import dev.xenolith.dom0.net.packet.Offload;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A learning bridge (IEEE 802.1D without a spanning tree): a frame goes to the port behind which its destination was last seen, or
 * else to all but its own. VLAN tags are payload. Addresses age on machine time. Machine thread only.
 */
public final class Bridge {
    /** Destination, source and type. */
    public static final int MIN_FRAME = 14;

    /** An IP packet of 65,535 bytes with two VLAN tags. */
    public static final int MAX_FRAME = 65_535 + 14 + 2 * 4;

    /** Most ports of a bridge. */
    public static final int MAX_PORTS = 1024;

    /** Most addresses that a bridge knows; further ones are flooded to until older ones age. */
    public static final int MAX_ADDRESSES = 4096;

    /** An address is forgotten so long after it was last seen, ns. */
    public static final long AGEING = 300_000_000_000L;

    /** Frames sent from within the delivery of others, from within theirs and so on; deeper ones are dropped. */
    static final int MAX_DEPTH = 8;

    /** 01:80:c2:00:00:01 to 0f: for the neighbour at the other end of the link only (802.1D table 7-10). */
    private static final long LINK_LOCAL = 0x0180c2_000000L;

    /**
     * What has passed.
     *
     * @param forwarded frames to one port
     * @param flooded frames to all ports, group addresses among them
     * @param filtered frames that go nowhere: to where they came from, or for the neighbour on the link only
     * @param tooDeep frames that answered answers too deeply
     * @param unlearned source addresses that there was no room for
     */
    public record Counters(long forwarded, long flooded, long filtered, long tooDeep, long unlearned) {
    }

    private final String name;
    private final LongSupplier now;
    private final MacTable<Link> addresses = new MacTable<>(MAX_ADDRESSES, AGEING);
    /** Never changed, only replaced: a port may come or go while a frame is flooded. */
    private List<Link> links = List.of();
    private int depth;
    private long forwarded;
    private long flooded;
    private long filtered;
    private long tooDeep;
    private long unlearned;

    /** @param now machine time, ns */
    public Bridge(String name, LongSupplier now) {
        this.name = name;
        this.now = now;
    }

    public String name() {
        return name;
    }

    public List<Link> links() {
        return links;
    }

    /** Addresses known at present, aged ones perhaps among them. */
    public int addressCount() {
        return addresses.size();
    }

    /** The port behind which {@code mac} was last seen, or null. */
    public @Nullable Link find(long mac) {
        return addresses.find(mac, now.getAsLong());
    }

    public Counters counters() {
        return new Counters(forwarded, flooded, filtered, tooDeep, unlearned);
    }

    /**
     * Attaches a port; it gets frames from now on.
     *
     * @throws NetworkException the bridge has {@value #MAX_PORTS} already
     */
    public Link attach(NetworkPort port) throws NetworkException {
        if (links.size() == MAX_PORTS) {
            throw new NetworkException(name + ": no room for " + port.name() + ", it has " + MAX_PORTS + " ports");
        }
        Link link = new Link(this, port);
        Link[] more = links.toArray(new Link[links.size() + 1]);
        more[more.length - 1] = link;
        links = List.of(more);
        return link;
    }

    void remove(Link link) {
        links = links.stream().filter(other -> other != link).toList();
        addresses.forget(link);
    }

    /** Forwards a frame whose length is in bounds; false if its source or offload is not. */
    boolean forward(Link from, byte[] frame, int offset, int length, Offload offload) {
        long source = Mac.read(frame, offset + Mac.LENGTH);
        if (Mac.isGroup(source) || offload.checksumStart() + offload.checksumOffset() > length - 2) {
            return false;
        }
        long time = now.getAsLong();
        if (!addresses.learn(source, from, time)) {
            unlearned++;
        }
        if (depth == MAX_DEPTH) {
            tooDeep++;
            return true;
        }
        depth++;
        try {
            route(from, Mac.read(frame, offset), time, frame, offset, length, offload);
        } finally {
            depth--;
        }
        return true;
    }

    private void route(Link from, long destination, long time, byte[] frame, int offset, int length, Offload offload) {
        Link to = Mac.isGroup(destination) ? null : addresses.find(destination, time);
        if (to == from || destination > LINK_LOCAL && destination <= (LINK_LOCAL | 0xf)) {
            filtered++;
        } else if (to != null) {
            forwarded++;
            to.deliver(frame, offset, length, offload);
        } else {
            flooded++;
            List<Link> all = links;
            for (int i = 0; i < all.size(); i++) {
                Link link = all.get(i);
                if (link != from) {
                    link.deliver(frame, offset, length, offload);
                }
            }
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
