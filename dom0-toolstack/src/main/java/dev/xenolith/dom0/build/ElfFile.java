package dev.xenolith.dom0.build;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The parts of a 64-bit x86 ELF executable that a domain builder needs: entry point, loadable segments, note segments
 * (System V ABI, "Object Files"; x86-64 psABI). Every offset is checked against the file.
 *
 * @param entry virtual address of the entry point (e_entry)
 * @param segments the PT_LOAD segments, in file order
 * @param notes the bytes of each PT_NOTE segment
 */
record ElfFile(long entry, List<Segment> segments, List<ByteBuffer> notes) {
    private static final int HEADER_SIZE = 64;
    private static final int PROGRAM_HEADER_SIZE = 56;
    private static final int ELFCLASS32 = 1;
    private static final int ELFCLASS64 = 2;
    private static final int ELFDATA2LSB = 1;
    private static final int ET_EXEC = 2;
    private static final int ET_DYN = 3;
    private static final int EM_X86_64 = 62;
    private static final int PT_LOAD = 1;
    private static final int PT_NOTE = 4;

    /** One PT_LOAD segment: {@code fileSize} bytes at {@code offset} go to {@code physical}; the rest up to {@code memorySize} is zero. */
    record Segment(long offset, long virtual, long physical, long fileSize, long memorySize) {
        /** Whether a physical address lies in it. */
        boolean holds(long address) {
            return Long.compareUnsigned(address - physical, memorySize) < 0;
        }
    }

    static boolean recognises(byte[] image) {
        return image.length >= 4 && image[0] == 0x7f && image[1] == 'E' && image[2] == 'L' && image[3] == 'F';
    }

    /** Reads the headers of {@code image}; {@code name} is what errors call the file. */
    static ElfFile parse(byte[] image, String name) throws BuildException {
        if (image.length < HEADER_SIZE) {
            throw new BuildException(
                    name + ": truncated: " + image.length + " bytes, an ELF header has " + HEADER_SIZE);
        }
        ByteBuffer file = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        int elfClass = file.get(4);
        if (elfClass == ELFCLASS32) {
            throw new BuildException(name + ": a 32-bit kernel; 32-bit PV guests are not supported, use a 64-bit one");
        }
        if (elfClass != ELFCLASS64 || file.get(5) != ELFDATA2LSB) {
            throw new BuildException(name + ": not a little-endian 64-bit ELF file");
        }
        int machine = file.getShort(18) & 0xffff;
        if (machine != EM_X86_64) {
            throw new BuildException(
                    name + ": for another processor (e_machine " + machine + "), x86-64 is " + EM_X86_64);
        }
        int type = file.getShort(16) & 0xffff;
        if (type != ET_EXEC && type != ET_DYN) {
            throw new BuildException(name + ": not an executable (e_type " + type + ")");
        }
        long table = file.getLong(32);
        int entrySize = file.getShort(54) & 0xffff;
        int count = file.getShort(56) & 0xffff;
        if (count == 0) {
            throw new BuildException(name + ": no program headers, nothing to load");
        }
        if (entrySize < PROGRAM_HEADER_SIZE) {
            throw new BuildException(
                    name + ": program headers of " + entrySize + " bytes, at least " + PROGRAM_HEADER_SIZE
                            + " expected");
        }
        checkRange(image, table, (long) entrySize * count, name, "program header table");
        List<Segment> segments = new ArrayList<>();
        List<ByteBuffer> notes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int header = (int) table + i * entrySize;
            int kind = file.getInt(header);
            long offset = file.getLong(header + 8);
            long fileSize = file.getLong(header + 32);
            long memorySize = file.getLong(header + 40);
            if (kind == PT_LOAD && memorySize != 0) {
                checkRange(image, offset, fileSize, name, "segment " + i);
                if (Long.compareUnsigned(fileSize, memorySize) > 0) {
                    throw new BuildException(name + ": segment " + i + " has more bytes in the file than in memory");
                }
                segments.add(new Segment(offset, file.getLong(header + 16), file.getLong(header + 24), fileSize,
                        memorySize));
            } else if (kind == PT_NOTE) {
                checkRange(image, offset, fileSize, name, "note segment " + i);
                notes.add(file.slice((int) offset, (int) fileSize).order(ByteOrder.LITTLE_ENDIAN));
            }
        }
        if (segments.isEmpty()) {
            throw new BuildException(name + ": no loadable segment");
        }
        return new ElfFile(file.getLong(24), List.copyOf(segments), List.copyOf(notes));
    }

    private static void checkRange(byte[] image, long offset, long size, String name, String what)
            throws BuildException {
        if (offset < 0 || size < 0 || offset > image.length || size > image.length - offset) {
            throw new BuildException(
                    name + ": truncated: " + what + " ends at byte " + Long.toUnsignedString(offset + size)
                            + ", the file has " + image.length);
        }
    }
}
