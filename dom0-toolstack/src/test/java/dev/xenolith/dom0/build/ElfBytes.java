package dev.xenolith.dom0.build;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Makes small ELF files for tests: one or two loadable segments and the Xen notes asked for. */
final class ElfBytes {
    static final long VIRT_BASE = 0xffff_ffff_8000_0000L;
    private static final int HEADERS = 64 + 3 * 56;

    private final List<byte[]> notes = new ArrayList<>();
    private long physical = 0x10_0000;
    private long memorySize = 0x3000;
    private byte[] content = new byte[0x1000];
    /** Physical address of a second loadable segment, of a page of zeros. */
    private long second = -1;
    private int elfClass = 2;
    private int machine = 62;

    /** A kernel that can be loaded. */
    static ElfBytes kernel() {
        return new ElfBytes().note(XenNotes.VIRT_BASE, VIRT_BASE).note(XenNotes.ENTRY, VIRT_BASE + 0x10_0000)
                .note(XenNotes.GUEST_OS, "test").note(XenNotes.XEN_VERSION, "xen-3.0");
    }

    ElfBytes note(int type, long value) {
        return note(type, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
    }

    ElfBytes note(int type, String text) {
        return note(type, (text + "\0").getBytes(StandardCharsets.US_ASCII));
    }

    ElfBytes note(int type, byte[] value) {
        ByteBuffer note = ByteBuffer.allocate(16 + (value.length + 3) / 4 * 4).order(ByteOrder.LITTLE_ENDIAN);
        note.putInt(4).putInt(value.length).putInt(type).put(new byte[]{'X', 'e', 'n', 0}).put(value);
        notes.add(note.array());
        return this;
    }

    ElfBytes loadedAt(long address, long size) {
        physical = address;
        memorySize = size;
        return this;
    }

    ElfBytes secondAt(long address) {
        second = address;
        return this;
    }

    ElfBytes content(byte[] bytes) {
        content = bytes;
        return this;
    }

    ElfBytes elfClass(int value) {
        elfClass = value;
        return this;
    }

    ElfBytes machine(int value) {
        machine = value;
        return this;
    }

    byte[] bytes() {
        int noteBytes = notes.stream().mapToInt(n -> n.length).sum();
        ByteBuffer file = ByteBuffer.allocate(HEADERS + noteBytes + content.length).order(ByteOrder.LITTLE_ENDIAN);
        file.put(new byte[]{0x7f, 'E', 'L', 'F', (byte) elfClass, 1, 1});
        file.putShort(16, (short) 2).putShort(18, (short) machine).putLong(24, VIRT_BASE + physical).putLong(32, 64);
        file.putShort(54, (short) 56).putShort(56, (short) (second < 0 ? 2 : 3));
        program(file, 64, 1, HEADERS + noteBytes, VIRT_BASE + physical, physical, content.length, memorySize);
        program(file, 64 + 56, 4, HEADERS, 0, 0, noteBytes, noteBytes);
        if (second >= 0) {
            program(file, 64 + 2 * 56, 1, 0, VIRT_BASE + second, second, 0, 0x1000);
        }
        file.position(HEADERS);
        notes.forEach(file::put);
        file.put(content);
        return file.array();
    }

    private static void program(ByteBuffer file, int at, int type, long offset, long virtual, long physical,
            long fileSize,
            long memorySize) {
        file.putInt(at, type).putLong(at + 8, offset).putLong(at + 16, virtual).putLong(at + 24, physical)
                .putLong(at + 32, fileSize).putLong(at + 40, memorySize);
    }
}
