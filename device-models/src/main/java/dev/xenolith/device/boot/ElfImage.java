package dev.xenolith.device.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** The parts of an ELF file that a loader needs (System V ABI, chapters 4 and 5): segments by physical address, and notes. */
final class ElfImage {
    /** A loadable segment: file bytes and their physical place; what memory has more is zero. */
    record Segment(int offset, int fileSize, long address, long memorySize) {
        boolean covers(long place) {
            return Long.compareUnsigned(place - address, memorySize) < 0;
        }
    }

    private static final int IDENT = 16;
    private static final int CLASS_64 = 2;
    private static final int LITTLE_ENDIAN = 1;
    private static final int TYPE_EXEC = 2;
    private static final int TYPE_DYN = 3;
    private static final int MACHINE_386 = 3;
    private static final int MACHINE_X86_64 = 62;
    private static final int PT_LOAD = 1;
    private static final int PT_NOTE = 4;
    private static final int MAX_HEADERS = 256;

    private final String name;
    private final byte[] content;
    private final ByteBuffer bytes;
    private final boolean is64;
    private final List<Segment> segments = new ArrayList<>();
    private final List<Segment> notes = new ArrayList<>();

    ElfImage(BootRequest.File file) throws BootException {
        name = file.name();
        content = file.content();
        bytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        try {
            is64 = bytes.get(4) == CLASS_64;
            int type = bytes.getShort(IDENT);
            int machine = bytes.getShort(IDENT + 2);
            if (bytes.get(5) != LITTLE_ENDIAN || type != TYPE_EXEC && type != TYPE_DYN
                    || machine != (is64 ? MACHINE_X86_64 : MACHINE_386)) {
                throw new BootException(name + ": not an ELF executable for x86");
            }
            readHeaders();
        } catch (IndexOutOfBoundsException e) {
            throw new BootException(name + ": the ELF file is truncated");
        }
    }

    static boolean isElf(byte[] content) {
        return content.length >= IDENT && content[0] == 0x7f && content[1] == 'E' && content[2] == 'L'
                && content[3] == 'F';
    }

    boolean is64() {
        return is64;
    }

    /** e_entry. */
    long entry() {
        return is64 ? bytes.getLong(24) : bytes.getInt(24) & 0xffff_ffffL;
    }

    private void readHeaders() throws BootException {
        long table = is64 ? bytes.getLong(32) : bytes.getInt(28) & 0xffff_ffffL;
        int size = bytes.getShort(is64 ? 54 : 42);
        int count = bytes.getShort(is64 ? 56 : 44) & 0xffff;
        if (count > MAX_HEADERS || table < 0 || table > content.length) {
            throw new BootException(name + ": the ELF program headers are out of place");
        }
        for (int i = 0; i < count; i++) {
            int at = (int) table + i * size;
            int type = bytes.getInt(at);
            long offset = is64 ? bytes.getLong(at + 8) : bytes.getInt(at + 4) & 0xffff_ffffL;
            long address = is64 ? bytes.getLong(at + 24) : bytes.getInt(at + 12) & 0xffff_ffffL;
            long fileSize = is64 ? bytes.getLong(at + 32) : bytes.getInt(at + 16) & 0xffff_ffffL;
            long memorySize = is64 ? bytes.getLong(at + 40) : bytes.getInt(at + 20) & 0xffff_ffffL;
            if (type != PT_LOAD && type != PT_NOTE) {
                continue;
            }
            if (offset < 0 || fileSize < 0 || offset > content.length || fileSize > content.length - offset) {
                throw new BootException(name + ": the ELF file is truncated");
            }
            if (type == PT_LOAD && memorySize < fileSize) {
                throw new BootException(name + ": an ELF segment is smaller in memory than in the file");
            }
            (type == PT_LOAD ? segments : notes).add(new Segment((int) offset, (int) fileSize, address, memorySize));
        }
    }

    /** Fails unless execution can begin at {@code address}: some segment has it. */
    void requireEntry(long address) throws BootException {
        if (segments.stream().noneMatch(each -> each.covers(address))) {
            throw new BootException(String.format("%s: the entry at 0x%x is in none of its segments", name, address));
        }
    }

    /** Loads the segments; returns the first address after them. */
    long load(BootMemory memory) throws BootException {
        long end = 0;
        for (Segment segment : segments) {
            if (segment.memorySize == 0) {
                continue;
            }
            memory.require(name, segment.address, segment.memorySize);
            for (Segment other : segments) {
                if (other != segment && other.memorySize != 0 && segment.covers(other.address)) {
                    throw new BootException(String.format("%s: two of its segments overlap at 0x%x", name,
                            other.address));
                }
            }
            memory.put(name, content, segment.offset, segment.address, segment.fileSize);
            memory.zero(name, segment.address + segment.fileSize, segment.memorySize - segment.fileSize);
            end = Math.max(end, segment.address + segment.memorySize);
        }
        if (end == 0) {
            throw new BootException(name + ": the ELF file has nothing to load");
        }
        return end;
    }

    /** The value, 4 or 8 bytes, of the first note of this owner and type. */
    OptionalLong note(String owner, int type) throws BootException {
        try {
            for (Segment note : notes) {
                int at = note.offset;
                int end = note.offset + note.fileSize;
                while (at + 12 <= end) {
                    int nameSize = bytes.getInt(at);
                    int size = bytes.getInt(at + 4);
                    if (nameSize < 0 || size < 0 || nameSize > end - at || size > end - at) {
                        throw new BootException(name + ": an ELF note is out of place");
                    }
                    int description = at + 12 + (nameSize + 3 & ~3);
                    boolean ours = nameSize == owner.length() + 1 && owner.equals(
                            new String(content, at + 12, owner.length(), StandardCharsets.US_ASCII));
                    if (ours && bytes.getInt(at + 8) == type && (size == 4 || size == 8)) {
                        return OptionalLong.of(size == 8
                                ? bytes.getLong(description)
                                : bytes.getInt(description) & 0xffff_ffffL);
                    }
                    at = description + (size + 3 & ~3);
                }
            }
        } catch (IndexOutOfBoundsException e) {
            throw new BootException(name + ": an ELF note is out of place");
        }
        return OptionalLong.empty();
    }
}
