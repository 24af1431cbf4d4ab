package dev.xenolith.dom0.backend.network;

import dev.xenolith.dom0.backend.BackRing;
import dev.xenolith.dom0.backend.BackendDevice;
import dev.xenolith.dom0.net.Bridge;
import dev.xenolith.dom0.net.Link;
import dev.xenolith.dom0.net.RateLimiter;
import dev.xenolith.dom0.net.packet.Gso;
import dev.xenolith.dom0.net.packet.Headers;
import dev.xenolith.dom0.net.packet.Mac;
import dev.xenolith.dom0.net.packet.Offload;
import dev.xenolith.dom0.net.packet.SoftwareOffload;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Netif;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.Grants;
import dev.xenolith.hypervisor.operations.Grants.Parts;
import org.jspecify.annotations.Nullable;

/**
 * What a guest sends. A packet is one request or several; the first says the size of the whole, and may be followed by extra information.
 * Requests are copied out of the ring once and then checked; a frontend that breaks the protocol is not served any further, as by Linux's
 * netback, while a packet that is only of no use is answered with an error.
 */
final class TransmitRing {
    static final int ENTRY = Netif.TX_REQUEST.size();

    /** Slots of a packet: what each frontend may use besides the first, and what is beyond a mistake (netback's fatal_skb_slots). */
    static final int MOST_SLOTS = 1 + Netif.SLOTS_MIN;
    static final int FATAL_SLOTS = 1 + 20;
    /** Packets that are handled before others get their turn. */
    static final int PACKETS_PER_TURN = 64;

    /** What each packet is charged, and so many bytes to a nanosecond are copied, in ns of machine time. */
    private static final long PACKET_TIME = 1_500;
    private static final int COPY_SHIFT = 3;

    private static final int OFFSET = Netif.TX_REQUEST.offset("offset");
    private static final int FLAGS = Netif.TX_REQUEST.offset("flags");
    private static final int ID = Netif.TX_REQUEST.offset("id");
    private static final int SIZE = Netif.TX_REQUEST.offset("size");
    private static final int STATUS = Netif.TX_RESPONSE.offset("status");
    private static final int EXTRA_FLAGS = Netif.EXTRA_INFO.offset("flags");
    private static final int GSO_SIZE = Netif.EXTRA_INFO.offset("u.gso.size");
    private static final int GSO_TYPE = Netif.EXTRA_INFO.offset("u.gso.type");
    private static final int GROUP = Netif.EXTRA_INFO.offset("u.mcast.addr");

    private final BackendDevice device;
    private final DomainHandle handle;
    private final Link link;
    private final @Nullable RateLimiter limiter;
    private final MulticastFilter multicast;
    private final BackRing ring;
    private final int port;

    // The packet being read.
    private final byte[] entry = new byte[ENTRY];
    private final int[] ids = new int[FATAL_SLOTS];
    private final int[] references = new int[FATAL_SLOTS];
    private final int[] offsets = new int[FATAL_SLOTS];
    private final int[] lengths = new int[FATAL_SLOTS];
    private final Parts parts = new Parts(FATAL_SLOTS);
    private int slots;
    private int extras;
    private int flags;
    private boolean erroneous;
    private Gso gso = Gso.NONE;
    private int segmentSize;
    private boolean forFilter;
    private byte[] frame = new byte[2048];

    private DomainHandle.@Nullable Timer credit;
    private boolean posted;
    private boolean closed;

    /** Serves {@code ring}, which is this object's from now on, and notifies by {@code port}. */
    TransmitRing(BackendDevice device, Link link, @Nullable RateLimiter limiter, MulticastFilter multicast,
            BackRing ring,
            int port) {
        this.device = device;
        this.handle = device.handle();
        this.link = link;
        this.limiter = limiter;
        this.multicast = multicast;
        this.ring = ring;
        this.port = port;
    }

    /** Handles what waits, as far as a turn and the rate go; the rest by itself later. */
    void serve() {
        if (closed || posted || credit != null) {
            return;
        }
        try {
            if (turn()) {
                posted = true;
                handle.post(() -> {
                    posted = false;
                    serve();
                });
            }
        } catch (FrontendException e) {
            device.fail(String.valueOf(e.getMessage()));
            return;
        }
        if (!closed && ring.publish()) {
            handle.events().send(port);
        }
    }

    /** Returns whether there may be more. */
    private boolean turn() throws FrontendException {
        for (int left = PACKETS_PER_TURN; left > 0; left--) {
            int waiting;
            do {
                waiting = ring.waiting();
            } while (waiting == 0 && ring.await());
            if (waiting < 0) {
                throw new FrontendException("the frontend's request index is not one that its transmit ring can have");
            }
            if (waiting == 0 || !packet(waiting) || closed) {
                return false;
            }
        }
        return true;
    }

    /** Handles one packet. Returns false if it has to wait for credit. */
    private boolean packet(int waiting) throws FrontendException {
        read();
        int size = Bytes.get16(entry, SIZE);
        if (limiter != null && !limiter.take(size, handle.now())) {
            ring.untake(1);
            credit = handle.at(limiter.nextCredit(), () -> {
                credit = null;
                serve();
            });
            return false;
        }
        handle.charge(PACKET_TIME + (size >> COPY_SHIFT));
        slots = 0;
        erroneous = false;
        slot(size);
        int left = readExtras(waiting - 1);
        if (forFilter) {
            // No packet at all, whatever the request says.
            answer(erroneous ? Netif.RSP_ERROR : Netif.RSP_OKAY);
            return true;
        }
        readSlots(left);
        gather(size);
        return true;
    }

    private void read() {
        ring.page().read(ring.take(), entry, 0, ENTRY);
    }

    /** Notes the slot in {@link #entry}. */
    private void slot(int length) {
        references[slots] = Bytes.get32(entry, 0);
        offsets[slots] = Bytes.get16(entry, OFFSET);
        flags = slots == 0 ? Bytes.get16(entry, FLAGS) : flags;
        lengths[slots] = length;
        ids[slots++] = Bytes.get16(entry, ID);
    }

    /** Reads the extra information behind the first slot. Returns how many requests are left. */
    private int readExtras(int waiting) throws FrontendException {
        int left = waiting;
        extras = 0;
        gso = Gso.NONE;
        segmentSize = 0;
        forFilter = false;
        boolean more = (flags & Netif.TX_EXTRA_INFO) != 0;
        while (more) {
            if (left-- == 0) {
                throw new FrontendException("the frontend announces extra information that it has not sent");
            }
            read();
            extras++;
            more = (Bytes.get8(entry, EXTRA_FLAGS) & Netif.EXTRA_FLAG_MORE) != 0;
            extra();
        }
        return left;
    }

    private void extra() throws FrontendException {
        int type = Bytes.get8(entry, 0);
        switch (type) {
            case Netif.EXTRA_TYPE_GSO -> {
                segmentSize = Bytes.get16(entry, GSO_SIZE);
                int kind = Bytes.get8(entry, GSO_TYPE);
                gso = switch (kind) {
                    case Netif.GSO_TYPE_TCPV4 -> Gso.TCPV4;
                    case Netif.GSO_TYPE_TCPV6 -> Gso.TCPV6;
                    default -> throw new FrontendException("the frontend wants segments of an unknown kind, " + kind);
                };
                if (segmentSize == 0) {
                    throw new FrontendException("the frontend wants segments of no bytes");
                }
            }
            case Netif.EXTRA_TYPE_MCAST_ADD -> {
                forFilter = true;
                erroneous |= !multicast.add(Mac.read(entry, GROUP));
            }
            case Netif.EXTRA_TYPE_MCAST_DEL -> {
                forFilter = true;
                multicast.remove(Mac.read(entry, GROUP));
            }
            case Netif.EXTRA_TYPE_HASH -> {
                // Of use to whoever chooses among queues by it.
            }
            default -> throw new FrontendException("the frontend sends extra information of unknown type " + type);
        }
    }

    /** Reads the slots behind the first, whose length is what these leave of the packet's. */
    private void readSlots(int waiting) throws FrontendException {
        int left = waiting;
        boolean more = (flags & Netif.TX_MORE_DATA) != 0;
        while (more) {
            if (left-- == 0) {
                throw new FrontendException(
                        "the frontend announces a slot " + slots + " of a packet that it has not sent");
            }
            if (slots == FATAL_SLOTS) {
                throw new FrontendException(
                        "the frontend uses more than " + FATAL_SLOTS + " slots for a packet, " + MOST_SLOTS
                                + " are the most");
            }
            read();
            int length = Bytes.get16(entry, SIZE);
            more = (Bytes.get16(entry, FLAGS) & Netif.TX_MORE_DATA) != 0;
            slot(length);
            lengths[0] -= length;
        }
        erroneous |= lengths[0] < 0 || slots > MOST_SLOTS;
        for (int i = 0; i < slots; i++) {
            if (lengths[i] >= 0 && offsets[i] + lengths[i] > Grants.PAGE) {
                throw new FrontendException("slot " + i + " of a packet, " + lengths[i] + " bytes at " + offsets[i]
                        + ", does not lie in a page");
            }
        }
    }

    /** Copies the packet out of the guest, answers, and sends it. */
    private void gather(int size) {
        if (erroneous || size < Bridge.MIN_FRAME) {
            answer(Netif.RSP_ERROR);
            return;
        }
        parts.clear();
        for (int i = 0; i < slots; i++) {
            parts.add(references[i], offsets[i], lengths[i]);
        }
        if (frame.length < size) {
            frame = new byte[Math.max(size, Math.min(2 * frame.length, 0xffff))];
        }
        if (handle.grants().copyFrom(device.frontendId(), parts, frame, 0) != 0) {
            answer(Netif.RSP_ERROR);
            return;
        }
        Offload offload = offload(size);
        answer(Netif.RSP_OKAY);
        if (offload != null) {
            link.send(frame, 0, size, offload);
        }
    }

    /** What the guest has left to do; null if that cannot be done with this frame, which is then lost. */
    private @Nullable Offload offload(int size) {
        boolean blank = (flags & Netif.TX_CSUM_BLANK) != 0;
        if (!blank && gso == Gso.NONE) {
            return (flags & Netif.TX_DATA_VALIDATED) != 0 ? Offload.VALIDATED : Offload.NONE;
        }
        Headers headers = Headers.find(frame, 0, size);
        Offload offload = headers == null ? null : headers.blank(gso, segmentSize);
        if (headers == null || offload == null
                || offload.checksumStart() + offload.checksumOffset() + Short.BYTES > size) {
            return null;
        }
        if (!blank) {
            // Some frontends compute the checksum of what is to be cut; it becomes one that is not computed.
            SoftwareOffload.putPseudoSum(frame, 0, headers);
        }
        return offload;
    }

    private void answer(int status) {
        for (int i = 0; i < slots; i++) {
            int at = ring.answer();
            ring.page().put16(at, ids[i]);
            ring.page().put16(at + STATUS, status);
            for (int j = 0; i == 0 && j < extras; j++) {
                ring.page().put16(ring.answer() + STATUS, Netif.RSP_NULL);
            }
        }
    }

    /** Touches nothing of the frontend's any more. */
    void close() {
        closed = true;
        if (credit != null) {
            credit.cancel();
            credit = null;
        }
        ring.page().unmap();
    }
}
