package dev.xenolith.device.firmware;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** The address map that INT 15h, function E820 gives (ACPI 6.4, 15.1): what software may use as memory. */
public record E820(List<Entry> entries) {
    public static final int RAM = 1;
    public static final int RESERVED = 2;
    /** Bytes of an entry as BIOS, Linux and fw_cfg have it. */
    public static final int ENTRY_SIZE = 20;

    /** {@code length} bytes from {@code start}, of type RAM, RESERVED, or another of the ACPI specification. */
    public record Entry(long start, long length, int type) {
        public long end() {
            return start + length;
        }
    }

    public E820 {
        entries = List.copyOf(entries);
    }

    /** All entries as start, length and type. */
    public byte[] encode() {
        ByteBuffer bytes = ByteBuffer.allocate(entries.size() * ENTRY_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        for (Entry entry : entries) {
            bytes.putLong(entry.start).putLong(entry.length).putInt(entry.type);
        }
        return bytes.array();
    }

    /** Whether all {@code length} bytes at {@code address} are RAM of one entry. */
    public boolean isRam(long address, long length) {
        return entries.stream().anyMatch(entry -> entry.type == RAM && address >= entry.start && length >= 0
                && length <= entry.end() - address);
    }
}
