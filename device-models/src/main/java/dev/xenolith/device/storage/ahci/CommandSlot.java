package dev.xenolith.device.storage.ahci;

import dev.xenolith.device.Dma;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * A command of the list (4.2.2): its header, read once, and how far its data have gone through the table of physical region
 * descriptors (4.2.3).
 */
final class CommandSlot implements Saveable {
    /** Bytes of a header, and of the command FIS. */
    static final int HEADER = 32;
    static final int COMMAND_FIS = 64;
    /** Most bytes of a command packet. */
    static final int PACKET = 16;

    private static final int HEADER_CLEAR_BUSY = 1 << 10;
    private static final int PACKET_PLACE = 0x40;
    private static final int DESCRIPTORS = 0x80;
    private static final int DESCRIPTOR = 16;
    private static final int COUNT = 4;
    private static final int TABLE_ALIGNMENT = 128;
    private static final int DESCRIPTOR_BYTES = 0x3f_ffff;
    private static final int DESCRIPTOR_INTERRUPT = 1 << 31;
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private final int number;
    private final Dma memory;
    private long header;
    private long table;
    private int descriptors;
    private boolean clearsBusy;
    /** Number of the next descriptor; the one before: place, size, and how much of it has been used. */
    private int next;
    private long place;
    private int size;
    private int used;
    private boolean interrupts;
    private int moved;

    CommandSlot(int number, Dma memory) {
        this.number = number;
        this.memory = memory;
    }

    /** Reads the header from the list at {@code list}, and returns the command FIS. */
    byte[] load(long list) {
        header = list + (long) number * HEADER;
        byte[] bytes = new byte[HEADER];
        memory.read(header, bytes, 0, HEADER);
        int options = (int) INT.get(bytes, 0);
        clearsBusy = (options & HEADER_CLEAR_BUSY) != 0;
        descriptors = options >>> 16;
        table = ((int) INT.get(bytes, 8) & 0xffff_ffffL | (long) (int) INT.get(bytes, 12) << 32) & -TABLE_ALIGNMENT;
        next = 0;
        size = 0;
        used = 0;
        moved = 0;
        interrupts = false;
        byte[] fis = new byte[COMMAND_FIS];
        memory.read(table, fis, 0, COMMAND_FIS);
        return fis;
    }

    /** Whether BSY is cleared as soon as the command has been sent. */
    boolean clearsBusy() {
        return clearsBusy;
    }

    /** Copies the command packet. */
    void packet(byte[] bytes, int offset, int length) {
        memory.read(table + PACKET_PLACE, bytes, offset, Math.min(length, PACKET));
    }

    /** Moves data between memory and {@code bytes}. Returns how many bytes there was room for, or were there. */
    int move(boolean toMemory, byte[] bytes, int offset, int length) {
        int done = 0;
        while (done < length && (used < size || loadDescriptor())) {
            int now = Math.min(length - done, size - used);
            if (toMemory) {
                memory.write(place + used, bytes, offset + done, now);
            } else {
                memory.read(place + used, bytes, offset + done, now);
            }
            used += now;
            done += now;
        }
        moved += done;
        return done;
    }

    private boolean loadDescriptor() {
        if (next == descriptors) {
            return false;
        }
        byte[] bytes = new byte[DESCRIPTOR];
        memory.read(table + DESCRIPTORS + (long) next * DESCRIPTOR, bytes, 0, DESCRIPTOR);
        next++;
        place = ((int) INT.get(bytes, 0) & 0xffff_ffffL | (long) (int) INT.get(bytes, 4) << 32) & -2;
        int last = (int) INT.get(bytes, 12);
        // Always an even number of bytes.
        size = (last & DESCRIPTOR_BYTES | 1) + 1;
        interrupts |= (last & DESCRIPTOR_INTERRUPT) != 0;
        used = 0;
        return true;
    }

    /** Whether a descriptor that has been used wants an interrupt; told once. */
    boolean takeInterrupt() {
        boolean wanted = interrupts;
        interrupts = false;
        return wanted;
    }

    /** Writes how many bytes have been moved to the header, PRDBC. */
    void writeCount() {
        byte[] bytes = new byte[4];
        INT.set(bytes, 0, moved);
        memory.write(header + COUNT, bytes, 0, 4);
    }

    @Override
    public String stateName() {
        return "slot" + number;
    }

    @Override
    public void save(StateWriter out) {
        out.put("header", header).put("table", table).put("descriptors", descriptors).put("clearsBusy", clearsBusy);
        out.put("next", next).put("place", place).put("size", size).put("used", used).put("interrupts", interrupts);
        out.put("moved", moved);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        header = in.getLong("header");
        table = in.getLong("table");
        descriptors = in.getInt("descriptors", 0, 0xffff);
        clearsBusy = in.getBoolean("clearsBusy");
        next = in.getInt("next", 0, descriptors);
        place = in.getLong("place");
        size = in.getInt("size", 0, DESCRIPTOR_BYTES + 1);
        used = in.getInt("used", 0, size);
        interrupts = in.getBoolean("interrupts");
        moved = in.getInt("moved");
    }
}
