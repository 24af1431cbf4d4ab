package dev.xenolith.dom0.gdb;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/** Finds packets, acknowledgements and interrupts in the bytes that a debugger sends, and frames what is sent to it. */
final class PacketFraming {
    /** Most bytes of a packet's contents, as they are on the line. */
    static final int MAX_PACKET = 0x4000;

    private static final int INTERRUPT = 3;
    private static final int ESCAPE = '}';
    private static final int ESCAPED = 0x20;

    /** What has been found. */
    interface Sink {
        /** A packet with the right checksum; escapes have been undone. */
        void packet(byte[] contents);

        /** A packet with a wrong checksum, or longer than {@link #MAX_PACKET}. */
        void badPacket();

        /** The debugger has not understood our latest packet. */
        void resend();

        /** Ctrl-C. */
        void interrupt();
    }

    private enum State {
        OUTSIDE, INSIDE, FIRST_DIGIT, SECOND_DIGIT
    }

    private final Sink sink;
    private final byte[] packet = new byte[MAX_PACKET];
    private State state = State.OUTSIDE;
    /** Bytes of the packet so far; beyond {@link #MAX_PACKET} if it is too long. */
    private int length;
    private int sum;
    private int announced;

    PacketFraming(Sink sink) {
        this.sink = sink;
    }

    void received(byte[] bytes) {
        for (byte each : bytes) {
            received(each & 0xff);
        }
    }

    private void received(int each) {
        switch (state) {
            case OUTSIDE -> outside(each);
            case INSIDE -> inside(each);
            case FIRST_DIGIT -> {
                announced = Hex.digit(each);
                state = State.SECOND_DIGIT;
            }
            case SECOND_DIGIT -> {
                state = State.OUTSIDE;
                int digit = Hex.digit(each);
                if (announced < 0 || digit < 0 || (announced << 4 | digit) != sum || length > MAX_PACKET) {
                    sink.badPacket();
                } else {
                    sink.packet(unescape());
                }
            }
        }
    }

    private void outside(int each) {
        switch (each) {
            case '$' -> {
                state = State.INSIDE;
                length = 0;
                sum = 0;
            }
            case '-' -> sink.resend();
            case INTERRUPT -> sink.interrupt();
            default -> {
                // '+', or noise between packets, which the protocol has us ignore.
            }
        }
    }

    private void inside(int each) {
        if (each == '$') {
            // A packet's end was lost.
            length = 0;
            sum = 0;
        } else if (each == '#') {
            state = State.FIRST_DIGIT;
        } else {
            if (length < MAX_PACKET) {
                packet[length] = (byte) each;
            }
            length = Math.min(length + 1, MAX_PACKET + 1);
            sum = sum + each & 0xff;
        }
    }

    private byte[] unescape() {
        byte[] contents = new byte[length];
        int count = 0;
        for (int i = 0; i < length; i++) {
            boolean escaped = packet[i] == ESCAPE && i + 1 < length;
            contents[count++] = (byte) (escaped ? packet[++i] ^ ESCAPED : packet[i]);
        }
        return Arrays.copyOf(contents, count);
    }

    /** {@code contents} as a packet, with whatever must be escaped. */
    static byte[] frame(byte[] contents) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(contents.length + 4);
        out.write('$');
        int sum = 0;
        for (byte each : contents) {
            int value = each & 0xff;
            if (value == ESCAPE || value == '$' || value == '#' || value == '*') {
                out.write(ESCAPE);
                sum += ESCAPE;
                value ^= ESCAPED;
            }
            out.write(value);
            sum += value;
        }
        out.write('#');
        StringBuilder digits = new StringBuilder(2);
        Hex.append(digits, sum);
        out.write(digits.charAt(0));
        out.write(digits.charAt(1));
        return out.toByteArray();
    }
}
