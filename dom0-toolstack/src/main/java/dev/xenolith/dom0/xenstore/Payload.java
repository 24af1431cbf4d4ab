package dev.xenolith.dom0.xenstore;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The bytes of a request after its header: mostly strings that end with NUL. */
final class Payload {
    private final byte[] bytes;

    Payload(byte[] bytes) {
        this.bytes = bytes;
    }

    /** The string that is the whole payload, its NUL the last byte. */
    String only() throws XenstoreException {
        if (end(0) != bytes.length - 1) {
            throw invalid();
        }
        return string(0, bytes.length - 1);
    }

    /** The string at the front. */
    String first() throws XenstoreException {
        int end = end(0);
        if (end == bytes.length) {
            throw invalid();
        }
        return string(0, end);
    }

    /** The bytes after the string at the front. */
    byte[] rest() {
        return Arrays.copyOfRange(bytes, Math.min(end(0) + 1, bytes.length), bytes.length);
    }

    /** All strings that have their NUL; bytes after the last NUL are ignored. */
    List<String> strings() {
        List<String> strings = new ArrayList<>();
        int start = 0;
        for (int end; (end = end(start)) < bytes.length; start = end + 1) {
            strings.add(string(start, end));
        }
        return strings;
    }

    /** All strings, of which there must be {@code least} or more. */
    List<String> strings(int least) throws XenstoreException {
        List<String> strings = strings();
        if (strings.size() < least) {
            throw invalid();
        }
        return strings;
    }

    private int end(int start) {
        int end = start;
        while (end < bytes.length && bytes[end] != 0) {
            end++;
        }
        return end;
    }

    private String string(int start, int end) {
        return new String(bytes, start, end - start, StandardCharsets.ISO_8859_1);
    }

    private static XenstoreException invalid() {
        return new XenstoreException(XenstoreError.EINVAL, "payload");
    }

    /** Strings as they are sent, each with its NUL. */
    static byte[] of(Iterable<String> strings) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (String string : strings) {
            out.writeBytes(string.getBytes(StandardCharsets.ISO_8859_1));
            out.write(0);
        }
        return out.toByteArray();
    }

    static byte[] of(String string) {
        return of(List.of(string));
    }
}
