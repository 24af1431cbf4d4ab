package dev.xenolith.dom0.dump;

import dev.xenolith.dom0.pv.PvAbi;
import dev.xenolith.hypervisor.abi.ArchX86.VcpuGuestContext;
import dev.xenolith.hypervisor.abi.ElfNote;
import dev.xenolith.hypervisor.abi.Version;
import dev.xenolith.hypervisor.operations.HostControl;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * A core file of a PV domain while it is written, from front to back: {@link #create}, {@link #pages} as often as there are pages,
 * {@link #finish}. The layout is that of xc_domain_dumpcore (tools/libs/ctrl/xc_core.c).
 */
final class CoreFile {
    static final int PAGE_SIZE = 4096;
    /** Entry of a page that went while the dump was made. */
    static final long INVALID_FRAME = -1;

    private static final int HEADER_SIZE = 64;
    private static final int SECTION_HEADER_SIZE = 64;
    private static final int PROGRAM_HEADER_SIZE = 56;
    private static final int ET_CORE = 4;
    private static final int EM_X86_64 = 62;
    private static final int SHT_PROGBITS = 1;
    private static final int SHT_STRTAB = 3;
    private static final int SHT_NOTE = 7;

    /** XC_CORE_MAGIC, of a PV domain. */
    private static final long MAGIC = 0xF00FEBEDL;
    /** Major version 0, minor 1. */
    private static final long FORMAT_VERSION = 1;
    private static final int NOTE_HEADER_SIZE = 16;
    private static final int HEADER_NOTE_SIZE = 32;
    private static final int VERSION_NOTE_SIZE = 2 * Long.BYTES + Version.EXTRAVERSION_LEN + Version.CompileInfo.SIZE
            + Version.CAPABILITIES_LEN + Version.CHANGESET_LEN + 2 * Long.BYTES;
    private static final int NOTES_SIZE = 4 * NOTE_HEADER_SIZE + HEADER_NOTE_SIZE + VERSION_NOTE_SIZE + Long.BYTES;

    /** Sections in the order of their headers; the first is none. */
    private static final List<String> SECTIONS = List.of("", ".shstrtab", ".note.Xen", ".xen_prstatus",
            ".xen_shared_info", ".xen_pages", ".xen_p2m");
    private static final byte[] NAMES = (String.join("\0", SECTIONS) + '\0').getBytes(StandardCharsets.US_ASCII);
    private static final int P2M_ENTRY_SIZE = 2 * Long.BYTES;
    /** A vcpu_guest_context_any_t, in which one of a 32-bit domain takes a part only. */
    private static final int VCPU_SIZE = VcpuGuestContext.SIZE;

    private final Path path;
    private final FileChannel channel;

    /**
     * What comes before the pages.
     *
     * @param abi of the domain; the file and its machine are those of the tools, 64 bits, whatever it is
     * @param vcpus each vCPU's vcpu_guest_context
     * @param sharedInfo the shared_info page
     * @param pages how many follow
     */
    record Contents(PvAbi abi, List<byte[]> vcpus, byte[] sharedInfo, int pages, HostControl.Version version) {
    }

    private CoreFile(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /** Makes the file, or replaces it, for its owner's eyes only, and writes what comes before the pages. */
    static CoreFile create(Path path, Contents contents) throws IOException {
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw new FileSystemException(path.toString(), null,
                    Files.isDirectory(path) ? "Is a directory" : "is a device or a pipe, not a file");
        }
        FileAttribute<?>[] ownersOnly = path.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[]{
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))}
                : new FileAttribute<?>[0];
        CoreFile file = new CoreFile(path, FileChannel.open(path, Set.of(StandardOpenOption.CREATE,
                StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING), ownersOnly));
        try {
            file.write(front(contents));
        } catch (IOException e) {
            file.abandon();
            throw e;
        }
        return file;
    }

    /** Writes whole pages, in the order of the entries for {@link #finish}. */
    void pages(byte[] bytes) throws IOException {
        write(ByteBuffer.wrap(bytes));
    }

    /** Writes which pages they were, and the end. */
    void finish(long[] pfns, long[] mfns) throws IOException {
        ByteBuffer buffer = buffer(pfns.length * P2M_ENTRY_SIZE + NAMES.length);
        for (int i = 0; i < pfns.length; i++) {
            buffer.putLong(pfns[i]).putLong(mfns[i]);
        }
        write(buffer.put(NAMES).flip());
        channel.close();
    }

    /** Closes and removes a file that will not be complete. */
    void abandon() throws IOException {
        channel.close();
        Files.deleteIfExists(path);
    }

    private void write(ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    private static ByteBuffer buffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static ByteBuffer front(Contents contents) {
        int notes = HEADER_SIZE + SECTIONS.size() * SECTION_HEADER_SIZE;
        int vcpus = notes + NOTES_SIZE;
        int vcpusSize = contents.vcpus.size() * VCPU_SIZE;
        int sharedInfo = vcpus + vcpusSize;
        int pages = (sharedInfo + PAGE_SIZE + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
        long pagesSize = (long) contents.pages * PAGE_SIZE;
        long p2m = pages + pagesSize;
        long p2mSize = (long) contents.pages * P2M_ENTRY_SIZE;
        ByteBuffer out = buffer(pages);
        header(out);
        section(out, 0, 0, 0, 0, 0, 0);
        section(out, 1, SHT_STRTAB, p2m + p2mSize, NAMES.length, 0, 0);
        section(out, 2, SHT_NOTE, notes, NOTES_SIZE, 0, 0);
        section(out, 3, SHT_PROGBITS, vcpus, vcpusSize, Long.BYTES, VCPU_SIZE);
        section(out, 4, SHT_PROGBITS, sharedInfo, PAGE_SIZE, Long.BYTES, PAGE_SIZE);
        section(out, 5, SHT_PROGBITS, pages, pagesSize, PAGE_SIZE, PAGE_SIZE);
        section(out, 6, SHT_PROGBITS, p2m, p2mSize, Long.BYTES, P2M_ENTRY_SIZE);
        notes(out, contents);
        contents.vcpus.forEach(vcpu -> out.put(Arrays.copyOf(vcpu, VCPU_SIZE)));
        out.put(contents.sharedInfo);
        return out.rewind();
    }

    private static void header(ByteBuffer out) {
        // 64 bits, little-endian, version 1 of the format and of the ABI.
        out.put(new byte[]{0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0});
        out.putShort((short) ET_CORE).putShort((short) EM_X86_64).putInt(1).putLong(0).putLong(0).putLong(HEADER_SIZE)
                .putInt(0).putShort((short) HEADER_SIZE).putShort((short) PROGRAM_HEADER_SIZE).putShort((short) 0)
                .putShort((short) SECTION_HEADER_SIZE).putShort((short) SECTIONS.size()).putShort((short) 1);
    }

    private static void section(ByteBuffer out, int index, int type, long offset, long size, long alignment,
            long entrySize) {
        int name = 0;
        for (int i = 0; i < index; i++) {
            name += SECTIONS.get(i).length() + 1;
        }
        out.putInt(index == 0 ? 0 : name).putInt(type).putLong(0).putLong(0).putLong(offset).putLong(size).putLong(0)
                .putLong(alignment).putLong(entrySize);
    }

    private static void notes(ByteBuffer out, Contents contents) {
        note(out, ElfNote.DUMPCORE_NONE, 0);
        note(out, ElfNote.DUMPCORE_HEADER, HEADER_NOTE_SIZE);
        out.putLong(MAGIC).putLong(contents.vcpus.size()).putLong(contents.pages).putLong(PAGE_SIZE);
        note(out, ElfNote.DUMPCORE_XEN_VERSION, VERSION_NOTE_SIZE);
        HostControl.Version version = contents.version;
        out.putLong(version.major()).putLong(version.minor());
        text(out, version.extra(), Version.EXTRAVERSION_LEN);
        text(out, version.compiler(), Version.CompileInfo.COMPILE_BY);
        text(out, version.compileBy(), Version.CompileInfo.COMPILE_DOMAIN - Version.CompileInfo.COMPILE_BY);
        text(out, version.compileDomain(), Version.CompileInfo.COMPILE_DATE - Version.CompileInfo.COMPILE_DOMAIN);
        text(out, version.compileDate(), Version.CompileInfo.SIZE - Version.CompileInfo.COMPILE_DATE);
        text(out, version.capabilities(), Version.CAPABILITIES_LEN);
        text(out, version.changeset(), Version.CHANGESET_LEN);
        // Of a 32-bit domain it is that domain's structure, where this is an unsigned long, in the room of the larger one.
        int at = out.position();
        contents.abi.putWord(out.array(), at, version.virtStart());
        out.putLong(at + contents.abi.wordBytes(), version.pageSize()).position(at + 2 * Long.BYTES);
        note(out, ElfNote.DUMPCORE_FORMAT_VERSION, Long.BYTES);
        out.putLong(FORMAT_VERSION);
    }

    private static void note(ByteBuffer out, int type, int size) {
        byte[] owner = (ElfNote.OWNER + '\0').getBytes(StandardCharsets.US_ASCII);
        out.putInt(owner.length).putInt(size).putInt(type).put(owner);
    }

    /** A string in a field of {@code length} bytes, NUL included. */
    private static void text(ByteBuffer out, String text, int length) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        int used = Math.min(bytes.length, length - 1);
        out.put(bytes, 0, used).put(new byte[length - used]);
    }
}
