package dev.xenolith.hypervisor.control;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.operations.SharedPage;

/** Frames that a Java domain has mapped, seen as one range. What keeps them, and lets them go, is the caller's {@code release}. */
final class MappedFrames implements SharedPage {
    private static final int SHIFT = PhysicalMemory.FRAME_SHIFT;
    private static final int SIZE = PhysicalMemory.FRAME_SIZE;

    private final PhysicalMemory ram;
    private final long[] frames;
    private final boolean readOnly;
    private final Runnable release;
    private boolean unmapped;

    /**
     * @param release gives back the references of all frames; called once
     */
    MappedFrames(PhysicalMemory ram, long[] frames, boolean readOnly, Runnable release) {
        this.ram = ram;
        this.frames = frames;
        this.readOnly = readOnly;
        this.release = release;
    }

    @Override
    public int size() {
        return frames.length * SIZE;
    }

    /** Physical address of {@code offset}, checked for {@code width} bytes, which lie in one frame if they do not cross one. */
    private long address(int offset, int width) {
        if (unmapped) {
            throw new IllegalStateException("the mapping has been given back");
        }
        if (offset < 0 || offset > size() - width) {
            throw new IndexOutOfBoundsException(offset + " + " + width + " in " + size());
        }
        return (frames[offset >> SHIFT] << SHIFT) + (offset & SIZE - 1);
    }

    private static boolean crosses(int offset, int width) {
        return (offset & SIZE - 1) > SIZE - width;
    }

    private long get(int offset, int width) {
        long address = address(offset, width);
        if (!crosses(offset, width)) {
            return ram.read(address, width);
        }
        long value = 0;
        for (int i = 0; i < width; i++) {
            value |= (long) ram.read8(address(offset + i, 1)) << 8 * i;
        }
        return value;
    }

    private void put(int offset, int width, long value) {
        long address = writable(offset, width);
        if (!crosses(offset, width)) {
            ram.write(address, width, value);
            return;
        }
        for (int i = 0; i < width; i++) {
            ram.write8(address(offset + i, 1), (int) (value >>> 8 * i) & 0xff);
        }
    }

    private long writable(int offset, int width) {
        if (readOnly) {
            throw new IllegalStateException("the mapping is read-only");
        }
        return address(offset, width);
    }

    @Override
    public int get8(int offset) {
        return (int) get(offset, 1) & 0xff;
    }

    @Override
    public int get16(int offset) {
        return (int) get(offset, 2) & 0xffff;
    }

    @Override
    public int get32(int offset) {
        return (int) get(offset, 4);
    }

    @Override
    public long get64(int offset) {
        return get(offset, 8);
    }

    @Override
    public void put8(int offset, int value) {
        put(offset, 1, value);
    }

    @Override
    public void put16(int offset, int value) {
        put(offset, 2, value);
    }

    @Override
    public void put32(int offset, int value) {
        put(offset, 4, value);
    }

    @Override
    public void put64(int offset, long value) {
        put(offset, 8, value);
    }

    @Override
    public void read(int offset, byte[] target, int targetOffset, int length) {
        for (int done = 0; done < length;) {
            int chunk = Math.min(length - done, SIZE - (offset + done & SIZE - 1));
            ram.copyOut(address(offset + done, chunk), target, targetOffset + done, chunk);
            done += chunk;
        }
    }

    @Override
    public void write(int offset, byte[] source, int sourceOffset, int length) {
        for (int done = 0; done < length;) {
            int chunk = Math.min(length - done, SIZE - (offset + done & SIZE - 1));
            ram.copyIn(source, sourceOffset + done, writable(offset + done, chunk), chunk);
            done += chunk;
        }
    }

    @Override
    public boolean compareAndSet16(int offset, int expected, int value) {
        return ram.compareExchange(writable(offset, 2), 2, expected & 0xffff, value & 0xffff) == (expected & 0xffff);
    }

    @Override
    public void unmap() {
        if (!unmapped) {
            unmapped = true;
            release.run();
        }
    }
}
