package dev.xenolith.dom0.net.nat;

import dev.xenolith.dom0.net.NetworkContext;
import dev.xenolith.dom0.net.packet.Bytes;
import java.io.ByteArrayOutputStream;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Answers DNS queries (RFC 1035) by Java's resolver, for hosts that have no name server: A, AAAA, and PTR of IPv4 addresses.
 * Other types are not implemented, and say so.
 */
final class DnsResponder {
    /** Lookups that run at once; further queries are dropped, and the guest asks again. */
    static final int MAX_LOOKUPS = 64;

    static final int TYPE_A = 1;
    static final int TYPE_PTR = 12;
    static final int TYPE_AAAA = 28;

    static final int FORMAT_ERROR = 1;
    static final int NAME_ERROR = 3;
    static final int NOT_IMPLEMENTED = 4;

    private static final int HEADER = 12;
    private static final int MAX_MESSAGE = 512;
    private static final int MAX_NAME = 255;
    private static final int TTL_SECONDS = 60;
    private static final int CLASS_IN = 1;
    private static final String REVERSE = ".in-addr.arpa";

    /** Finds what Java's resolver finds; may wait. */
    interface Lookup {
        InetAddress[] addresses(String name) throws UnknownHostException;

        /** The name of an address, or the address as text. */
        String name(InetAddress address);

        /** Java's resolver. */
        Lookup JAVA = new Lookup() {
            @Override
            public InetAddress[] addresses(String name) throws UnknownHostException {
                return InetAddress.getAllByName(name);
            }

            @Override
            public String name(InetAddress address) {
                return address.getCanonicalHostName();
            }
        };
    }

    private record Question(String name, int type, int end) {
    }

    private final NetworkContext context;
    private final Lookup lookup;
    private int running;

    DnsResponder(NetworkContext context, Lookup lookup) {
        this.context = context;
        this.lookup = lookup;
    }

    /** Answers a query, later, on the machine thread; what is no query is not answered, as null. */
    void answer(byte[] query, Consumer<byte @Nullable []> answered) {
        if (query.length < HEADER || (query[2] & 0x80) != 0 || running == MAX_LOOKUPS) {
            context.post(() -> answered.accept(null));
            return;
        }
        running++;
        Thread.ofVirtual().name("dns").start(() -> {
            byte[] answer = answerNow(query);
            context.post(() -> {
                running--;
                answered.accept(answer);
            });
        });
    }

    /** Answers a query of at least a header's length; may wait for the resolver. */
    byte[] answerNow(byte[] query) {
        Question question = question(query);
        if ((query[2] & 0x78) != 0) {
            return answer(query, null, NOT_IMPLEMENTED, List.of());
        }
        if (question == null) {
            return answer(query, null, FORMAT_ERROR, List.of());
        }
        try {
            return switch (question.type) {
                case TYPE_A, TYPE_AAAA -> answer(query, question, 0, Arrays.stream(lookup.addresses(question.name))
                        .filter(a -> a instanceof Inet4Address == (question.type == TYPE_A))
                        .map(InetAddress::getAddress).toList());
                case TYPE_PTR -> pointer(query, question);
                default -> answer(query, question, NOT_IMPLEMENTED, List.of());
            };
        } catch (UnknownHostException e) {
            return answer(query, question, NAME_ERROR, List.of());
        }
    }

    private byte[] pointer(byte[] query, Question question) throws UnknownHostException {
        String[] parts = question.name.endsWith(REVERSE)
                ? question.name.substring(0, question.name.length() - REVERSE.length()).split("\\.")
                : new String[0];
        if (parts.length != 4) {
            return answer(query, question, NAME_ERROR, List.of());
        }
        byte[] address = new byte[4];
        for (int i = 0; i < 4; i++) {
            if (!parts[i].matches("[0-9]{1,3}") || Integer.parseInt(parts[i]) > 255) {
                return answer(query, question, NAME_ERROR, List.of());
            }
            address[3 - i] = (byte) Integer.parseInt(parts[i]);
        }
        InetAddress host = InetAddress.getByAddress(address);
        String name = lookup.name(host);
        return name.equals(host.getHostAddress())
                ? answer(query, question, NAME_ERROR, List.of())
                : answer(query, question, 0, List.of(encode(name)));
    }

    /** The one question of a query, in class IN; null if it is not well formed. */
    private static @Nullable Question question(byte[] query) {
        if (Bytes.get16(query, 4) != 1) {
            return null;
        }
        StringBuilder name = new StringBuilder();
        int at = HEADER;
        while (true) {
            if (at >= query.length) {
                return null;
            }
            int length = Bytes.get8(query, at++);
            if (length == 0) {
                break;
            }
            // Neither compressed nor longer than a label may be.
            if (length > 63 || at + length > query.length || name.length() + length > MAX_NAME) {
                return null;
            }
            for (int i = 0; i < length; i++) {
                char c = (char) Bytes.get8(query, at + i);
                if (c <= ' ' || c > '~' || c == '.') {
                    return null;
                }
            }
            name.append(name.isEmpty() ? "" : ".").append(new String(query, at, length, StandardCharsets.US_ASCII));
            at += length;
        }
        if (at + 4 > query.length || Bytes.get16(query, at + 2) != CLASS_IN || name.isEmpty()) {
            return null;
        }
        return new Question(name.toString(), Bytes.get16(query, at), at + 4);
    }

    private static byte[] encode(String name) {
        ByteArrayOutputStream encoded = new ByteArrayOutputStream();
        for (String label : name.split("\\.")) {
            byte[] bytes = label.getBytes(StandardCharsets.US_ASCII);
            int length = Math.min(bytes.length, 63);
            encoded.write(length);
            encoded.write(bytes, 0, length);
        }
        encoded.write(0);
        return encoded.toByteArray();
    }

    private static byte[] answer(byte[] query, @Nullable Question question, int error, List<byte[]> records) {
        ByteBuffer message = ByteBuffer.allocate(MAX_MESSAGE);
        int copied = question == null ? HEADER : question.end;
        message.put(query, 0, copied);
        int count = 0;
        for (byte[] data : records) {
            if (question == null || message.remaining() < HEADER + data.length) {
                break;
            }
            // The name is the question's.
            message.putShort((short) 0xc00c).putShort((short) question.type).putShort((short) CLASS_IN)
                    .putInt(TTL_SECONDS).putShort((short) data.length).put(data);
            count++;
        }
        // A response, recursion desired as asked and available.
        message.putShort(2, (short) (0x8080 | (query[2] & 0x79) << 8 | error));
        message.putShort(4, (short) (question == null ? 0 : 1)).putShort(6, (short) count).putInt(8, 0);
        return Arrays.copyOf(message.array(), message.position());
    }
}
