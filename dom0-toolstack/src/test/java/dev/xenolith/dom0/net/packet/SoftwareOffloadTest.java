package dev.xenolith.dom0.net.packet;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checksums and segments against a reference that does it the slow way. */
class SoftwareOffloadTest {
    private record Frame(byte[] bytes, Offload offload) {
    }

    private static int sum(byte[] bytes, int from, int to) {
        int sum = 0;
        for (int i = from; i < to; i++) {
            sum += (bytes[i] & 0xff) << ((i - from) % 2 == 0 ? 8 : 0);
            sum = (sum & 0xffff) + (sum >> 16);
        }
        return sum;
    }

    /** The sum of pseudo header and transport part: 0xffff if the checksum is right. */
    private static int transportSum(byte[] frame, int network, boolean v6, int transport, int protocol) {
        byte[] pseudo = new byte[40];
        System.arraycopy(frame, network + (v6 ? 8 : 12), pseudo, 0, v6 ? 32 : 8);
        int length = frame.length - transport;
        ByteBuffer.wrap(pseudo).putShort(34, (short) length).put(37, (byte) protocol);
        int sum = sum(pseudo, 0, 40) + sum(frame, transport, frame.length);
        return (sum & 0xffff) + (sum >> 16);
    }

    /** A frame of random content. */
    private static byte[] frame(SplittableRandom random, int vlanTags, boolean v6, int extension, int protocol,
            int options,
            int payload) {
        int header = protocol == 6 ? 20 + options : 8;
        int network = 14 + 4 * vlanTags;
        int ip = v6 ? 40 + extension : 20 + extension;
        byte[] bytes = new byte[network + ip + header + payload];
        random.nextBytes(bytes);
        ByteBuffer b = ByteBuffer.wrap(bytes);
        for (int i = 0; i < vlanTags; i++) {
            b.putShort(12 + 4 * i, (short) (i == 0 && vlanTags == 2 ? 0x88a8 : 0x8100));
        }
        b.putShort(network - 2, (short) (v6 ? 0x86dd : 0x0800));
        if (v6) {
            b.put(network, (byte) 0x60).putShort(network + 4, (short) (extension + header + payload));
            b.put(network + 6, (byte) (extension > 0 ? 60 : protocol));
            if (extension > 0) {
                b.put(network + 40, (byte) protocol).put(network + 41, (byte) (extension / 8 - 1));
            }
        } else {
            b.put(network, (byte) (0x45 + extension / 4)).putShort(network + 2, (short) (ip + header + payload))
                    .putShort(network + 6, (short) 0x4000).put(network + 9, (byte) protocol)
                    .putShort(network + 10, (short) 0);
            b.putShort(network + 10, (short) ~sum(bytes, network, network + ip));
        }
        if (protocol == 6) {
            b.put(network + ip + 12, (byte) (header / 4 << 4)).put(network + ip + 13, (byte) 0x99);
        } else {
            b.putShort(network + ip + 4, (short) (8 + payload));
        }
        return bytes;
    }

    private static List<Frame> finish(byte[] bytes, Offload offload, OffloadFeatures features) {
        List<Frame> frames = new ArrayList<>();
        // In the middle of a larger buffer.
        byte[] buffer = new byte[bytes.length + 10];
        System.arraycopy(bytes, 0, buffer, 7, bytes.length);
        boolean fits = SoftwareOffload.finish(buffer, 7, bytes.length, offload, features,
                (b, at, length, rest) -> frames.add(new Frame(Arrays.copyOfRange(b, at, at + length), rest)));
        assertThat(fits).isTrue();
        assertThat(Arrays.copyOfRange(buffer, 7, 7 + bytes.length)).as("the sender's bytes").isEqualTo(bytes);
        return frames;
    }

    @Test
    void completesChecksums() {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 5000; i++) {
            boolean v6 = random.nextBoolean();
            int protocol = random.nextBoolean() ? 6 : 17;
            int extension = random.nextInt(3) * 8;
            int tags = random.nextInt(3);
            byte[] bytes = frame(random, tags, v6, extension, protocol, random.nextInt(4) * 4, random.nextInt(300));
            Headers headers = Objects.requireNonNull(Headers.find(bytes, 0, bytes.length));
            Offload offload = Objects.requireNonNull(headers.blank(Gso.NONE, 0));
            List<Frame> frames = finish(bytes, offload, OffloadFeatures.NONE);
            assertThat(frames).hasSize(1);
            byte[] done = frames.getFirst().bytes;
            int network = 14 + 4 * tags;
            int transport = network + (v6 ? 40 : 20) + extension;
            assertThat(transportSum(done, network, v6, transport, protocol)).isEqualTo(0xffff);
            assertThat(frames.getFirst().offload).isEqualTo(Offload.VALIDATED);
            // Nothing else has changed.
            int field = transport + (protocol == 6 ? 16 : 6);
            done[field] = bytes[field];
            done[field + 1] = bytes[field + 1];
            assertThat(done).isEqualTo(bytes);
            // A receiver that can do it gets it as it was.
            assertThat(finish(bytes, offload, OffloadFeatures.ALL).getFirst().bytes).isEqualTo(bytes);
        }
    }

    @Test
    void aUdpChecksumIsNeverZero() {
        SplittableRandom random = new SplittableRandom(2);
        byte[] bytes = frame(random, 0, false, 0, 17, 0, 2);
        Offload offload = Offload.blank(34, Offload.UDP_CHECKSUM);
        ByteBuffer.wrap(bytes).putShort(42, (short) 0);
        int checksum = ByteBuffer.wrap(finish(bytes, offload, OffloadFeatures.NONE).getFirst().bytes).getShort(40);
        ByteBuffer.wrap(bytes).putShort(42, (short) checksum);
        // With its complement in the payload the sum is all ones, whose complement would be zero.
        assertThat(ByteBuffer.wrap(finish(bytes, offload, OffloadFeatures.NONE).getFirst().bytes).getShort(40))
                .isEqualTo((short) 0xffff);
    }

    @ParameterizedTest
    @CsvSource({"false, false", "true, false", "false, true", "true, true"})
    void cutsSegments(boolean v6, boolean blank) {
        SplittableRandom random = new SplittableRandom(3);
        for (int i = 0; i < 300; i++) {
            int extension = random.nextInt(3) * 8;
            int tags = random.nextInt(3);
            int options = random.nextInt(11) * 4;
            int size = random.nextInt(10) == 0 ? 8 + random.nextInt(20) : 500 + random.nextInt(9000);
            int payload = random.nextInt(10) == 0 ? random.nextInt(20) : random.nextInt(Math.min(64_000, 200 * size));
            byte[] bytes = frame(random, tags, v6, extension, 6, options, payload);
            int network = 14 + 4 * tags;
            int transport = network + (v6 ? 40 : 20) + extension;
            int start = transport + 20 + options;
            Offload offload = Offload.segments(v6 ? Gso.TCPV6 : Gso.TCPV4, size, transport);
            List<Frame> frames = finish(bytes, offload, new OffloadFeatures(blank, blank, false, false));
            assertThat(frames).hasSize(Math.max(1, (payload + size - 1) / size));
            ByteBuffer whole = ByteBuffer.wrap(bytes);
            int at = 0;
            for (int n = 0; n < frames.size(); n++) {
                byte[] segment = frames.get(n).bytes;
                ByteBuffer b = ByteBuffer.wrap(segment);
                int part = Math.min(size, payload - at);
                assertThat(segment).hasSize(start + part);
                assertThat(Arrays.copyOfRange(segment, start, segment.length))
                        .isEqualTo(Arrays.copyOfRange(bytes, start + at, start + at + part));
                assertThat(b.getInt(transport + 4)).isEqualTo(whole.getInt(transport + 4) + at);
                boolean last = n == frames.size() - 1;
                assertThat(b.get(transport + 13)).isEqualTo((byte) ((n == 0 ? 0x80 : 0) | 0x10 | (last ? 0x09 : 0)));
                if (v6) {
                    assertThat(b.getShort(network + 4)).isEqualTo((short) (segment.length - network - 40));
                } else {
                    assertThat(b.getShort(network + 2)).isEqualTo((short) (segment.length - network));
                    assertThat(b.getShort(network + 4)).isEqualTo((short) (whole.getShort(network + 4) + n));
                    assertThat(sum(segment, network, transport)).isEqualTo(0xffff);
                }
                if (blank) {
                    assertThat(frames.get(n).offload).isEqualTo(Offload.blank(transport, 16));
                    byte[] done = finish(segment, frames.get(n).offload, OffloadFeatures.NONE).getFirst().bytes;
                    byte[] zeroed = segment.clone();
                    int pseudo = b.getShort(transport + 16) & 0xffff;
                    ByteBuffer.wrap(zeroed).putShort(transport + 16, (short) 0);
                    int expected = pseudo + sum(zeroed, transport, zeroed.length);
                    expected = ~((expected & 0xffff) + (expected >> 16)) & 0xffff;
                    assertThat(ByteBuffer.wrap(done).getShort(transport + 16)).isEqualTo((short) expected);
                } else {
                    assertThat(transportSum(segment, network, v6, transport, 6)).isEqualTo(0xffff);
                }
                at += part;
            }
            assertThat(at).isEqualTo(payload);
            // Whoever takes it whole gets it whole.
            assertThat(finish(bytes, offload, OffloadFeatures.ALL).getFirst().bytes).isEqualTo(bytes);
        }
    }

    @Test
    void refusesWhatDoesNotFit() {
        SplittableRandom random = new SplittableRandom(4);
        byte[] tcp = frame(random, 0, false, 0, 6, 0, 100);
        FrameSink none = (_, _, _, _) -> {
            throw new AssertionError("a frame");
        };
        for (Offload offload : List.of(Offload.blank(33, 16), Offload.blank(34, 6),
                Offload.segments(Gso.TCPV6, 100, 34), Offload.segments(Gso.TCPV4, 7, 34))) {
            assertThat(SoftwareOffload.finish(tcp, 0, tcp.length, offload, OffloadFeatures.NONE, none)).isFalse();
        }
        byte[] fragment = tcp.clone();
        fragment[20] = 0x20;
        assertThat(SoftwareOffload.finish(fragment, 0, fragment.length, Offload.blank(34, 16), OffloadFeatures.NONE,
                none)).isFalse();
        byte[] longHeader = tcp.clone();
        longHeader[46] = (byte) 0xf0;
        assertThat(SoftwareOffload.finish(longHeader, 0, 34 + 40, Offload.segments(Gso.TCPV4, 100, 34),
                OffloadFeatures.NONE, none)).isFalse();
    }

    /** Each byte of the headers of frames of all kinds is changed; and every length. Nothing throws, nothing leaves the frame. */
    @Test
    void anythingIsEitherFinishedOrRefused() {
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 400_000; i++) {
            boolean v6 = random.nextBoolean();
            int protocol = random.nextInt(4) > 0 ? 6 : 17;
            byte[] bytes = frame(random, random.nextInt(3), v6, random.nextInt(2) * 8, protocol, 0, random.nextInt(60));
            Headers headers = Objects.requireNonNull(Headers.find(bytes, 0, bytes.length));
            for (int n = random.nextInt(4); n > 0; n--) {
                bytes[random.nextInt(Math.min(bytes.length, 80))] = (byte) random.nextInt();
            }
            int length = random.nextInt(4) == 0 ? random.nextInt(bytes.length + 1) : bytes.length;
            byte[] exact = Arrays.copyOf(bytes, length);
            Gso gso = Gso.values()[random.nextInt(3)];
            Offload offload = gso == Gso.NONE
                    ? Offload.blank(headers.transport(), headers.checksumOffset())
                    : Offload.segments(gso, 1 + random.nextInt(60), headers.transport());
            SoftwareOffload.finish(exact, 0, length, offload, OffloadFeatures.NONE, (b, at, l, _) -> {
                assertThat(at).isZero();
                assertThat(l).isBetween(20, exact.length);
            });
        }
    }
}
