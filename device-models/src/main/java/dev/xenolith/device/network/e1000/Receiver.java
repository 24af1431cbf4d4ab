package dev.xenolith.device.network.e1000;

import dev.xenolith.device.Dma;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.network.InternetChecksum;
import dev.xenolith.device.network.MacAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32;

/** Puts frames that come into the buffers of the receive ring (3.2): address filters, checksums, VLAN tags. */
final class Receiver implements Saveable {
    /** What the receiver has to do with the rest of the card. */
    interface Card {
        boolean vlanTags();

        int vlanEtherType();

        void raise(int causes);

        /** A frame has been taken, of {@code length} bytes with its check sequence. */
        void count(byte[] frame, int offset, int length);

        /** There was no buffer for one. */
        void countMissed();
    }

    /** RCTL. */
    private static final int ENABLE = 1 << 1;
    private static final int UNICAST_PROMISCUOUS = 1 << 3;
    private static final int MULTICAST_PROMISCUOUS = 1 << 4;
    private static final int LONG_FRAMES = 1 << 5;
    private static final int BROADCAST_ACCEPT = 1 << 15;
    private static final int VLAN_FILTER = 1 << 18;
    private static final int SIZE_EXTENDED = 1 << 25;
    private static final int STRIP_CRC = 1 << 26;
    /** Bits of a multicast address that select a bit of the table, by RCTL.MO. */
    private static final int[] MULTICAST_SHIFT = {4, 3, 2, 0};

    /** Descriptor: length, checksum, status, errors, VLAN tag. */
    private static final int LENGTH = 8;
    private static final int STATUS = 12;
    private static final int SPECIAL = 14;
    private static final int DONE = 1;
    private static final int END_OF_PACKET = 1 << 1;
    private static final int IGNORE_CHECKSUM = 1 << 2;
    private static final int VLAN_PACKET = 1 << 3;
    private static final int TCP_CHECKED = 1 << 5;
    private static final int IP_CHECKED = 1 << 6;
    private static final int PASSED_INEXACT = 1 << 7;
    private static final int TCP_ERROR = 1 << 13;
    private static final int IP_ERROR = 1 << 14;

    /** RXCSUM. */
    private static final int CHECK_IP = 1 << 8;
    private static final int CHECK_TCP = 1 << 9;

    private static final int HEADER = 14;
    private static final int TAG = 4;
    private static final int ADDRESSES = 12;
    private static final int MIN_FRAME = 60;
    private static final int CRC = 4;
    /** With and without RCTL.LPE, with the check sequence. */
    private static final int MAX_LONG = 16_384;
    private static final int MAX_FRAME = 1522;
    private static final long BROADCAST = 0xffff_ffff_ffffL;
    private static final int ADDRESS_COUNT = 16;
    private static final int ADDRESS_VALID = 1 << 31;
    private static final int IPV4 = 0x0800;
    private static final int TCP = 6;
    private static final int UDP = 17;

    private final Dma memory;
    private final DescriptorRing ring;
    private final Card card;
    private final MacAddress ownAddress;

    private int control;
    private int checksumControl;
    /** RAL and RAH of the sixteen addresses, the tables of multicast addresses and of VLANs. */
    private final int[] addresses = new int[2 * ADDRESS_COUNT];
    private final int[] multicast = new int[128];
    private final int[] vlans = new int[128];

    Receiver(Dma memory, DescriptorRing ring, MacAddress ownAddress, Card card) {
        this.memory = memory;
        this.ring = ring;
        this.ownAddress = ownAddress;
        this.card = card;
        reset();
    }

    void reset() {
        control = 0;
        checksumControl = 0;
        Arrays.fill(addresses, 0);
        addresses[0] = ownAddress.octet(0) | ownAddress.octet(1) << 8 | ownAddress.octet(2) << 16
                | ownAddress.octet(3) << 24;
        addresses[1] = ownAddress.octet(4) | ownAddress.octet(5) << 8 | ADDRESS_VALID;
    }

    int control() {
        return control;
    }

    void setControl(int value) { control = value; }

    int checksumControl() {
        return checksumControl;
    }

    void setChecksumControl(int value) { checksumControl = value & 0x3ff; }

    int[] addresses() {
        return addresses;
    }

    int[] multicast() {
        return multicast;
    }

    int[] vlans() {
        return vlans;
    }

    private int bufferSize() {
        int size = 2048 >>> (control >>> 16 & 3);
        return (control & SIZE_EXTENDED) != 0 ? size * 16 : size;
    }

    /** Takes a frame without check sequence; returns whether it found room, or was not for this card. */
    boolean deliver(byte[] frame, int offset, int length) {
        if ((control & ENABLE) == 0 || length < HEADER || length + CRC > MAX_LONG
                || length + CRC > MAX_FRAME && (control & LONG_FRAMES) == 0) {
            return false;
        }
        int passed = filter(frame, offset);
        boolean tagged = card.vlanTags() && length >= HEADER + TAG
                && get16(frame, offset + ADDRESSES) == card.vlanEtherType();
        int tag = tagged ? get16(frame, offset + ADDRESSES + 2) : 0;
        if (passed < 0 || tagged && (control & VLAN_FILTER) != 0
                && (vlans[tag >>> 5 & 0x7f] >>> (tag & 31) & 1) == 0) {
            return true;
        }
        byte[] wire = wire(frame, offset, length);
        int stored = wire.length - ((control & STRIP_CRC) != 0 ? CRC : 0) - (tagged ? TAG : 0);
        int size = bufferSize();
        int needed = (stored + size - 1) / size;
        if (ring.available() < needed) {
            card.countMissed();
            card.raise(Registers.RXO);
            return false;
        }
        card.count(wire, 0, wire.length);
        if (tagged) {
            System.arraycopy(wire, ADDRESSES + TAG, wire, ADDRESSES, wire.length - ADDRESSES - TAG);
        }
        int status = passed | (tagged ? VLAN_PACKET : 0) | check(wire, Math.max(length - (tagged ? TAG : 0), HEADER));
        store(wire, stored, size, status, tag);
        boolean few = ring.available() <= ring.size() >>> 1 + (control >>> 8 & 3);
        card.raise(Registers.RXT0 | (few ? Registers.RXDMT0 : 0));
        return true;
    }

    /** The frame as it is on the wire: at least 60 bytes, and the check sequence. */
    private static byte[] wire(byte[] frame, int offset, int length) {
        int padded = Math.max(length, MIN_FRAME);
        byte[] wire = new byte[padded + CRC];
        System.arraycopy(frame, offset, wire, 0, length);
        CRC32 crc = new CRC32();
        crc.update(wire, 0, padded);
        for (int i = 0; i < CRC; i++) {
            wire[padded + i] = (byte) (crc.getValue() >>> i * 8);
        }
        return wire;
    }

    private void store(byte[] wire, int stored, int size, int status, int tag) {
        for (int at = 0; at < stored; at += size) {
            int part = Math.min(size, stored - at);
            boolean last = at + part == stored;
            ByteBuffer descriptor = ring.fetch();
            long buffer = descriptor.getLong(0);
            if (buffer != 0) {
                memory.write(buffer, wire, at, part);
            }
            descriptor.putInt(LENGTH, part);
            descriptor.putShort(STATUS, (short) (last ? status | DONE | END_OF_PACKET : DONE));
            descriptor.putShort(SPECIAL, (short) (last ? tag : 0));
            ring.writeBack();
            ring.advance();
        }
    }

    /** Whether the frame is for this card: bits for the status, or -1 (3.2.1 "Packet Address Filtering"). */
    private int filter(byte[] frame, int offset) {
        long destination = MacAddress.read(frame, offset);
        boolean group = (destination >>> 40 & 1) != 0;
        for (int i = 0; i < ADDRESS_COUNT; i++) {
            if ((addresses[2 * i + 1] & ADDRESS_VALID) != 0 && addressAt(i) == destination) {
                return 0;
            }
        }
        if (destination == BROADCAST && (control & BROADCAST_ACCEPT) != 0) {
            return 0;
        }
        if ((control & (group ? MULTICAST_PROMISCUOUS : UNICAST_PROMISCUOUS)) != 0) {
            return 0;
        }
        int hash = (frame[offset + 5] & 0xff) << 8 | frame[offset + 4] & 0xff;
        int selected = hash >>> MULTICAST_SHIFT[control >>> 12 & 3] & 0xfff;
        return group && (multicast[selected >>> 5] >>> (selected & 31) & 1) != 0 ? PASSED_INEXACT : -1;
    }

    private long addressAt(int index) {
        return (long) Integer.reverseBytes(addresses[2 * index]) << 16 & 0xffff_ffff_0000L
                | Integer.reverseBytes(addresses[2 * index + 1]) >>> 16 & 0xffff;
    }

    /** Checks the sums of an IPv4 packet, if software wants it; gives bits of status and errors. */
    private int check(byte[] wire, int length) {
        int ip = HEADER;
        int words = wire[ip] & 0x0f;
        int total = get16(wire, ip + 2);
        int tcp = ip + 4 * words;
        if ((checksumControl & (CHECK_IP | CHECK_TCP)) == 0 || get16(wire, ADDRESSES) != IPV4
                || (wire[ip] & 0xf0) != 0x40 || words < 5 || total < 4 * words || ip + total > length) {
            return IGNORE_CHECKSUM;
        }
        int found = 0;
        if ((checksumControl & CHECK_IP) != 0) {
            found |= IP_CHECKED;
            if (InternetChecksum.finish(InternetChecksum.add(0, wire, ip, tcp)) != 0) {
                found |= IP_ERROR;
            }
        }
        int protocol = wire[ip + 9] & 0xff;
        boolean fragment = (get16(wire, ip + 6) & 0x3fff) != 0;
        int end = ip + total;
        boolean whole = protocol == TCP && end - tcp >= 20
                || protocol == UDP && end - tcp >= 8 && get16(wire, tcp + 6) != 0;
        if ((checksumControl & CHECK_TCP) != 0 && whole && !fragment) {
            found |= TCP_CHECKED;
            long pseudo = InternetChecksum.add((long) protocol + end - tcp, wire, ip + 12, ip + 20);
            if (InternetChecksum.finish(InternetChecksum.add(pseudo, wire, tcp, end)) != 0) {
                found |= TCP_ERROR;
            }
        }
        return found;
    }

    private static int get16(byte[] bytes, int at) {
        return (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
    }

    @Override
    public String stateName() {
        return "receiver";
    }

    @Override
    public void save(StateWriter out) {
        out.put(ring).put("control", control).put("checksumControl", checksumControl);
        out.put("addresses", addresses).put("multicast", multicast).put("vlans", vlans);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.get(ring);
        control = in.getInt("control");
        checksumControl = in.getInt("checksumControl") & 0x3ff;
        in.get("addresses", addresses);
        in.get("multicast", multicast);
        in.get("vlans", vlans);
    }
}
