package dev.xenolith.device.pci;

import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * The configuration space of a function with a type-0 header (PCI Local Bus Specification 3.0, 6.1 and 6.2): 256 bytes, each bit of
 * which is read-only, writable, or cleared by writing one.
 */
public final class ConfigSpace implements Saveable {
    public static final int SIZE = 256;
    /** Least size of an expansion ROM. */
    static final int MIN_EXPANSION_ROM = 2 << 10;
    /** Base address registers of a type-0 header. */
    public static final int BARS = 6;

    /** Registers. */
    public static final int VENDOR_ID = 0x00;
    public static final int DEVICE_ID = 0x02;
    public static final int COMMAND = 0x04;
    public static final int STATUS = 0x06;
    public static final int REVISION_ID = 0x08;
    public static final int CLASS_CODE = 0x09;
    public static final int HEADER_TYPE = 0x0e;
    public static final int BAR_0 = 0x10;
    public static final int SUBSYSTEM_VENDOR_ID = 0x2c;
    public static final int SUBSYSTEM_ID = 0x2e;
    public static final int EXPANSION_ROM = 0x30;
    public static final int CAPABILITIES = 0x34;
    public static final int INTERRUPT_LINE = 0x3c;
    public static final int INTERRUPT_PIN = 0x3d;

    public static final int COMMAND_IO = 1;
    public static final int COMMAND_MEMORY = 1 << 1;
    public static final int COMMAND_MASTER = 1 << 2;
    public static final int COMMAND_INTX_DISABLE = 1 << 10;
    public static final int STATUS_INTERRUPT = 1 << 3;
    public static final int STATUS_CAPABILITIES = 1 << 4;
    public static final int HEADER_MULTIFUNCTION = 0x80;

    private static final int BAR_IO = 1;
    private static final int BAR_64 = 4;
    private static final int BAR_PREFETCHABLE = 8;
    private static final int ROM_ENABLE = 1;
    /** A capability begins with its id and the offset of the next one. */
    private static final int CAPABILITY_NEXT = 1;

    /** Is told when a write may have moved a BAR, switched its decoding, or changed a capability. */
    @FunctionalInterface
    public interface Listener {
        void written(int register, int size);
    }

    private final byte[] bytes = new byte[SIZE];
    private final byte[] writable = new byte[SIZE];
    private final byte[] clearable = new byte[SIZE];
    private final List<Listener> listeners = new ArrayList<>();

    /** @param classCode base class, sub-class and interface: 24 bits */
    public ConfigSpace(int vendor, int device, int revision, int classCode) {
        set(VENDOR_ID, 2, vendor);
        set(DEVICE_ID, 2, device);
        set(REVISION_ID, 1, revision);
        set(CLASS_CODE, 3, classCode);
        allow(INTERRUPT_LINE, 1, 0xff);
    }

    /** One more who hears of writes by software, in the order of these calls; {@link #restore} counts as one of everything. */
    public ConfigSpace onWrite(Listener listener) {
        listeners.add(listener);
        return this;
    }

    private void written(int register, int size) {
        for (int i = 0; i < listeners.size(); i++) {
            listeners.get(i).written(register, size);
        }
    }

    /** Sets a register whatever software may do to it. */
    public ConfigSpace set(int register, int size, int value) {
        for (int i = 0; i < size; i++) {
            bytes[register + i] = (byte) (value >>> i * 8);
        }
        return this;
    }

    /** Lets software write the bits of {@code mask}. */
    public ConfigSpace allow(int register, int size, int mask) {
        for (int i = 0; i < size; i++) {
            writable[register + i] = (byte) (mask >>> i * 8);
        }
        return this;
    }

    /** Lets software clear the bits of {@code mask} by writing ones. */
    public ConfigSpace allowClear(int register, int size, int mask) {
        for (int i = 0; i < size; i++) {
            clearable[register + i] = (byte) (mask >>> i * 8);
        }
        return this;
    }

    /** Makes BAR {@code index} one of I/O ports; {@code size} is a power of two, 4 to 256. */
    public ConfigSpace ioBar(int index, int size) {
        checkBar(size, 4, 256);
        set(BAR_0 + 4 * index, 4, BAR_IO);
        allow(BAR_0 + 4 * index, 4, -size);
        return allow(COMMAND, 1, writable[COMMAND] | COMMAND_IO);
    }

    /** Makes BAR {@code index} one of memory below 4 GiB; {@code size} is a power of two, at least 16. */
    public ConfigSpace memoryBar(int index, int size, boolean prefetchable) {
        checkBar(size, 16, 1 << 30);
        set(BAR_0 + 4 * index, 4, prefetchable ? BAR_PREFETCHABLE : 0);
        allow(BAR_0 + 4 * index, 4, -size);
        return allow(COMMAND, 1, writable[COMMAND] | COMMAND_MEMORY);
    }

    /** Makes BAR {@code index} and the next one of memory anywhere; {@code size} is a power of two, at least 16. */
    public ConfigSpace memoryBar64(int index, long size, boolean prefetchable) {
        checkBar(size, 16, 1L << 62);
        set(BAR_0 + 4 * index, 4, BAR_64 | (prefetchable ? BAR_PREFETCHABLE : 0));
        allow(BAR_0 + 4 * index, 4, (int) -size);
        allow(BAR_0 + 4 * index + 4, 4, (int) (-size >>> 32));
        return allow(COMMAND, 1, writable[COMMAND] | COMMAND_MEMORY);
    }

    /** Gives the function an expansion ROM; {@code size} is a power of two, at least 2 KiB (6.2.5.2). */
    public ConfigSpace expansionRom(int size) {
        checkBar(size, MIN_EXPANSION_ROM, 16 << 20);
        allow(EXPANSION_ROM, 4, -size | ROM_ENABLE);
        return allow(COMMAND, 1, writable[COMMAND] | COMMAND_MEMORY);
    }

    /** Where the expansion ROM is, or -1 if its decoding is off or no address has been given to it. */
    public long expansionRomAddress() {
        int register = get(EXPANSION_ROM, 4);
        long address = register & ~0x7ffL & 0xffff_ffffL;
        boolean on = (register & ROM_ENABLE) != 0 && (bytes[COMMAND] & COMMAND_MEMORY) != 0;
        return on && address != 0 ? address : -1;
    }

    /** Puts capability {@code id}, whose first two bytes are set here, at {@code offset} and at the head of the list (6.7). */
    public ConfigSpace capability(int id, int offset) {
        set(offset, 1, id);
        set(offset + CAPABILITY_NEXT, 1, get(CAPABILITIES, 1));
        set(CAPABILITIES, 1, offset);
        return set(STATUS, 2, get(STATUS, 2) | STATUS_CAPABILITIES);
    }

    /** Whether software has set all bits of {@code mask} in the command register. */
    public boolean commands(int mask) {
        return (get(COMMAND, 2) & mask) == mask;
    }

    private static void checkBar(long size, long least, long most) {
        if (size < least || size > most || (size & size - 1) != 0) {
            throw new IllegalArgumentException("a BAR of " + size + " bytes");
        }
    }

    /** Where BAR {@code index} is, or -1 if its decoding is off or no address has been given to it. */
    public long bar(int index) {
        int low = get(BAR_0 + 4 * index, 4);
        boolean io = (low & BAR_IO) != 0;
        if ((bytes[COMMAND] & (io ? COMMAND_IO : COMMAND_MEMORY)) == 0) {
            return -1;
        }
        long address = io ? low & ~3L & 0xffff_ffffL : low & ~15L & 0xffff_ffffL;
        if (!io && (low & 6) == BAR_64) {
            address |= (long) get(BAR_0 + 4 * index + 4, 4) << 32;
        }
        return address == 0 ? -1 : address;
    }

    /** The register as software reads it: {@code size} (1 to 4) bytes, zero-extended below 4. */
    public int get(int register, int size) {
        int value = 0;
        for (int i = 0; i < size; i++) {
            value |= (bytes[register + i] & 0xff) << i * 8;
        }
        return value;
    }

    /** A write by software. */
    public void write(int register, int size, int value) {
        for (int i = register; i < register + size; i++) {
            int written = value >>> (i - register) * 8;
            bytes[i] = (byte) (bytes[i] & ~writable[i] & ~(written & clearable[i]) | written & writable[i]);
        }
        written(register, size);
    }

    @Override
    public String stateName() {
        return "config";
    }

    @Override
    public void save(StateWriter out) {
        out.put("bytes", bytes);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.get("bytes", bytes);
        written(0, SIZE);
    }
}
