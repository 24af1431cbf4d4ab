package dev.xenolith.cpu.memory;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What answers at each physical address: memory, a device, or nothing. Reads where nothing answers give all ones, writes there
 * and to ROM are lost, as on a PC's bus. Any address is valid; nothing here throws for what a guest may do.
 *
 * <p>Devices are few and looked up by bisection; processors keep the device of a page in their own small table.
 */
public final class PhysicalMap {
    /** A device's place. */
    private record Window(String name, long start, long length, MmioDevice device) {}

    private final PhysicalMemory memory;
    private Window[] windows = {};
    private int version;

    public PhysicalMap(PhysicalMemory memory) {
        this.memory = memory;
    }

    public PhysicalMemory memory() {
        return memory;
    }

    /** Changes whenever a device is mapped or unmapped: what was remembered of {@link #device} is then void. */
    public int version() {
        return version;
    }

    /**
     * Maps {@code device} at {@code length} bytes from {@code start}. A device over memory is not seen. Throws
     * {@link IllegalArgumentException} if another device is there.
     */
    public void map(long start, long length, MmioDevice device) {
        map(device.getClass().getSimpleName(), start, length, device);
    }

    /** The same for a device that is called {@code name} where accesses are told of. */
    public void map(String name, long start, long length, MmioDevice device) {
        if (start < 0 || length <= 0 || start + length < 0) {
            throw new IllegalArgumentException(
                    "not a physical range: 0x" + Long.toHexString(start) + ", length " + length);
        }
        int at = firstEndingAfter(start);
        if (!isFree(start, length)) {
            throw new IllegalArgumentException("0x" + Long.toHexString(start) + ": another device is mapped here");
        }
        Window[] grown = Arrays.copyOf(windows, windows.length + 1);
        System.arraycopy(windows, at, grown, at + 1, windows.length - at);
        grown[at] = new Window(name, start, length, device);
        windows = grown;
        version++;
    }

    /** Whether no device is mapped at any of {@code length} bytes from {@code start}. */
    public boolean isFree(long start, long length) {
        int at = firstEndingAfter(start);
        return at == windows.length || windows[at].start >= start + length;
    }

    /** Name of the device at {@code address}, or null. */
    public @Nullable String nameAt(long address) {
        Window window = find(address, 1);
        return window == null ? null : window.name;
    }

    /** Removes the device mapped at exactly {@code start}; does nothing if there is none. */
    public void unmap(long start) {
        windows = Arrays.stream(windows).filter(window -> window.start != start).toArray(Window[]::new);
        version++;
    }

    /** The {@code size} (1, 2, 4, 8) bytes at {@code address}, zero-extended; they may cross into another frame. */
    public long read(long address, int size) {
        if (memory.contains(address, size)) {
            return memory.read(address, size);
        }
        if (crossesFrame(address, size)) {
            long value = 0;
            for (int i = 0; i < size; i++) {
                value |= read(address + i, 1) << (8 * i);
            }
            return value;
        }
        Window window = find(address, size);
        return (window == null ? -1 : window.device.read(address - window.start, size)) & mask(size);
    }

    /** Writes the low {@code size} bytes of {@code value} at {@code address}. */
    public void write(long address, int size, long value) {
        if (crossesFrame(address, size)) {
            for (int i = 0; i < size; i++) {
                write(address + i, 1, value >>> (8 * i));
            }
        } else if (memory.contains(address, size)) {
            if ((memory.attention(address >>> PhysicalMemory.FRAME_SHIFT) & Attention.ROM) == 0) {
                memory.write(address, size, value);
            } else {
                memory.ignoreWrite(address, size, value);
            }
        } else {
            Window window = find(address, size);
            if (window != null) {
                window.device.write(address - window.start, size, value & mask(size));
            }
        }
    }

    private @Nullable Window find(long address, int size) {
        int at = firstEndingAfter(address);
        return at < windows.length && windows[at].start <= address
                && address + size <= windows[at].start + windows[at].length ? windows[at] : null;
    }

    /** Index of the first window that ends after {@code address}. */
    private int firstEndingAfter(long address) {
        int low = 0;
        int high = windows.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (windows[middle].start + windows[middle].length > address) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    private static boolean crossesFrame(long address, int size) {
        return (address & (PhysicalMemory.FRAME_SIZE - 1)) + size > PhysicalMemory.FRAME_SIZE;
    }

    private static long mask(int size) {
        return size == 8 ? -1 : (1L << (size * 8)) - 1;
    }
}
