package dev.xenolith.dom0.net.nat;

import dev.xenolith.hypervisor.operations.DomainHandle;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * A guest's TCP connection, as simple as it can be and still come through loss: a fixed window of segments, one timer, go back to
 * the first that is not acknowledged, early segments kept in a map. Sequence numbers are long offsets from the initial ones.
 */
final class GuestTcp {
    private static final int MSS = 1400;
    private static final long TIMEOUT = 30_000_000L;

    private final GuestStack stack;
    private final int remote;
    private final int remotePort;
    private final int port;
    private final int initial;
    private int initialRemote;
    boolean connected;
    boolean reset;
    boolean ended;
    boolean answering;
    int scale = 7;
    int remoteScale;
    int remoteMss;
    /** Bytes that the window lets come before {@link #read} takes them. */
    int receiveLimit = 1 << 20;
    long zeroWindowProbes;
    private byte[] out = {};
    private long outLength;
    private boolean finWanted;
    /** Offsets: 0 is the SYN. */
    private long unacknowledged;
    private long next;
    private long highest;
    private long window = 65535;
    private int duplicates;
    private long received;
    private int unread;
    final ByteArrayOutputStream input = new ByteArrayOutputStream();
    final CRC32 crc = new CRC32();
    private final TreeMap<Long, byte[]> early = new TreeMap<>();
    private long finAt = -1;
    private DomainHandle.@Nullable Timer timer;
    /** Whether what comes is taken at once. */
    boolean reading = true;
    boolean collect = true;

    GuestTcp(GuestStack stack, int remote, int remotePort, int port, int initial) {
        this.stack = stack;
        this.remote = remote;
        this.remotePort = remotePort;
        this.port = port;
        this.initial = initial;
    }

    void connect() {
        next = 1;
        highest = 1;
        emit(0, 0x02, 0, 0);
        arm();
    }

    void write(byte[] data) {
        int length = (int) outLength;
        if (length == 0) {
            out = data;
            outLength = data.length;
            send();
            return;
        }
        if (length + data.length > out.length) {
            out = Arrays.copyOf(out, Math.max(2 * out.length, length + data.length));
        }
        System.arraycopy(data, 0, out, length, data.length);
        outLength += data.length;
        send();
    }

    void end() {
        finWanted = true;
        send();
    }

    void abort() {
        emit(highest, 0x14, 0, 0);
        close();
        reset = true;
    }

    /** Takes what has come, with the reader paused. */
    void read(int bytes) {
        unread -= Math.min(bytes, unread);
        acknowledge();
    }

    boolean isAllAcknowledged() { return unacknowledged == 1 + outLength + (finWanted ? 1 : 0); }

    long receivedBytes() {
        return input.size();
    }

    long windowSeen() {
        return window;
    }

    private void send() {
        if (!connected || reset) {
            return;
        }
        long end = 1 + outLength;
        while (next < end && next - unacknowledged < Math.min(window, 64 << 10)) {
            int length = (int) Math.min(Math.min(MSS, end - next), window - (next - unacknowledged));
            if (length <= 0) {
                break;
            }
            emit(next, 0x18, (int) (next - 1), length);
            next += length;
            highest = Math.max(highest, next);
        }
        if (finWanted && next == end) {
            emit(next, 0x11, 0, 0);
            next++;
            highest = Math.max(highest, next);
        }
        if (next > unacknowledged || next < end) {
            arm();
        }
    }

    private void arm() {
        if (timer == null) {
            timer = stack.context.at(stack.context.now() + TIMEOUT, this::timedOut);
        }
    }

    private void timedOut() {
        timer = null;
        if (reset || isAllAcknowledged() && connected) {
            return;
        }
        if (!connected) {
            emit(0, answering ? 0x12 : 0x02, 0, 0);
        } else if (window == 0 && unacknowledged <= outLength) {
            zeroWindowProbes++;
            emit(unacknowledged, 0x10, (int) (unacknowledged - 1), 1);
            highest = Math.max(highest, unacknowledged + 1);
        } else {
            next = unacknowledged;
            send();
        }
        arm();
    }

    private void emit(long sequence, int flags, int from, int length) {
        boolean syn = (flags & 0x02) != 0;
        ByteBuffer segment = ByteBuffer.allocate(20 + (syn ? 8 : 0) + length);
        int free = Math.max(receiveLimit - unread, 0);
        int shown = syn ? Math.min(free, 0xffff) : Math.min(free >> (remoteScale < 0 ? 0 : scale), 0xffff);
        segment.putShort((short) port).putShort((short) remotePort).putInt(initial + (int) sequence)
                .putInt((flags & 0x10) != 0 ? initialRemote + (int) received : 0)
                .put((byte) (segment.capacity() - length << 2)).put((byte) flags).putShort((short) shown).putInt(0);
        if (syn) {
            segment.putInt(0x020405b4).put((byte) 1).put((byte) 3).put((byte) 3).put((byte) scale);
        }
        segment.put(out, from, length);
        stack.sendTcp(segment.array(), remote);
    }

    private void acknowledge() {
        emit(highest, 0x10, 0, 0);
    }

    void input(byte[] segment) {
        ByteBuffer in = ByteBuffer.wrap(segment);
        int flags = in.get(13);
        int header = (in.get(12) >> 4 & 0xf) * 4;
        if (reset || (flags & 0x04) != 0 && ended && finWanted && isAllAcknowledged()) {
            return;
        }
        if ((flags & 0x04) != 0) {
            close();
            reset = true;
            return;
        }
        if ((flags & 0x02) != 0) {
            if (!connected) {
                synchronize(in, flags, header);
            } else {
                acknowledge();
            }
            return;
        }
        if ((flags & 0x10) == 0 || !connected && !answering) {
            return;
        }
        if (!connected) {
            connected = true;
            unacknowledged = 1;
        }
        long ack = unacknowledged + (in.getInt(8) - (initial + (int) unacknowledged));
        long newWindow = (long) (in.getShort(14) & 0xffff) << Math.max(remoteScale, 0);
        int length = segment.length - header;
        if (ack > highest) {
            stack.complaints.add("acknowledges what was never sent");
        } else if (ack > unacknowledged) {
            unacknowledged = ack;
            next = Math.max(next, ack);
            duplicates = 0;
            if (timer != null) {
                timer.cancel();
                timer = null;
            }
        } else
            if (ack == unacknowledged && length == 0 && newWindow == window && highest > unacknowledged
                    && ++duplicates == 3 && unacknowledged <= outLength) {
                        emit(unacknowledged, 0x18, (int) (unacknowledged - 1),
                                (int) Math.min(MSS, outLength + 1 - unacknowledged));
                    }
        window = newWindow;
        receive(segment, header, in.getInt(4), length, (flags & 0x01) != 0);
        send();
    }

    private void synchronize(ByteBuffer in, int flags, int header) {
        initialRemote = in.getInt(4);
        received = 1;
        remoteScale = -1;
        for (int at = 20; at < header;) {
            int kind = in.get(at);
            if (kind == 1) {
                at++;
                continue;
            }
            if (kind == 2) {
                remoteMss = in.getShort(at + 2);
            } else if (kind == 3) {
                remoteScale = in.get(at + 2);
            }
            at += in.get(at + 1);
        }
        if ((flags & 0x10) == 0) {
            answering = true;
            next = 1;
            highest = 1;
            emit(0, 0x12, 0, 0);
            arm();
            return;
        }
        if (in.getInt(8) != initial + 1) {
            stack.complaints.add("answers another SYN");
            return;
        }
        connected = true;
        unacknowledged = 1;
        window = in.getShort(14) & 0xffff;
        acknowledge();
        send();
    }

    private void receive(byte[] segment, int header, int sequence, int length, boolean fin) {
        long start = received + (sequence - (initialRemote + (int) received));
        if (length == 0 && !fin) {
            if (start < received) {
                // A probe of our window.
                acknowledge();
            }
            return;
        }
        if (fin) {
            finAt = start + length;
        }
        if (length > 0 && start + length > received && start - received <= receiveLimit) {
            early.merge(start, Arrays.copyOfRange(segment, header, segment.length),
                    (a, b) -> a.length >= b.length ? a : b);
        }
        for (Map.Entry<Long, byte[]> first = early.firstEntry(); first != null
                && first.getKey() <= received; first = early.firstEntry()) {
            early.pollFirstEntry();
            int skip = (int) (received - first.getKey());
            int fresh = first.getValue().length - skip;
            if (fresh > receiveLimit - unread) {
                if (unread + fresh > receiveLimit + 1) {
                    stack.complaints.add("more than the window");
                }
                break;
            }
            if (fresh > 0) {
                crc.update(first.getValue(), skip, fresh);
                if (collect) {
                    input.write(first.getValue(), skip, fresh);
                }
                received += fresh;
                unread += reading ? 0 : fresh;
            }
        }
        if (finAt == received && !ended) {
            received++;
            ended = true;
        }
        acknowledge();
    }

    private void close() {
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
    }

    int initial() {
        return initial;
    }

    int initialRemote() {
        return initialRemote;
    }

    byte[] bytes() {
        return input.toByteArray();
    }
}
