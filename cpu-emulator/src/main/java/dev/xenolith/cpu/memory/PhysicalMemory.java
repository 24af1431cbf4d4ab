package dev.xenolith.cpu.memory;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;

/**
 * The memory of a machine: RAM and ROM over the whole physical address space, at {@code hostBase + physical address} on the
 * host, with {@linkplain Attention attention bits} per 4 KiB frame.
 *
 * <p>Each write by Java goes through an accessor here, which drops decoded code, marks dirty frames and tells watchers before
 * any byte changes. Addresses outside memory are a caller's error and throw {@link IndexOutOfBoundsException}; addresses that
 * come from a guest are checked with {@link #contains} first. Integers are little-endian, at any alignment, and may cross
 * frames. Belongs to the machine thread.
 */
public final class PhysicalMemory implements AutoCloseable {
    public static final int FRAME_SHIFT = 12;
    public static final int FRAME_SIZE = 1 << FRAME_SHIFT;
    /** Bytes of a granule, the unit in which writes are told apart from code in the same frame. */
    public static final int CODE_GRANULE = 128;

    private static final int OFFSET_MASK = FRAME_SIZE - 1;
    private static final int END_OF_FRAMES = -1;

    private final MemoryLayout layout;
    private final HostMapping mapping;
    private final long hostBase;
    private byte[] attention;
    private int[] codeGranules;
    private long codeChanges;
    private FrameListener[] listeners = {};
    private final MonitoredLines monitoredLines = new MonitoredLines(this);

    /** Maps the memory that {@code layout} describes; all of it reads as zero and costs nothing until touched. */
    public PhysicalMemory(MemoryLayout layout) {
        this.layout = layout;
        int frames = Math.toIntExact(layout.end() >>> FRAME_SHIFT);
        attention = new byte[frames];
        codeGranules = new int[frames];
        Arrays.fill(attention, (byte) Attention.ABSENT);
        for (MemoryLayout.Region region : layout.regions()) {
            int bits = region.kind() == MemoryLayout.Kind.ROM ? Attention.ROM : 0;
            Arrays.fill(attention, frameOf(region.start()), frameOf(region.end()), (byte) bits);
        }
        mapping = HostMapping.create(layout.end());
        hostBase = mapping.address;
        listeners = new FrameListener[]{monitoredLines};
    }

    /** Where memory stands. */
    public MemoryLayout layout() {
        return layout;
    }

    /** The lines that processors monitor. */
    public MonitoredLines monitoredLines() {
        return monitoredLines;
    }

    /** Frames from address 0 to the end of memory, holes included. */
    public int frames() {
        return attention.length;
    }

    public void addListener(FrameListener listener) {
        listeners = Arrays.copyOf(listeners, listeners.length + 1);
        listeners[listeners.length - 1] = listener;
    }

    /** Host address of physical address 0; valid only for addresses that are memory, and for reading unless attended to. */
    public long hostBase() {
        return hostBase;
    }

    /** Whether {@code frame}, any value, is memory. */
    public boolean isMemory(long frame) {
        return frame >= 0 && frame < attention.length && attention[(int) frame] >= 0;
    }

    /** Whether all {@code length} bytes at {@code address}, any values, are memory. */
    public boolean contains(long address, long length) {
        if (address < 0 || length < 0 || length > layout.end() - address) {
            return false;
        }
        long last = length == 0 ? address : address + length - 1;
        for (long frame = address >>> FRAME_SHIFT; frame <= last >>> FRAME_SHIFT; frame++) {
            if (!isMemory(frame)) {
                return false;
            }
        }
        return true;
    }

    // ---- reading ---------------------------------------------------------------------------------------------------

    /** Byte at {@code address}, zero-extended. */
    public int read8(long address) {
        return HostMemory.get8(check(address, 1));
    }

    /** Two bytes at {@code address}, zero-extended. */
    public int read16(long address) {
        return HostMemory.get16(check(address, 2));
    }

    public int read32(long address) {
        return HostMemory.get32(check(address, 4));
    }

    public long read64(long address) {
        return HostMemory.get64(check(address, 8));
    }

    /** The {@code size} (1, 2, 4, 8) bytes at {@code address}, zero-extended. */
    public long read(long address, int size) {
        return HostMemory.get(check(address, size), size);
    }

    /** Copies {@code length} bytes at {@code address} into {@code destination}. */
    public void copyOut(long address, byte[] destination, int offset, int length) {
        HostMemory.copyOut(check(address, length), destination, offset, length);
    }

    /** A hash of the {@code length} bytes (a multiple of 8) at {@code address}, the same on every host. */
    public long digest(long address, long length) {
        long host = check(address, length);
        long hash = 0x9e37_79b9_7f4a_7c15L ^ length;
        for (long i = 0; i < length; i += 8) {
            hash = Long.rotateLeft(hash ^ HostMemory.get64(host + i) * 0xc2b2_ae3d_27d4_eb4fL, 31)
                    * 0x9e37_79b1_85eb_ca87L;
        }
        return hash ^ hash >>> 32;
    }

    /** Whether {@code count} frames from {@code firstFrame} hold only zeros. */
    public boolean isZero(long firstFrame, long count) {
        long host = check(firstFrame << FRAME_SHIFT, count << FRAME_SHIFT);
        return HostMemory.isZero(host, count << FRAME_SHIFT);
    }

    // ---- writing ---------------------------------------------------------------------------------------------------

    /** Writes the low byte of {@code value}. */
    public void write8(long address, int value) {
        HostMemory.put8(attend(address, 1), value);
    }

    /** Writes the low two bytes of {@code value}. */
    public void write16(long address, int value) {
        HostMemory.put16(attend(address, 2), value);
    }

    public void write32(long address, int value) {
        HostMemory.put32(attend(address, 4), value);
    }

    public void write64(long address, long value) {
        HostMemory.put64(attend(address, 8), value);
    }

    /** Writes the low {@code size} (1, 2, 4, 8) bytes of {@code value}. */
    public void write(long address, int size, long value) {
        HostMemory.put(attend(address, size), size, value);
    }

    /**
     * Stores {@code value} in the {@code size} (1, 2, 4, 8) bytes at {@code address} if they equal {@code expected}; returns
     * the bytes found, zero-extended.
     */
    public long compareExchange(long address, int size, long expected, long value) {
        return HostMemory.compareExchange(attend(address, size), size, expected, value);
    }

    /** Copies {@code length} bytes of {@code source} to {@code address}. */
    public void copyIn(byte[] source, int offset, long address, int length) {
        HostMemory.copyIn(source, offset, attend(address, length), length);
    }

    /** Copies {@code length} bytes within memory; the ranges may overlap. */
    public void copy(long source, long destination, long length) {
        long from = check(source, length);
        HostMemory.copy(from, attend(destination, length), length);
    }

    /** Sets {@code length} bytes at {@code address} to {@code value}. */
    public void fill(long address, long length, int value) {
        HostMemory.fill(attend(address, length), length, value);
    }

    /** Zeroes one frame. */
    public void zeroFrame(long frame) {
        fill(frame << FRAME_SHIFT, FRAME_SIZE, 0);
    }

    /** Zeroes {@code count} frames and gives their memory back to the host; cheaper than filling for long runs. */
    public void discardFrames(long firstFrame, long count) {
        long bytes = count << FRAME_SHIFT;
        mapping.discard(attend(firstFrame << FRAME_SHIFT, bytes), bytes);
    }

    /**
     * Tells the host that all of these frames are about to be used, so that whole 2 MiB runs in them get huge pages: first
     * touch is four times cheaper. Not for small domains: a touched byte then costs 2 MiB.
     */
    public void adviseHugePages(long firstFrame, long count) {
        long bytes = count << FRAME_SHIFT;
        mapping.adviseHugePages(check(firstFrame << FRAME_SHIFT, bytes), bytes);
    }

    // ---- attention -------------------------------------------------------------------------------------------------

    /** {@linkplain Attention Attention bits} of {@code frame}, any value; {@link Attention#ABSENT} if it is not memory. */
    public int attention(long frame) {
        return frame >= 0 && frame < attention.length ? attention[(int) frame] & 0xff : Attention.ABSENT;
    }

    /** Bit i set: bytes 128 i to 128 i + 127 of {@code frame} hold decoded code. */
    public int codeGranules(long frame) {
        return codeGranules[checkFrame(frame)];
    }

    /** How often code has changed. */
    public long codeChanges() {
        return codeChanges;
    }

    /** Notes that {@code granules} (bit i: bytes 128 i to 128 i + 127) of {@code frame} hold decoded code. */
    public void markCode(long frame, int granules) {
        int i = checkFrame(frame);
        codeGranules[i] |= granules;
        addAttention(frame, Attention.CODE);
    }

    /** Arms dirty logging for {@code count} frames and forgets what they were. */
    public void armDirtyLog(long firstFrame, long count) {
        for (long frame = firstFrame; frame < firstFrame + count; frame++) {
            int i = checkFrame(frame);
            attention[i] = (byte) ((attention[i] & ~Attention.DIRTY) | Attention.LOG);
        }
        writeAttentionAdded(firstFrame, count);
    }

    /** Stops dirty logging for {@code count} frames. */
    public void stopDirtyLog(long firstFrame, long count) {
        for (long frame = firstFrame; frame < firstFrame + count; frame++) {
            attention[checkFrame(frame)] &= (byte) ~(Attention.DIRTY | Attention.LOG);
        }
    }

    /** Whether {@code frame} was written since dirty logging was armed. */
    public boolean isDirty(long frame) {
        return (attention[checkFrame(frame)] & Attention.DIRTY) != 0;
    }

    /** Starts or stops reporting writes to {@code frame} to the listeners. */
    public void watch(long frame, boolean on) {
        if (on) {
            addAttention(frame, Attention.WATCH);
        } else {
            attention[checkFrame(frame)] &= (byte) ~Attention.WATCH;
        }
    }

    /** Makes {@code count} frames RAM, or memory whose writes by a guest are ignored. Java's own writes always count. */
    public void protect(long firstFrame, long count, boolean rom) {
        for (long frame = firstFrame; frame < firstFrame + count; frame++) {
            int i = checkFrame(frame);
            attention[i] = (byte) (rom ? attention[i] | Attention.ROM : attention[i] & ~Attention.ROM);
        }
        if (rom) {
            writeAttentionAdded(firstFrame, count);
        }
    }

    /** A guest's write to a ROM frame: those who have asked hear of it, and nothing else happens. */
    public void ignoreWrite(long address, int size, long value) {
        for (FrameListener listener : listeners) {
            listener.writeIgnored(address, size, value);
        }
    }

    // ---- devices' memory -------------------------------------------------------------------------------------------

    /** Whether {@code count} frames from {@code firstFrame}, any values, are all a hole in which memory may appear. */
    boolean isHole(long firstFrame, long count) {
        if (firstFrame < 0 || firstFrame > attention.length - count) {
            return false;
        }
        for (long frame = firstFrame; frame < firstFrame + count; frame++) {
            if (isMemory(frame)) {
                return false;
            }
        }
        return true;
    }

    /** Has memory of a device appear in a hole, with what is at {@code source} on the host. */
    void appear(long firstFrame, long count, long source) {
        Arrays.fill(attention, (int) firstFrame, (int) (firstFrame + count), (byte) Attention.DEVICE);
        copyFrames(source, hostBase + (firstFrame << FRAME_SHIFT), count);
        framesMoved();
    }

    /** Has it disappear; its bytes go to {@code destination} on the host, which holds zeroes. */
    void disappear(long firstFrame, long count, long destination) {
        for (long frame = firstFrame; frame < firstFrame + count; frame++) {
            dropCode((int) frame);
        }
        copyFrames(hostBase + (firstFrame << FRAME_SHIFT), destination, count);
        mapping.discard(hostBase + (firstFrame << FRAME_SHIFT), count << FRAME_SHIFT);
        Arrays.fill(attention, (int) firstFrame, (int) (firstFrame + count), (byte) Attention.ABSENT);
        framesMoved();
    }

    /** Copies frames to where there are zeroes; what is zero is not touched. */
    private static void copyFrames(long source, long destination, long count) {
        for (long at = 0; at < count << FRAME_SHIFT; at += FRAME_SIZE) {
            if (!HostMemory.isZero(source + at, FRAME_SIZE)) {
                HostMemory.copy(source + at, destination + at, FRAME_SIZE);
            }
        }
    }

    private void framesMoved() {
        for (FrameListener listener : listeners) {
            listener.framesMoved();
        }
    }

    // ---- attention bits --------------------------------------------------------------------------------------------

    private void addAttention(long frame, int bits) {
        int i = checkFrame(frame);
        if ((attention[i] & bits) != bits) {
            attention[i] |= (byte) bits;
            writeAttentionAdded(frame, 1);
        }
    }

    private void writeAttentionAdded(long firstFrame, long count) {
        for (FrameListener listener : listeners) {
            listener.writeAttentionAdded(firstFrame, count);
        }
    }

    // ---- the door --------------------------------------------------------------------------------------------------

    /** Host address of {@code address} after checking that {@code length} bytes there are memory. */
    private long check(long address, long length) {
        if (((address & OFFSET_MASK) + length > FRAME_SIZE || length < 0 || !isMemory(address >>> FRAME_SHIFT))
                && !contains(address, length)) {
            throw outside(address, length);
        }
        return hostBase + address;
    }

    /** As {@link #check}, and does what the frames' attention bits ask before a write. */
    private long attend(long address, long length) {
        long host = check(address, length);
        long end = address + length;
        for (long at = address; at < end; at = (at | OFFSET_MASK) + 1) {
            int frame = (int) (at >>> FRAME_SHIFT);
            if ((attention[frame] & (Attention.CODE | Attention.LOG | Attention.WATCH)) != 0) {
                attend(frame, at, (int) (Math.min(end, (at | OFFSET_MASK) + 1) - at));
            }
        }
        return host;
    }

    private void attend(int frame, long address, int length) {
        int bits = attention[frame];
        if ((bits & Attention.LOG) != 0) {
            attention[frame] = (byte) ((bits & ~Attention.LOG) | Attention.DIRTY);
        }
        if ((bits & Attention.CODE) != 0 && (codeGranules[frame] & granules(address, length)) != 0) {
            dropCode(frame);
        }
        if ((bits & Attention.WATCH) != 0) {
            for (FrameListener listener : listeners) {
                listener.watchedWrite(address, length);
            }
        }
    }

    private void dropCode(int frame) {
        if ((attention[frame] & Attention.CODE) != 0) {
            attention[frame] &= (byte) ~Attention.CODE;
            codeGranules[frame] = 0;
            codeChanges++;
            for (FrameListener listener : listeners) {
                listener.codeChanging(frame);
            }
        }
    }

    /** The granules that {@code length} bytes at {@code address}, within one frame, touch. */
    public static int granules(long address, int length) {
        int first = (int) (address & OFFSET_MASK) / CODE_GRANULE;
        int last = (int) ((address & OFFSET_MASK) + length - 1) / CODE_GRANULE;
        return (-1 << first) & (-1 >>> (31 - last));
    }

    private int checkFrame(long frame) {
        if (!isMemory(frame)) {
            throw outside(frame << FRAME_SHIFT, FRAME_SIZE);
        }
        return (int) frame;
    }

    private static int frameOf(long address) {
        return (int) (address >>> FRAME_SHIFT);
    }

    private static IndexOutOfBoundsException outside(long address, long length) {
        return new IndexOutOfBoundsException(
                "physical address 0x" + Long.toHexString(address) + ", " + length + " bytes: not memory");
    }

    // ---- state -----------------------------------------------------------------------------------------------------

    /**
     * Writes the contents: for each frame that is not all zero its number and bytes, then -1. Marks are not state, and memory of
     * devices is theirs.
     */
    public void save(DataOutput out) throws IOException {
        byte[] bytes = new byte[FRAME_SIZE];
        for (int frame = 0; frame < attention.length; frame++) {
            if ((attention[frame] & (Attention.ABSENT | Attention.DEVICE)) == 0 && !isZero(frame, 1)) {
                copyOut((long) frame << FRAME_SHIFT, bytes, 0, FRAME_SIZE);
                out.writeInt(frame);
                out.write(bytes);
            }
        }
        out.writeInt(END_OF_FRAMES);
    }

    /** Replaces the contents by what {@link #save} wrote on a machine with the same layout. */
    public void restore(DataInput in) throws IOException {
        for (MemoryLayout.Region region : layout.regions()) {
            discardFrames(region.start() >>> FRAME_SHIFT, region.length() >>> FRAME_SHIFT);
        }
        byte[] bytes = new byte[FRAME_SIZE];
        for (int frame = in.readInt(); frame != END_OF_FRAMES; frame = in.readInt()) {
            if (!isMemory(frame)) {
                throw new IOException("saved frame 0x" + Integer.toHexString(frame) + " is not memory of this machine");
            }
            in.readFully(bytes);
            copyIn(bytes, 0, (long) frame << FRAME_SHIFT, FRAME_SIZE);
        }
    }

    /** Unmaps the memory. No processor of the machine may run afterwards; accessors here throw. */
    @Override
    public void close() {
        attention = new byte[0];
        codeGranules = new int[0];
        mapping.close();
    }
}
