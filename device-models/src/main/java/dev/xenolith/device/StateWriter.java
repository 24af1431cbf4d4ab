package dev.xenolith.device;

import java.io.ByteArrayOutputStream;
import java.io.DataOutput;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashSet;
import java.util.Set;

/**
 * Writes state as named fields in named sections, so that what is saved can be read without the code that wrote it.
 *
 * <p>Big-endian. A section is: its name (UTF-8 after a 16-bit length), its version (32 bits), the length of its body (32 bits),
 * the body. A body is a sequence of fields: name, a kind of one byte ({@link StateReader.Kind} in its order), and the value. A
 * number has 64 bits; bytes are a 32-bit length and the bytes; numbers are a 32-bit count and 64 bits each; a section inside
 * another is a field whose value is version, length and body.
 */
public final class StateWriter {
    private final String name;
    private final int version;
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private final DataOutputStream out = new DataOutputStream(body);
    private final Set<String> names = new HashSet<>();

    private StateWriter(String name, int version) {
        this.name = name;
        this.version = version;
    }

    /** The section of one thing, complete. */
    public static byte[] save(Saveable thing) {
        StateWriter writer = new StateWriter(thing.stateName(), thing.stateVersion());
        thing.save(writer);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream section = new DataOutputStream(bytes)) {
            section.writeUTF(writer.name);
            writer.writeTo(section);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private void writeTo(DataOutputStream section) throws IOException {
        section.writeInt(version);
        section.writeInt(body.size());
        body.writeTo(section);
    }

    /** A field of any integer type. */
    public StateWriter put(String field, long value) {
        return field(field, StateReader.Kind.NUMBER, () -> out.writeLong(value));
    }

    public StateWriter put(String field, boolean value) {
        return put(field, value ? 1 : 0);
    }

    public StateWriter put(String field, byte[] value) {
        return field(field, StateReader.Kind.BYTES, () -> {
            out.writeInt(value.length);
            out.write(value);
        });
    }

    public StateWriter put(String field, int[] values) {
        return field(field, StateReader.Kind.NUMBERS, () -> {
            out.writeInt(values.length);
            for (int value : values) {
                out.writeLong(value);
            }
        });
    }

    public StateWriter put(String field, long[] values) {
        return field(field, StateReader.Kind.NUMBERS, () -> {
            out.writeInt(values.length);
            for (long value : values) {
                out.writeLong(value);
            }
        });
    }

    /** What writes contents of some length. */
    @FunctionalInterface
    public interface Contents {
        void writeTo(DataOutput out) throws IOException;
    }

    /** Contents that something else writes. */
    public StateWriter put(String field, Contents contents) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            contents.writeTo(new DataOutputStream(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return put(field, bytes.toByteArray());
    }

    /** The deadline of a timer. */
    public StateWriter put(String field, Clock.Timer timer) {
        return put(field, timer.deadline());
    }

    /** A section inside this one. */
    public StateWriter put(Saveable part) {
        StateWriter writer = new StateWriter(part.stateName(), part.stateVersion());
        part.save(writer);
        return field(part.stateName(), StateReader.Kind.SECTION, () -> writer.writeTo(out));
    }

    /** What writes a value. */
    private interface Value {
        void write() throws IOException;
    }

    private StateWriter field(String field, StateReader.Kind kind, Value value) {
        if (!names.add(field)) {
            throw new IllegalStateException(name + ": field " + field + " twice");
        }
        try {
            out.writeUTF(field);
            out.writeByte(kind.ordinal());
            value.write();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }
}
