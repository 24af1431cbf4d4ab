package dev.xenolith.dom0.build;

import dev.xenolith.dom0.pv.PvAbi;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Struct;
import dev.xenolith.hypervisor.abi.Struct.Type;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The parts of an x86 ELF executable that a domain builder needs: entry point, loadable segments, notes
 * (System V ABI, "Object Files"; psABIs of x86-64 and i386). Every offset is checked against the file.
 *
 * @param abi what kernels of its class are written for
 * @param entry virtual address of the entry point (e_entry)
 * @param segments the PT_LOAD segments, in file order
 * @param notes where the PT_NOTE segments are
 */
record ElfFile(PvAbi abi, byte[] image, String name, long entry, List<Segment> segments, List<Part> notes) {
    private static final int EI_CLASS = 4;
    private static final int EI_DATA = 5;
    private static final int ELFCLASS32 = 1;
    private static final int ELFCLASS64 = 2;
    private static final int ELFDATA2LSB = 1;
    private static final int ET_EXEC = 2;
    private static final int ET_DYN = 3;
    private static final int EM_386 = 3;
    private static final int EM_X86_64 = 62;
    private static final int PT_LOAD = 1;
    private static final int PT_NOTE = 4;
    private static final int SHT_NOTE = 7;
    private static final int SHT_NOBITS = 8;

    private static final Struct HEADER = Struct.of("Elf_Ehdr")
            .array(Type.U8, "e_ident", 16).u16("e_type").u16("e_machine").u32("e_version").ulong("e_entry")
            .ulong("e_phoff").ulong("e_shoff").u32("e_flags").u16("e_ehsize").u16("e_phentsize").u16("e_phnum")
            .u16("e_shentsize").u16("e_shnum").u16("e_shstrndx").build();
    private static final Struct SECTION = Struct.of("Elf_Shdr")
            .u32("sh_name").u32("sh_type").ulong("sh_flags").ulong("sh_addr").ulong("sh_offset").ulong("sh_size")
            .u32("sh_link").u32("sh_info").ulong("sh_addralign").ulong("sh_entsize").build();
    private static final Struct PROGRAM_64 = Struct.of64("Elf64_Phdr")
            .u32("p_type").u32("p_flags").ulong("p_offset").ulong("p_vaddr").ulong("p_paddr").ulong("p_filesz")
            .ulong("p_memsz").ulong("p_align").build();
    private static final Struct PROGRAM_32 = Struct.of32("Elf32_Phdr")
            .u32("p_type").ulong("p_offset").ulong("p_vaddr").ulong("p_paddr").ulong("p_filesz").ulong("p_memsz")
            .u32("p_flags").ulong("p_align").build();

    /** One PT_LOAD segment: {@code fileSize} bytes at {@code offset} go to {@code physical}; the rest up to {@code memorySize} is zero. */
    record Segment(long offset, long virtual, long physical, long fileSize, long memorySize) {
        /** Whether a physical address lies in it. */
        boolean holds(long address) {
            return Long.compareUnsigned(address - physical, memorySize) < 0;
        }
    }

    /** Bytes of the file, from {@code start} to {@code end} - 1. */
    record Part(int start, int end) {
    }

    /** A class of ELF files, and the processor that goes with it. */
    private enum Kind {
        ELF32(ELFCLASS32, PvAbi.X86_32P, EM_386, "i386", PROGRAM_32),

        ELF64(ELFCLASS64, PvAbi.X86_64, EM_X86_64, "x86-64", PROGRAM_64);

        final int elfClass;
        final PvAbi abi;
        final int machine;
        final String processor;
        final Struct program;

        Kind(int elfClass, PvAbi abi, int machine, String processor, Struct program) {
            this.elfClass = elfClass;
            this.abi = abi;
            this.machine = machine;
            this.processor = processor;
            this.program = program;
        }
    }

    /** Reads members of structures that lie in the file. */
    private record Reader(byte[] image, PvAbi abi) {
        long word(Struct struct, int at, String member) {
            return abi.word(image, at + abi.offset(struct, member));
        }

        int u32(Struct struct, int at, String member) {
            return Bytes.get32(image, at + abi.offset(struct, member));
        }

        int u16(Struct struct, int at, String member) {
            return Bytes.get16(image, at + abi.offset(struct, member));
        }
    }

    /** The place of a table's entries. */
    private record Table(int start, int entrySize, int count) {
        int entry(int index) {
            return start + index * entrySize;
        }
    }

    static boolean recognises(byte[] image) {
        return image.length >= 4 && image[0] == 0x7f && image[1] == 'E' && image[2] == 'L' && image[3] == 'F';
    }

    /** Reads the headers of {@code image}; {@code name} is what errors call the file. */
    static ElfFile parse(byte[] image, String name) throws BuildException {
        Kind kind = kind(image, name);
        PvAbi abi = kind.abi;
        if (image.length < abi.size(HEADER)) {
            throw new BuildException("%s: truncated: %d bytes, an ELF header has %d".formatted(name, image.length,
                    abi.size(HEADER)));
        }
        Reader file = new Reader(image, abi);
        int machine = file.u16(HEADER, 0, "e_machine");
        if (machine != kind.machine) {
            throw new BuildException("%s: for another processor (e_machine %d), %s is %d".formatted(name, machine,
                    kind.processor, kind.machine));
        }
        int type = file.u16(HEADER, 0, "e_type");
        if (type != ET_EXEC && type != ET_DYN) {
            throw new BuildException(name + ": not an executable (e_type " + type + ")");
        }
        int count = file.u16(HEADER, 0, "e_phnum");
        if (count == 0) {
            throw new BuildException(name + ": no program headers, nothing to load");
        }
        Table programs = table(image, name, "program header", file.word(HEADER, 0, "e_phoff"),
                file.u16(HEADER, 0, "e_phentsize"), abi.size(kind.program), count);
        List<Segment> segments = new ArrayList<>();
        List<Part> notes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int header = programs.entry(i);
            int segmentType = file.u32(kind.program, header, "p_type");
            long offset = file.word(kind.program, header, "p_offset");
            long fileSize = file.word(kind.program, header, "p_filesz");
            long memorySize = file.word(kind.program, header, "p_memsz");
            if (segmentType == PT_LOAD && memorySize != 0) {
                part(image, offset, fileSize, name, "segment " + i);
                if (Long.compareUnsigned(fileSize, memorySize) > 0) {
                    throw new BuildException(name + ": segment " + i + " has more bytes in the file than in memory");
                }
                segments.add(new Segment(offset, file.word(kind.program, header, "p_vaddr"),
                        file.word(kind.program, header, "p_paddr"), fileSize, memorySize));
            } else if (segmentType == PT_NOTE) {
                notes.add(part(image, offset, fileSize, name, "note segment " + i));
            }
        }
        if (segments.isEmpty()) {
            throw new BuildException(name + ": no loadable segment");
        }
        return new ElfFile(abi, image, name, file.word(HEADER, 0, "e_entry"), List.copyOf(segments),
                List.copyOf(notes));
    }

    private static Kind kind(byte[] image, String name) throws BuildException {
        for (Kind kind : Kind.values()) {
            if (image.length > EI_DATA && image[EI_CLASS] == kind.elfClass && image[EI_DATA] == ELFDATA2LSB) {
                return kind;
            }
        }
        throw new BuildException(name + ": neither a 64-bit nor a 32-bit little-endian ELF file, or truncated");
    }

    /** The sections of notes: for files whose segments have none. */
    List<Part> noteSections() throws BuildException {
        List<Part> found = new ArrayList<>();
        Reader file = new Reader(image, abi);
        Table sections = sections(file);
        for (int i = 0; i < sections.count; i++) {
            if (file.u32(SECTION, sections.entry(i), "sh_type") == SHT_NOTE) {
                found.add(section(file, sections.entry(i), "note section " + i));
            }
        }
        return found;
    }

    /** The sections of a name, at most one if it is a file of ours or a compiler's. */
    List<Part> sections(String wanted) throws BuildException {
        List<Part> found = new ArrayList<>();
        Reader file = new Reader(image, abi);
        Table sections = sections(file);
        int names = file.u16(HEADER, 0, "e_shstrndx");
        if (names >= sections.count) {
            return found;
        }
        Part strings = section(file, sections.entry(names), "section names");
        byte[] bytes = (wanted + '\0').getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < sections.count; i++) {
            long at = strings.start + Integer.toUnsignedLong(file.u32(SECTION, sections.entry(i), "sh_name"));
            if (at + bytes.length <= strings.end
                    && Arrays.equals(image, (int) at, (int) at + bytes.length, bytes, 0, bytes.length)) {
                found.add(section(file, sections.entry(i), "section " + wanted));
            }
        }
        return found;
    }

    private Table sections(Reader file) throws BuildException {
        int count = file.u16(HEADER, 0, "e_shnum");
        return count == 0
                ? new Table(0, 0, 0)
                : table(image, name, "section header", file.word(HEADER, 0, "e_shoff"),
                        file.u16(HEADER, 0, "e_shentsize"), abi.size(SECTION), count);
    }

    private Part section(Reader file, int header, String what) throws BuildException {
        long size = file.u32(SECTION, header, "sh_type") == SHT_NOBITS ? 0 : file.word(SECTION, header, "sh_size");
        return part(image, file.word(SECTION, header, "sh_offset"), size, name, what);
    }

    private static Table table(byte[] image, String name, String what, long offset, int entrySize, int least,
            int count) throws BuildException {
        if (entrySize < least) {
            throw new BuildException("%s: %ss of %d bytes, at least %d expected".formatted(name, what, entrySize,
                    least));
        }
        Part all = part(image, offset, (long) entrySize * count, name, what + " table");
        return new Table(all.start, entrySize, count);
    }

    private static Part part(byte[] image, long offset, long size, String name, String what) throws BuildException {
        if (offset < 0 || size < 0 || offset > image.length || size > image.length - offset) {
            throw new BuildException("%s: truncated: %s ends at byte %s, the file has %d".formatted(name, what,
                    Long.toUnsignedString(offset + size), image.length));
        }
        return new Part((int) offset, (int) (offset + size));
    }
}
