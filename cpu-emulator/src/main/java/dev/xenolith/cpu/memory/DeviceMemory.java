package dev.xenolith.cpu.memory;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.BitSet;

/**
 * Memory that is a device's, such as a framebuffer. Where it is {@linkplain #place placed} in the physical address space it is memory like
 * any other for processors and bus masters; its bytes stay when it moves, and are the device's to read and write wherever it is,
 * placed or not. Which of its frames have been written is known.
 *
 * <p>Offsets are bytes from its start, at any alignment; one outside throws {@link IndexOutOfBoundsException}. Integers are
 * little-endian. Belongs to the machine thread.
 */
public final class DeviceMemory implements AutoCloseable {
    private static final long NOWHERE = -1;
    private static final int END_OF_FRAMES = -1;

    private final PhysicalMemory memory;
    private final int size;
    private final int frames;
    /** Holds the bytes while they are placed nowhere, and zeroes otherwise. */
    private final HostMapping home;
    private final BitSet written = new BitSet();
    private long place = NOWHERE;

    /** @param size a multiple of 4 KiB */
    public DeviceMemory(PhysicalMemory memory, int size) {
        if (size <= 0 || size % PhysicalMemory.FRAME_SIZE != 0) {
            throw new IllegalArgumentException("device memory of " + size + " bytes");
        }
        this.memory = memory;
        this.size = size;
        frames = size >>> PhysicalMemory.FRAME_SHIFT;
        home = HostMapping.create(size);
        written.set(0, frames);
    }

    /** Bytes. */
    public int size() {
        return size;
    }

    /** Frames of 4 KiB. */
    public int frames() {
        return frames;
    }

    /** Whether it can be placed at {@code address}: a multiple of 4 KiB with a hole in memory there that is large enough. */
    public boolean fits(long address) {
        return place == NOWHERE && (address & PhysicalMemory.FRAME_SIZE - 1) == 0
                && memory.isHole(address >>> PhysicalMemory.FRAME_SHIFT, frames);
    }

    /** Has it appear at physical {@code address}, where it {@link #fits}. */
    public void place(long address) {
        if (!fits(address)) {
            throw new IllegalArgumentException("device memory at 0x" + Long.toHexString(address));
        }
        place = address;
        memory.appear(firstFrame(), frames, home.address);
        home.discard(home.address, size);
        arm(0, frames);
    }

    /** Has it disappear. Does nothing if it is placed nowhere. */
    public void remove() {
        if (place != NOWHERE) {
            gatherWritten();
            memory.disappear(firstFrame(), frames, home.address);
            place = NOWHERE;
        }
    }

    private long firstFrame() {
        return place >>> PhysicalMemory.FRAME_SHIFT;
    }

    // ---- the device's accesses -----------------------------------------------------------------------------------------

    /** The {@code length} (1, 2, 4, 8) bytes at {@code offset}, zero-extended. */
    public long read(int offset, int length) {
        check(offset, length);
        return HostMemory.get(host() + offset, length);
    }

    /** Writes the low {@code length} (1, 2, 4, 8) bytes of {@code value}. */
    public void write(int offset, int length, long value) {
        check(offset, length);
        if (place != NOWHERE) {
            memory.write(place + offset, length, value);
        } else {
            HostMemory.put(home.address + offset, length, value);
            written.set(offset >>> PhysicalMemory.FRAME_SHIFT,
                    (offset + length - 1 >>> PhysicalMemory.FRAME_SHIFT) + 1);
        }
    }

    /** Copies {@code length} bytes at {@code offset} into {@code destination}. */
    public void copyOut(int offset, byte[] destination, int at, int length) {
        check(offset, length);
        HostMemory.copyOut(host() + offset, destination, at, length);
    }

    /** Copies {@code length} bytes of {@code source} to {@code offset}. */
    public void copyIn(byte[] source, int at, int offset, int length) {
        check(offset, length);
        if (place != NOWHERE) {
            memory.copyIn(source, at, place + offset, length);
        } else if (length > 0) {
            HostMemory.copyIn(source, at, home.address + offset, length);
            written.set(offset >>> PhysicalMemory.FRAME_SHIFT,
                    (offset + length - 1 >>> PhysicalMemory.FRAME_SHIFT) + 1);
        }
    }

    /** Sets all bytes to zero. */
    public void clear() {
        if (place != NOWHERE) {
            memory.discardFrames(firstFrame(), frames);
        } else {
            home.discard(home.address, size);
            written.set(0, frames);
        }
    }

    private long host() {
        return place == NOWHERE ? home.address : memory.hostBase() + place;
    }

    private void check(int offset, int length) {
        if (offset < 0 || length < 0 || offset > size - length) {
            throw new IndexOutOfBoundsException(length + " bytes at " + offset + " of " + size);
        }
    }

    // ---- what has been written -----------------------------------------------------------------------------------------

    /** Adds the frames written since the last call to {@code frames}, counted from this memory's start; at first, all. */
    public void takeWritten(BitSet taken) {
        gatherWritten();
        taken.or(written);
        written.clear();
    }

    private void gatherWritten() {
        if (place == NOWHERE) {
            return;
        }
        int frame = 0;
        while (frame < frames) {
            int first = frame;
            while (frame < frames && memory.isDirty(firstFrame() + frame)) {
                frame++;
            }
            if (frame > first) {
                written.set(first, frame);
                arm(first, frame - first);
            } else {
                frame++;
            }
        }
    }

    private void arm(int first, int count) {
        memory.armDirtyLog(firstFrame() + first, count);
    }

    // ---- state ---------------------------------------------------------------------------------------------------------

    /** Writes the contents: for each frame that is not all zero its number and bytes, then -1. Where it is placed is not part of it. */
    public void save(DataOutput out) throws IOException {
        byte[] bytes = new byte[PhysicalMemory.FRAME_SIZE];
        for (int frame = 0; frame < frames; frame++) {
            int offset = frame << PhysicalMemory.FRAME_SHIFT;
            if (!HostMemory.isZero(host() + offset, PhysicalMemory.FRAME_SIZE)) {
                copyOut(offset, bytes, 0, bytes.length);
                out.writeInt(frame);
                out.write(bytes);
            }
        }
        out.writeInt(END_OF_FRAMES);
    }

    /** Replaces the contents by what {@link #save} wrote for memory of this size; an {@link IOException} says that it did not. */
    public void restore(DataInput in) throws IOException {
        clear();
        byte[] bytes = new byte[PhysicalMemory.FRAME_SIZE];
        for (int frame = in.readInt(); frame != END_OF_FRAMES; frame = in.readInt()) {
            if (frame < 0 || frame >= frames) {
                throw new IOException("saved frame " + frame + " of device memory that has " + frames);
            }
            in.readFully(bytes);
            copyIn(bytes, 0, frame << PhysicalMemory.FRAME_SHIFT, bytes.length);
        }
    }

    /** Gives the host's memory back. The machine's own memory is closed by itself. */
    @Override
    public void close() {
        home.close();
    }
}
