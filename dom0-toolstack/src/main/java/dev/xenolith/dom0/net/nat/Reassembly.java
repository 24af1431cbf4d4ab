package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.packet.Bytes;
import java.util.BitSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Puts the fragments of IPv4 packets together (RFC 791 3.2), a bounded number of packets at a time. Fragments that overlap with
 * different lengths or leave the packet's bounds make the packet be forgotten.
 */
final class Reassembly {
    /** Packets in pieces; a new one takes the place of the oldest. */
    static final int MAX_PACKETS = 16;

    /** So long may the pieces of a packet take to come, ns (RFC 1122 3.3.2 asks for one to two minutes; Linux takes half a minute). */
    static final long TIMEOUT = 30_000_000_000L;

    private static final int MAX_PAYLOAD = 65_515;
    private static final int UNIT = 8;

    private record Key(int source, int destination, int protocol, int identification) {
    }

    private static final class Pieces {
        final long since;
        /** Eight-byte units that are here. */
        final BitSet units = new BitSet();
        byte[] payload = {};
        int length = -1;

        Pieces(long since) {
            this.since = since;
        }

        void reserve(int end) {
            if (end > payload.length) {
                byte[] larger = new byte[Math.min(Math.max(end, 2 * payload.length), MAX_PAYLOAD)];
                System.arraycopy(payload, 0, larger, 0, payload.length);
                payload = larger;
            }
        }
    }

    private final Map<Key, Pieces> packets = new LinkedHashMap<>();

    int size() {
        return packets.size();
    }

    /**
     * Takes a fragment.
     *
     * @param header where its IP header begins in the packet's buffer
     * @param now ns
     * @return the whole packet if it is complete, else null
     */
    @Nullable
    IpPacket add(IpPacket fragment, int header, long now) {
        expire(now);
        int field = Bytes.get16(fragment.buffer(), header + 6);
        int start = (field & 0x1fff) * UNIT;
        boolean more = (field & 0x2000) != 0;
        int end = start + fragment.length();
        Key key = new Key(fragment.source(), fragment.destination(), fragment.protocol(),
                Bytes.get16(fragment.buffer(), header + 4));
        if (end > MAX_PAYLOAD || fragment.length() == 0 || more && fragment.length() % UNIT != 0) {
            packets.remove(key);
            return null;
        }
        Pieces pieces = packets.get(key);
        if (pieces == null) {
            if (packets.size() == MAX_PACKETS) {
                packets.remove(packets.keySet().iterator().next());
            }
            pieces = new Pieces(now);
            packets.put(key, pieces);
        }
        if (pieces.length >= 0 && (more ? end > pieces.length : end != pieces.length)
                || !more && pieces.units.length() * UNIT > end + UNIT - 1) {
            packets.remove(key);
            return null;
        }
        pieces.reserve(end);
        System.arraycopy(fragment.buffer(), fragment.offset(), pieces.payload, start, fragment.length());
        pieces.units.set(start / UNIT, (end + UNIT - 1) / UNIT);
        if (!more) {
            pieces.length = end;
        }
        if (pieces.length < 0 || pieces.units.nextClearBit(0) * UNIT < pieces.length) {
            return null;
        }
        packets.remove(key);
        return new IpPacket(fragment.source(), fragment.destination(), fragment.protocol(), fragment.timeToLive(),
                false, pieces.payload, 0, pieces.length);
    }

    private void expire(long now) {
        Iterator<Pieces> oldest = packets.values().iterator();
        while (oldest.hasNext() && now - oldest.next().since >= TIMEOUT) {
            oldest.remove();
        }
    }
}
