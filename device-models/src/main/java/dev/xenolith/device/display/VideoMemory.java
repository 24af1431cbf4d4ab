package dev.xenolith.device.display;

import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import java.io.ByteArrayOutputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;
import java.util.stream.IntStream;

/**
 * The memory of a graphics card, little-endian, with a mark for each page of {@value #PAGE} bytes that has been written. The four planes
 * of a VGA are interleaved: byte {@code 4 * a + p} is at address {@code a} of plane {@code p}.
 *
 * <p>Whoever draws takes the marks; nothing else is known of who writes.
 */
public final class VideoMemory implements Saveable {
    /** Bytes of a page. */
    public static final int PAGE = 4096;

    private static final VarHandle SHORTS = view(short[].class);
    private static final VarHandle INTS = view(int[].class);
    private static final VarHandle LONGS = view(long[].class);

    private final byte[] bytes;
    private final BitSet dirty = new BitSet();

    /** @param size in bytes, a power of two and at least a page */
    public VideoMemory(int size) {
        if (size < PAGE || Integer.bitCount(size) != 1) {
            throw new IllegalArgumentException("video memory of " + size + " bytes");
        }
        bytes = new byte[size];
    }

    private static VarHandle view(Class<?> array) {
        return MethodHandles.byteArrayViewVarHandle(array, ByteOrder.LITTLE_ENDIAN);
    }

    public int size() {
        return bytes.length;
    }

    /** The {@code size} (1, 2, 4, 8) bytes at {@code at}, all of them inside, zero-extended. */
    public long read(int at, int size) {
        return switch (size) {
            case 1 -> bytes[at] & 0xffL;
            case 2 -> (short) SHORTS.get(bytes, at) & 0xffffL;
            case 4 -> (int) INTS.get(bytes, at) & 0xffff_ffffL;
            default -> (long) LONGS.get(bytes, at);
        };
    }

    /** Writes the low {@code size} bytes of {@code value}. */
    public void write(int at, int size, long value) {
        switch (size) {
            case 1 -> bytes[at] = (byte) value;
            case 2 -> SHORTS.set(bytes, at, (short) value);
            case 4 -> INTS.set(bytes, at, (int) value);
            default -> LONGS.set(bytes, at, value);
        }
        dirty.set(at / PAGE);
        dirty.set((at + size - 1) / PAGE);
    }

    /** The four planes at {@code address}, plane 0 lowest. */
    int planes(int address) {
        return (int) INTS.get(bytes, 4 * address);
    }

    /** Copies {@code length} bytes from {@code at} on; behind the end the beginning follows. */
    void copyOut(int at, byte[] destination, int length) {
        int first = Math.min(length, bytes.length - at);
        System.arraycopy(bytes, at, destination, 0, first);
        System.arraycopy(bytes, 0, destination, first, length - first);
    }

    /** Zeroes the first {@code length} bytes. */
    void clear(int length) {
        Arrays.fill(bytes, 0, length, (byte) 0);
        dirty.set(0, (length + PAGE - 1) / PAGE);
    }

    /** Adds the numbers of the pages that have been written since the last call to {@code pages}. */
    void takeDirty(BitSet pages) {
        pages.or(dirty);
        dirty.clear();
    }

    @Override
    public String stateName() {
        return "videoMemory";
    }

    /** Only pages that are not zero are written. */
    @Override
    public void save(StateWriter out) {
        int[] used = IntStream.range(0, bytes.length / PAGE).filter(this::isUsed).toArray();
        ByteArrayOutputStream content = new ByteArrayOutputStream(used.length * PAGE);
        for (int page : used) {
            content.write(bytes, page * PAGE, PAGE);
        }
        out.put("size", bytes.length).put("pages", used).put("count", used.length).put("content",
                content.toByteArray());
    }

    private boolean isUsed(int page) {
        for (int at = page * PAGE; at < (page + 1) * PAGE; at += Long.BYTES) {
            if ((long) LONGS.get(bytes, at) != 0) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.getInt("size", bytes.length, bytes.length);
        int[] used = new int[in.getInt("count", 0, bytes.length / PAGE)];
        in.get("pages", used);
        byte[] content = new byte[used.length * PAGE];
        in.get("content", content);
        clear(bytes.length);
        for (int i = 0; i < used.length; i++) {
            if (used[i] < 0 || used[i] >= bytes.length / PAGE) {
                throw new StateException("videoMemory.pages has a page " + used[i]);
            }
            System.arraycopy(content, i * PAGE, bytes, used[i] * PAGE, PAGE);
        }
    }
}
