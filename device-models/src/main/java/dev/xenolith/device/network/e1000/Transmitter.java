package dev.xenolith.device.network.e1000;

import dev.xenolith.device.Clock;
import dev.xenolith.device.Dma;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.network.InternetChecksum;
import dev.xenolith.device.network.NetworkLink;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Sends what the transmit ring tells of (3.3, 3.4, 3.5): legacy, context and data descriptors, checksums, segments, VLAN tags. */
final class Transmitter implements Saveable {
    /** What the transmitter has to do with the rest of the card. */
    interface Card {
        /** CTRL.VME and the VLAN ether type. */
        boolean vlanTags();

        int vlanEtherType();

        void raise(int causes);

        /** A frame goes out. */
        void count(byte[] frame, int length);

        void countSegmented();
    }

    private static final int TCTL_ENABLE = 1 << 1;

    /** Commands in bits 31 to 24 of a descriptor's third word. */
    private static final int END_OF_PACKET = 1 << 24;
    private static final int INSERT_CHECKSUM = 1 << 26;
    private static final int SEGMENT = 1 << 26;
    private static final int REPORT_STATUS = 1 << 27;
    private static final int EXTENDED = 1 << 29;
    private static final int VLAN = 1 << 30;
    private static final int TYPE_DATA = 1 << 20;
    private static final int TYPE_MASK = 0xf << 20;
    private static final int CONTEXT_TCP = 1 << 24;
    private static final int CONTEXT_IPV4 = 1 << 25;
    private static final int STATUS_DONE = 1;
    /** Options of a data descriptor, in bits 15 to 8 of the fourth word. */
    private static final int OPTION_IP_CHECKSUM = 1 << 8;
    private static final int OPTION_TCP_CHECKSUM = 1 << 9;

    private static final int TAG = 4;
    private static final int ADDRESSES = 12;
    private static final int MIN_FRAME = 60;
    private static final int MAX_FRAME = 16_288;
    private static final int MAX_DATA = 1 << 18;
    private static final int IP_LENGTH = 2;
    private static final int IP_IDENTIFICATION = 4;
    private static final int IPV6_LENGTH = 4;
    private static final int IPV6_HEADER = 40;
    private static final int TCP_SEQUENCE = 4;
    private static final int TCP_FLAGS = 13;
    private static final int TCP_FIN_PSH = 0x09;
    private static final int UDP_LENGTH = 4;

    /** Descriptors in one go; the rest waits for the machine's next turn. A fetch takes about this long. */
    private static final int BATCH = 64;
    private static final long FETCH_TIME = 1_000;

    private final Dma memory;
    private final Clock clock;
    private final DescriptorRing ring;
    private final NetworkLink link;
    private final Card card;
    private final Clock.Timer work;

    private int control;
    /** The last context descriptor. */
    private final int[] context = new int[4];
    /** Data of a frame whose end has not come, and the options that its first descriptor had. */
    private byte[] data = new byte[4096];
    private int length;
    private boolean begun;
    private boolean segments;
    private int options;
    private boolean overlong;

    Transmitter(Dma memory, Clock clock, DescriptorRing ring, NetworkLink link, Card card) {
        this.memory = memory;
        this.clock = clock;
        this.ring = ring;
        this.link = link;
        this.card = card;
        work = clock.timer(this::work);
    }

    int control() {
        return control;
    }

    void setControl(int value) {
        control = value;
        tailMoved();
    }

    void reset() {
        control = 0;
        Arrays.fill(context, 0);
        work.cancel();
        forget();
    }

    private void forget() {
        length = 0;
        begun = false;
        segments = false;
        overlong = false;
        options = 0;
    }

    void tailMoved() {
        if ((control & TCTL_ENABLE) != 0 && ring.available() > 0 && !work.isArmed()) {
            work.set(clock.now() + FETCH_TIME);
        }
    }

    private void work() {
        int causes = 0;
        for (int i = 0; i < BATCH && (control & TCTL_ENABLE) != 0 && ring.available() > 0; i++) {
            ByteBuffer descriptor = ring.fetch();
            int command = descriptor.getInt(8);
            process(descriptor, command);
            if ((command & REPORT_STATUS) != 0) {
                descriptor.putInt(12, descriptor.getInt(12) | STATUS_DONE);
                ring.writeBack();
                causes |= Registers.TXDW;
            }
            ring.advance();
            if (ring.available() == 0) {
                causes |= Registers.TXQE;
            }
        }
        card.raise(causes);
        tailMoved();
    }

    private void process(ByteBuffer descriptor, int command) {
        int last = descriptor.getInt(12);
        if ((command & EXTENDED) == 0) {
            gather(descriptor.getLong(0), command & 0xffff);
            if ((command & END_OF_PACKET) != 0) {
                if ((command & INSERT_CHECKSUM) != 0) {
                    insert(data, last >>> 8 & 0xff, command >>> 16 & 0xff, 0, length);
                }
                finish(command, last >>> 16);
            }
        } else if ((command & TYPE_MASK) == TYPE_DATA) {
            if (!begun) {
                begun = true;
                segments = (command & SEGMENT) != 0;
                options = last;
            }
            gather(descriptor.getLong(0), command & 0xf_ffff);
            if ((command & END_OF_PACKET) != 0) {
                if (segments) {
                    sendSegments(command, last >>> 16);
                    forget();
                } else {
                    checksums(data, length);
                    finish(command, last >>> 16);
                }
            }
        } else {
            for (int i = 0; i < context.length; i++) {
                context[i] = descriptor.getInt(4 * i);
            }
        }
    }

    private void gather(long address, int count) {
        if (overlong || count > MAX_DATA - length) {
            overlong = true;
            return;
        }
        if (length + count > data.length) {
            data = Arrays.copyOf(data, Math.max(2 * data.length, length + count));
        }
        memory.read(address, data, length, count);
        length += count;
    }

    private void finish(int command, int tag) {
        if (!overlong && length <= MAX_FRAME) {
            send(data, length, command, tag);
        }
        forget();
    }

    private void send(byte[] frame, int bytes, int command, int tag) {
        if (bytes <= ADDRESSES) {
            return;
        }
        boolean tagged = (command & VLAN) != 0 && card.vlanTags();
        int all = Math.max(bytes + (tagged ? TAG : 0), MIN_FRAME);
        byte[] sent = new byte[all];
        if (tagged) {
            System.arraycopy(frame, 0, sent, 0, ADDRESSES);
            put16(sent, ADDRESSES, card.vlanEtherType());
            put16(sent, ADDRESSES + 2, tag);
            System.arraycopy(frame, ADDRESSES, sent, ADDRESSES + TAG, bytes - ADDRESSES);
        } else {
            System.arraycopy(frame, 0, sent, 0, bytes);
        }
        card.count(sent, all);
        link.send(sent, 0, all);
    }

    // ---- offload -------------------------------------------------------------------------------------------------------

    /** Context words: IP checksum's start, offset and end; the same of TCP; length and commands; header length and MSS. */
    private int ipStart() {
        return context[0] & 0xff;
    }

    private int tcpStart() {
        return context[1] & 0xff;
    }

    private void checksums(byte[] frame, int bytes) {
        if ((options & OPTION_IP_CHECKSUM) != 0) {
            insert(frame, ipStart(), context[0] >>> 8 & 0xff, context[0] >>> 16, bytes);
        }
        if ((options & OPTION_TCP_CHECKSUM) != 0) {
            insert(frame, tcpStart(), context[1] >>> 8 & 0xff, context[1] >>> 16, bytes);
        }
    }

    /** Puts the sum from {@code start} to {@code last} (0: the frame's end) at {@code offset}, where software has begun it. */
    private static void insert(byte[] frame, int start, int offset, int last, int bytes) {
        int end = last == 0 || last >= bytes ? bytes : last + 1;
        if (start < end && offset + 2 <= bytes) {
            put16(frame, offset, InternetChecksum.finish(InternetChecksum.add(0, frame, start, end)));
        }
    }

    /** Cuts the data after the header into segments of at most MSS bytes, each with a header of its own (3.5). */
    private void sendSegments(int command, int tag) {
        int header = context[3] >>> 8 & 0xff;
        int most = context[3] >>> 16;
        boolean ipv4 = (context[2] & CONTEXT_IPV4) != 0;
        int ip = ipStart();
        int tcp = tcpStart();
        if (overlong || most == 0 || header > length || header + most > MAX_FRAME || tcp + TCP_FLAGS >= header
                || tcp <= ip || ip + (ipv4 ? IP_IDENTIFICATION : IPV6_LENGTH) + 2 > header) {
            return;
        }
        byte[] segment = new byte[header + most];
        boolean isTcp = (context[2] & CONTEXT_TCP) != 0;
        int sequence = get32(data, tcp + TCP_SEQUENCE);
        int identification = get16(data, ip + IP_IDENTIFICATION);
        int flags = data[tcp + TCP_FLAGS];
        int sumOffset = context[1] >>> 8 & 0xff;
        int pseudo = sumOffset + 2 <= header ? get16(data, sumOffset) : 0;
        int sent = 0;
        int index = 0;
        do {
            int payload = Math.min(most, length - header - sent);
            int bytes = header + payload;
            System.arraycopy(data, 0, segment, 0, header);
            System.arraycopy(data, header + sent, segment, header, payload);
            if (ipv4) {
                put16(segment, ip + IP_LENGTH, bytes - ip);
                put16(segment, ip + IP_IDENTIFICATION, identification + index);
            } else {
                put16(segment, ip + IPV6_LENGTH, bytes - ip - IPV6_HEADER);
            }
            if (isTcp) {
                put32(segment, tcp + TCP_SEQUENCE, sequence + sent);
                boolean isLast = sent + payload == length - header;
                segment[tcp + TCP_FLAGS] = (byte) (isLast ? flags : flags & ~TCP_FIN_PSH);
            } else {
                put16(segment, tcp + UDP_LENGTH, bytes - tcp);
            }
            if ((options & OPTION_TCP_CHECKSUM) != 0 && sumOffset + 2 <= header) {
                // Software has begun the sum with the pseudo header, but for the length.
                int begun = InternetChecksum.finish((long) pseudo + bytes - tcp) ^ 0xffff;
                put16(segment, sumOffset, begun);
            }
            checksums(segment, bytes);
            send(segment, bytes, command, tag);
            sent += payload;
            index++;
        } while (sent < length - header);
        card.countSegmented();
    }

    private static int get16(byte[] bytes, int at) {
        return (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
    }

    private static int get32(byte[] bytes, int at) {
        return get16(bytes, at) << 16 | get16(bytes, at + 2);
    }

    private static void put16(byte[] bytes, int at, int value) {
        bytes[at] = (byte) (value >>> 8);
        bytes[at + 1] = (byte) value;
    }

    private static void put32(byte[] bytes, int at, int value) {
        put16(bytes, at, value >>> 16);
        put16(bytes, at + 2, value);
    }

    // ---- state ---------------------------------------------------------------------------------------------------------

    @Override
    public String stateName() {
        return "transmitter";
    }

    @Override
    public void save(StateWriter out) {
        out.put(ring).put("control", control).put("context", context).put("data", Arrays.copyOf(data, length));
        out.put("begun", begun).put("segments", segments).put("options", options).put("overlong", overlong);
        out.put("work", work);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.get(ring);
        control = in.getInt("control");
        in.get("context", context);
        byte[] held = in.getBytes("data");
        if (held.length > MAX_DATA) {
            throw new StateException("a frame of " + held.length + " bytes, more than " + MAX_DATA);
        }
        length = held.length;
        data = held.length == 0 ? new byte[4096] : held;
        begun = in.getBoolean("begun");
        segments = in.getBoolean("segments");
        options = in.getInt("options");
        overlong = in.getBoolean("overlong");
        in.get("work", work);
    }
}
