package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.packet.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * A TCP segment as it came (RFC 9293 3.1). The payload stays where it is and is valid as long as the frame.
 *
 * @param sequence number of the first byte, or of SYN
 * @param acknowledgement only with {@link #ACK}
 * @param flags the eight flags
 * @param window as it stands, not scaled
 * @param mss of the option, 0 if it is not there
 * @param windowScale of the option, 0..14; -1 if it is not there
 * @param buffer what holds the payload
 * @param offset where it begins
 * @param length of it, bytes
 */
record TcpSegment(int sourcePort, int destinationPort, int sequence, int acknowledgement, int flags, int window,
        int mss, int windowScale, byte[] buffer, int offset, int length) {
    static final int FIN = 0x01;
    static final int SYN = 0x02;
    static final int RST = 0x04;
    static final int PSH = 0x08;
    static final int ACK = 0x10;

    static final int HEADER = 20;
    static final int MAX_WINDOW_SCALE = 14;

    private static final int OPTION_END = 0;
    private static final int OPTION_NOP = 1;
    private static final int OPTION_MSS = 2;
    private static final int OPTION_WINDOW_SCALE = 3;

    /** Reads a segment of {@code length} bytes; null if its header does not fit. Options that make no sense end the options. */
    static @Nullable TcpSegment parse(byte[] buffer, int offset, int length) {
        if (length < HEADER) {
            return null;
        }
        int header = (Bytes.get8(buffer, offset + 12) >> 4) * 4;
        if (header < HEADER || header > length) {
            return null;
        }
        int mss = 0;
        int scale = -1;
        int flags = Bytes.get8(buffer, offset + 13);
        int at = offset + HEADER;
        int end = offset + header;
        while ((flags & SYN) != 0 && at < end && buffer[at] != OPTION_END) {
            if (buffer[at] == OPTION_NOP) {
                at++;
                continue;
            }
            int size = at + 1 < end ? Bytes.get8(buffer, at + 1) : 0;
            if (size < 2 || at + size > end) {
                break;
            }
            if (buffer[at] == OPTION_MSS && size == 4) {
                mss = Bytes.get16(buffer, at + 2);
            } else if (buffer[at] == OPTION_WINDOW_SCALE && size == 3) {
                scale = Math.min(Bytes.get8(buffer, at + 2), MAX_WINDOW_SCALE);
            }
            at += size;
        }
        return new TcpSegment(Bytes.get16(buffer, offset), Bytes.get16(buffer, offset + 2),
                Bytes.get32(buffer, offset + 4), Bytes.get32(buffer, offset + 8), flags,
                Bytes.get16(buffer, offset + 14), mss, scale, buffer, end, length - header);
    }

    /** Whether sequence number {@code a} is before {@code b}. */
    static boolean before(int a, int b) {
        return a - b < 0;
    }

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /** Sequence numbers that it takes up: its bytes, SYN and FIN. */
    int sequenceLength() {
        return length + (has(SYN) ? 1 : 0) + (has(FIN) ? 1 : 0);
    }
}
