package dev.xenolith.device;

import java.io.ByteArrayInputStream;
import java.io.DataInput;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * Reads a section that {@link StateWriter} wrote. Fields may be read in any order; fields that nobody reads are ignored, so that
 * a later version may add some.
 */
public final class StateReader {
    /** What a field holds. */
    enum Kind {
        NUMBER, NUMBERS, BYTES, SECTION
    }

    private final String name;
    private final int version;
    private final Map<String, Object> fields = new HashMap<>();

    private StateReader(String name, int version, byte[] body) throws StateException {
        this.name = name;
        this.version = version;
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(body))) {
            while (in.available() > 0) {
                String field = in.readUTF();
                int kind = in.readUnsignedByte();
                if (kind >= Kind.values().length) {
                    throw new StateException(name + "." + field + ": unknown kind of field " + kind);
                }
                fields.put(field, read(in, name + "." + field, Kind.values()[kind]));
            }
        } catch (StateException e) {
            throw e;
        } catch (IOException e) {
            throw new StateException(name + ": the section is truncated");
        }
    }

    private static Object read(DataInputStream in, String field, Kind kind) throws IOException {
        return switch (kind) {
            case NUMBER -> in.readLong();
            case NUMBERS -> {
                int count = in.readInt();
                if (count < 0 || count > in.available() / Long.BYTES) {
                    throw new StateException(field + ": the section is truncated");
                }
                long[] values = new long[count];
                for (int i = 0; i < count; i++) {
                    values[i] = in.readLong();
                }
                yield values;
            }
            case BYTES -> bytes(in, field);
            case SECTION -> {
                int version = in.readInt();
                yield new StateReader(field, version, bytes(in, field));
            }
        };
    }

    private static byte[] bytes(DataInputStream in, String field) throws IOException {
        int length = in.readInt();
        if (length < 0 || length > in.available()) {
            throw new StateException(field + ": the section is truncated");
        }
        return in.readNBytes(length);
    }

    /** Restores {@code thing} from what {@link StateWriter#save} gave. */
    public static void restore(Saveable thing, byte[] section) throws StateException {
        StateReader reader;
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(section))) {
            String name = in.readUTF();
            int version = in.readInt();
            reader = new StateReader(name, version, bytes(in, name));
        } catch (StateException e) {
            throw e;
        } catch (IOException e) {
            throw new StateException(thing.stateName() + ": the section is truncated");
        }
        if (!reader.name.equals(thing.stateName())) {
            throw new StateException("this is the state of " + reader.name + ", not of " + thing.stateName());
        }
        reader.checkVersion(thing);
        thing.restore(reader);
    }

    private void checkVersion(Saveable thing) throws StateException {
        if (version > thing.stateVersion()) {
            throw new StateException(name + ": saved as version " + version + ", this is " + thing.stateVersion());
        }
    }

    /** Version of the section, at most that of its reader. */
    public int version() {
        return version;
    }

    private <T> T field(String field, Class<T> type) throws StateException {
        Object value = fields.get(field);
        if (value == null) {
            throw new StateException(name + "." + field + " is missing");
        }
        if (!type.isInstance(value)) {
            throw new StateException(name + "." + field + " is of another kind");
        }
        return type.cast(value);
    }

    public long getLong(String field) throws StateException {
        return field(field, Long.class);
    }

    public int getInt(String field) throws StateException {
        return getInt(field, Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    /** A number from {@code least} to {@code most}. */
    public int getInt(String field, int least, int most) throws StateException {
        long value = getLong(field);
        if (value < least || value > most) {
            throw new StateException(name + "." + field + " is " + value + ", not in " + least + ".." + most);
        }
        return (int) value;
    }

    /** A number of one byte, 0 to 255. */
    public int getByte(String field) throws StateException {
        return getInt(field, 0, 255);
    }

    public boolean getBoolean(String field) throws StateException {
        return getLong(field) != 0;
    }

    public byte[] getBytes(String field) throws StateException {
        return field(field, byte[].class).clone();
    }

    /** Fills {@code destination}, whose length must be that of the field. */
    public void get(String field, byte[] destination) throws StateException {
        byte[] value = field(field, byte[].class);
        checkLength(field, value.length, destination.length);
        System.arraycopy(value, 0, destination, 0, destination.length);
    }

    public void get(String field, int[] destination) throws StateException {
        long[] values = field(field, long[].class);
        checkLength(field, values.length, destination.length);
        for (int i = 0; i < destination.length; i++) {
            destination[i] = (int) values[i];
        }
    }

    public void get(String field, long[] destination) throws StateException {
        long[] values = field(field, long[].class);
        checkLength(field, values.length, destination.length);
        System.arraycopy(values, 0, destination, 0, destination.length);
    }

    /** What reads contents that {@link StateWriter.Contents} wrote. */
    @FunctionalInterface
    public interface Contents {
        /** An {@link IOException} says that they are not what was written. */
        void readFrom(DataInput in) throws IOException;
    }

    /** Has something else read its contents. */
    public void get(String field, Contents contents) throws StateException {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(field(field, byte[].class)))) {
            contents.readFrom(in);
        } catch (EOFException e) {
            throw new StateException(name + "." + field + " is truncated");
        } catch (IOException e) {
            throw new StateException(name + "." + field + ": " + e.getMessage());
        }
    }

    /** Numbers, however many. */
    public long[] getLongs(String field) throws StateException {
        return field(field, long[].class).clone();
    }

    private void checkLength(String field, int found, int expected) throws StateException {
        if (found != expected) {
            throw new StateException(name + "." + field + " has " + found + " elements, not " + expected);
        }
    }

    /** Arms {@code timer} as it was. */
    public void get(String field, Clock.Timer timer) throws StateException {
        timer.set(getLong(field));
    }

    /** Restores a section inside this one. */
    public void get(Saveable part) throws StateException {
        StateReader reader = field(part.stateName(), StateReader.class);
        reader.checkVersion(part);
        part.restore(reader);
    }
}
