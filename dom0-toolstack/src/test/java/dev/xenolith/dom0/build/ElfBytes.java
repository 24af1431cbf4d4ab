package dev.xenolith.dom0.build;

import dev.xenolith.hypervisor.abi.ElfNote;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Makes small ELF files of either width for tests: one or two loadable segments, the Xen notes asked for, and a section if need be. */
final class ElfBytes {
    static final long VIRT_BASE = 0xffff_ffff_8000_0000L;
    static final long VIRT_BASE_32 = 0xc000_0000L;
    private static final int SECTIONS = 3;

    private final boolean wide;
    private final long virtBase;
    private final List<byte[]> notes = new ArrayList<>();
    private long physical = 0x10_0000;
    private long memorySize = 0x3000;
    private byte[] content = new byte[0x1000];
    /** Physical address of a second loadable segment, of a page of zeros. */
    private long second = -1;
    /** The last bytes of the notes that the file ends without. */
    private int cut;
    private String sectionName = "";
    private int sectionType;
    private byte[] section = {};
    private int elfClass;
    private int machine;

    private ElfBytes(boolean wide) {
        this.wide = wide;
        virtBase = wide ? VIRT_BASE : VIRT_BASE_32;
        elfClass = wide ? 2 : 1;
        machine = wide ? 62 : 3;
    }

    /** One of 64 bits that says nothing of Xen. */
    static ElfBytes mute() {
        return new ElfBytes(true);
    }

    /** One of 32 bits that says nothing of Xen. */
    static ElfBytes mute32() {
        return new ElfBytes(false);
    }

    /** A kernel that can be loaded. */
    static ElfBytes kernel() {
        return mute().note(ElfNote.VIRT_BASE, VIRT_BASE).note(ElfNote.ENTRY, VIRT_BASE + 0x10_0000)
                .note(ElfNote.GUEST_OS, "test").note(ElfNote.XEN_VERSION, "xen-3.0");
    }

    /** A 32-bit kernel that can be loaded. */
    static ElfBytes kernel32() {
        return mute32().note(ElfNote.VIRT_BASE, VIRT_BASE_32).note(ElfNote.ENTRY, VIRT_BASE_32 + 0x10_0000)
                .note(ElfNote.GUEST_OS, "test").note(ElfNote.XEN_VERSION, "xen-3.0").note(ElfNote.PAE_MODE, "yes");
    }

    /** A note with a word. */
    ElfBytes note(int type, long value) {
        ByteBuffer bytes = buffer(wide ? 8 : 4);
        return note(type, (wide ? bytes.putLong(value) : bytes.putInt((int) value)).array());
    }

    ElfBytes note(int type, String text) {
        return note(type, (text + "\0").getBytes(StandardCharsets.US_ASCII));
    }

    ElfBytes note(int type, byte[] value) {
        ByteBuffer note = buffer(16 + (value.length + 3) / 4 * 4);
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

    /** The file ends {@code bytes} before its last note does. */
    ElfBytes cut(int bytes) {
        cut = bytes;
        return this;
    }

    ElfBytes section(String name, int type, byte[] bytes) {
        sectionName = name;
        sectionType = type;
        section = bytes;
        return this;
    }

    /** The notes, taken out of their segment and put into a section. */
    ElfBytes notesInSection() {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        notes.forEach(all::writeBytes);
        notes.clear();
        return section(".note.Xen", 7, all.toByteArray());
    }

    ElfBytes elfClass(int value) {
        elfClass = value;
        return this;
    }

    ElfBytes machine(int value) {
        machine = value;
        return this;
    }

    private static ByteBuffer buffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private int header() {
        return wide ? 64 : 52;
    }

    private int programHeader() {
        return wide ? 56 : 32;
    }

    private int sectionHeader() {
        return wide ? 64 : 40;
    }

    /** In the file: headers, the section and its name, notes, contents; notes that are cut are at the end. */
    byte[] bytes() {
        int noteBytes = notes.stream().mapToInt(n -> n.length).sum() - cut;
        byte[] names = ("\0" + sectionName + "\0").getBytes(StandardCharsets.US_ASCII);
        int sections = section.length > 0 ? SECTIONS : 0;
        int sectionAt = header() + 3 * programHeader() + sections * sectionHeader();
        int namesAt = sectionAt + section.length;
        int end = namesAt + names.length;
        int notesAt = cut > 0 ? end + content.length : end;
        int contentAt = cut > 0 ? end : end + noteBytes;
        ByteBuffer file = buffer(end + noteBytes + content.length);
        file.put(new byte[]{0x7f, 'E', 'L', 'F', (byte) elfClass, 1, 1});
        file.putShort(16, (short) 2).putShort(18, (short) machine);
        word(file, 24, virtBase + physical);
        word(file, wide ? 32 : 28, header());
        word(file, wide ? 40 : 32, (long) header() + 3 * programHeader());
        int sizes = wide ? 54 : 42;
        file.putShort(sizes, (short) programHeader()).putShort(sizes + 2, (short) (second < 0 ? 2 : 3));
        file.putShort(sizes + 4, (short) sectionHeader()).putShort(sizes + 6, (short) sections)
                .putShort(sizes + 8, (short) 2);
        program(file, 0, 1, contentAt, physical, content.length, memorySize);
        program(file, 1, 4, notesAt, -virtBase, noteBytes, noteBytes);
        if (second >= 0) {
            program(file, 2, 1, 0, second, 0, 0x1000);
        }
        if (sections > 0) {
            section(file, 1, 1, sectionType, sectionAt, section.length);
            section(file, 2, 0, 3, namesAt, names.length);
        }
        file.put(sectionAt, section).put(namesAt, names).put(contentAt, content);
        file.position(notesAt);
        for (int i = 0; i < notes.size(); i++) {
            file.put(notes.get(i), 0, notes.get(i).length - (i == notes.size() - 1 ? cut : 0));
        }
        return file.array();
    }

    private void program(ByteBuffer file, int index, int type, long offset, long address, long fileSize,
            long inMemory) {
        int at = header() + index * programHeader();
        int word = wide ? 8 : 4;
        int first = at + word;
        file.putInt(at, type);
        word(file, first, offset);
        word(file, first + word, virtBase + address);
        word(file, first + 2 * word, address);
        word(file, first + 3 * word, fileSize);
        word(file, first + 4 * word, inMemory);
    }

    private void section(ByteBuffer file, int index, int name, int type, long offset, long size) {
        int at = header() + 3 * programHeader() + index * sectionHeader();
        file.putInt(at, name).putInt(at + 4, type);
        word(file, at + (wide ? 24 : 16), offset);
        word(file, at + (wide ? 32 : 20), size);
    }

    private void word(ByteBuffer file, int at, long value) {
        if (wide) {
            file.putLong(at, value);
        } else {
            file.putInt(at, (int) value);
        }
    }
}
