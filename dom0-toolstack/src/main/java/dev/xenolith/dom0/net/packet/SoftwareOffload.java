package dev.xenolith.dom0.net.packet;

/**
 * Does in software what a frame's sender has left undone and its receiver cannot do: computes checksums, cuts TCP frames into
 * segments. Pseudo headers are computed anew; what the sender left in the field does not matter.
 */
public final class SoftwareOffload {
    /** Smaller segments than Linux ever makes (TCP_MIN_SND_MSS less options) are not made; that bounds the work of a frame. */
    public static final int MIN_SEGMENT = 8;

    private static final int TCP_HEADER = 20;
    private static final int FIN_AND_PSH = 0x09;
    private static final int CWR = 0x80;

    private SoftwareOffload() {
    }

    /**
     * Gives a frame with a blank checksum to {@code sink}, finished as far as {@code features} needs it, perhaps as several.
     *
     * @return false if the offload does not fit the frame, which is then dropped
     */
    public static boolean finish(byte[] frame, int offset, int length, Offload offload, OffloadFeatures features,
            FrameSink sink) {
        Headers headers = Headers.find(frame, offset, length);
        if (headers == null || !fits(headers, frame, offset, offload)) {
            return false;
        }
        boolean blank = headers.version() == 4 ? features.checksumV4() : features.checksumV6();
        if (offload.isGso() && !features.takes(offload.gso())) {
            cut(frame, offset, headers, offload, blank, sink);
        } else if (blank) {
            sink.frame(frame, offset, length, offload);
        } else {
            byte[] copy = new byte[length];
            System.arraycopy(frame, offset, copy, 0, length);
            complete(copy, 0, headers);
            sink.frame(copy, 0, length, Offload.VALIDATED);
        }
        return true;
    }

    private static boolean fits(Headers headers, byte[] frame, int offset, Offload offload) {
        Offload expected = headers.blank(offload.gso(), offload.segmentSize());
        if (expected == null || expected.checksumStart() != offload.checksumStart()
                || expected.checksumOffset() != offload.checksumOffset()) {
            return false;
        }
        int room = headers.end() - headers.transport();
        if (headers.protocol() == Headers.UDP) {
            return room >= 8;
        }
        return room >= TCP_HEADER && (!offload.isGso() || offload.segmentSize() >= MIN_SEGMENT
                && tcpHeader(frame, offset, headers) >= TCP_HEADER && tcpHeader(frame, offset, headers) <= room);
    }

    private static int tcpHeader(byte[] frame, int offset, Headers headers) {
        return (Bytes.get8(frame, offset + headers.transport() + 12) >> 4) * 4;
    }

    /** Computes the TCP or UDP checksum of a frame. */
    static void complete(byte[] frame, int offset, Headers headers) {
        int start = offset + headers.transport();
        int length = headers.end() - headers.transport();
        int field = start + headers.checksumOffset();
        Bytes.put16(frame, field, 0);
        int checksum = InternetChecksum
                .finish(InternetChecksum.add(headers.pseudoSum(frame, offset, length), frame, start, length));
        Bytes.put16(frame, field, checksum == 0 && headers.protocol() == Headers.UDP ? 0xffff : checksum);
    }

    /** Writes the sum of the pseudo header into the checksum field, as receivers of blank checksums want it. */
    public static void putPseudoSum(byte[] frame, int offset, Headers headers) {
        int length = headers.end() - headers.transport();
        Bytes.put16(frame, offset + headers.transport() + headers.checksumOffset(),
                InternetChecksum.fold(headers.pseudoSum(frame, offset, length)));
    }

    private static void cut(byte[] frame, int offset, Headers headers, Offload offload, boolean blank, FrameSink sink) {
        int start = headers.transport() + tcpHeader(frame, offset, headers);
        int payload = headers.end() - start;
        int size = offload.segmentSize();
        byte[] segment = new byte[start + Math.min(size, payload)];
        int flags = Bytes.get8(frame, offset + headers.transport() + 13);
        int sequence = Bytes.get32(frame, offset + headers.transport() + 4);
        int identification = Bytes.get16(frame, offset + headers.network() + 4);
        int done = 0;
        int number = 0;
        do {
            int part = Math.min(size, payload - done);
            int end = start + part;
            System.arraycopy(frame, offset, segment, 0, start);
            System.arraycopy(frame, offset + start + done, segment, start, part);
            int keep = 0xff & ~(number > 0 ? CWR : 0) & ~(done + part < payload ? FIN_AND_PSH : 0);
            segment[headers.transport() + 13] = (byte) (flags & keep);
            Bytes.put32(segment, headers.transport() + 4, sequence + done);
            Headers own = new Headers(headers.network(), headers.version(), Headers.TCP, headers.transport(), end,
                    false);
            putLength(segment, own, identification + number);
            if (blank) {
                putPseudoSum(segment, 0, own);
                sink.frame(segment, 0, end, Offload.blank(own.transport(), Offload.TCP_CHECKSUM));
            } else {
                complete(segment, 0, own);
                sink.frame(segment, 0, end, Offload.VALIDATED);
            }
            done += part;
            number++;
        } while (done < payload);
    }

    private static void putLength(byte[] segment, Headers headers, int identification) {
        int network = headers.network();
        if (headers.version() == 6) {
            Bytes.put16(segment, network + 4, headers.end() - network - 40);
            return;
        }
        Bytes.put16(segment, network + 2, headers.end() - network);
        Bytes.put16(segment, network + 4, identification);
        Bytes.put16(segment, network + 10, 0);
        int header = (Bytes.get8(segment, network) & 0xf) * 4;
        Bytes.put16(segment, network + 10, InternetChecksum.of(segment, network, header));
    }
}
