package dev.xenolith.dom0.dump;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.dom0.pv.PvAbi;
import dev.xenolith.hypervisor.operations.HostControl;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The format of core files, read back by what the ELF specification and dump-core-format.txt say. */
class CoreFileTest {
    private static final HostControl.Version VERSION = new HostControl.Version(4, 17, ".7", "changes",
            "xen-3.0-x86_64 ",
            "", "gcc", "somebody", "example.org", "today", 0xffff800000000000L, 4096, "");

    @TempDir
    Path directory;

    private record Section(int type, long offset, long size, long entrySize) {
    }

    private static byte[] filled(int size, int value) {
        byte[] bytes = new byte[size];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    private ByteBuffer dump() throws IOException {
        return dump(PvAbi.X86_64, 5168);
    }

    private ByteBuffer dump(PvAbi abi, int contextSize) throws IOException {
        Path path = directory.resolve("core");
        Files.writeString(path, "what was there before");
        CoreFile file = CoreFile.create(path,
                new CoreFile.Contents(abi, List.of(filled(contextSize, 1), filled(contextSize, 2)), filled(4096, 3), 3,
                        VERSION));
        file.pages(filled(2 * 4096, 4));
        file.pages(filled(4096, 5));
        file.finish(new long[]{0, 1, CoreFile.INVALID_FRAME}, new long[]{100, 200, CoreFile.INVALID_FRAME});
        return ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static String text(ByteBuffer file, long at) {
        StringBuilder text = new StringBuilder();
        for (int i = (int) at; file.get(i) != 0; i++) {
            text.append((char) file.get(i));
        }
        return text.toString();
    }

    private static Map<String, Section> sections(ByteBuffer file) {
        int at = (int) file.getLong(40);
        assertThat(file.getShort(58)).isEqualTo((short) 64);
        int names = (int) file.getLong(at + file.getShort(62) * 64 + 24);
        Map<String, Section> sections = new LinkedHashMap<>();
        for (int i = 0; i < file.getShort(60); i++) {
            int header = at + i * 64;
            sections.put(text(file, names + file.getInt(header)), new Section(file.getInt(header + 4),
                    file.getLong(header + 24), file.getLong(header + 32), file.getLong(header + 56)));
        }
        return sections;
    }

    @Test
    void sectionsHoldWhatTheirNamesSay() throws IOException {
        ByteBuffer file = dump();
        assertThat(file.getInt(0)).isEqualTo(0x464c457f);
        assertThat(file.getShort(16)).isEqualTo((short) 4); // ET_CORE
        assertThat(file.getShort(18)).isEqualTo((short) 62); // EM_X86_64
        assertThat(file.getShort(56)).isZero(); // no program headers
        Map<String, Section> sections = sections(file);
        assertThat(sections.keySet()).containsExactly("", ".shstrtab", ".note.Xen", ".xen_prstatus",
                ".xen_shared_info", ".xen_pages", ".xen_p2m");
        expect(file, of(sections, ".xen_prstatus"), 2 * 5168, 5168, 1, 2);
        expect(file, of(sections, ".xen_shared_info"), 4096, 4096, 3, 3);
        expect(file, of(sections, ".xen_pages"), 3 * 4096, 4096, 4, 5);
        assertThat(of(sections, ".xen_pages").offset % 4096).isZero();
        Section p2m = of(sections, ".xen_p2m");
        assertThat(p2m.size).isEqualTo(48);
        assertThat(p2m.entrySize).isEqualTo(16);
        long[] entries = new long[6];
        file.slice((int) p2m.offset, 48).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(entries);
        assertThat(entries).containsExactly(0, 100, 1, 200, -1, -1);
        Section names = of(sections, ".shstrtab");
        assertThat(names.offset + names.size).isEqualTo(file.capacity());
    }

    @Test
    void contextsOfA32BitDomainHaveTheRoomOfALargerOne() throws IOException {
        ByteBuffer file = dump(PvAbi.X86_32P, 2800);
        assertThat(file.get(4)).as("ELFCLASS64").isEqualTo((byte) 2);
        assertThat(file.getShort(18)).as("the tools' machine").isEqualTo((short) 62);
        Map<String, Section> sections = sections(file);
        Section vcpus = of(sections, ".xen_prstatus");
        expect(file, vcpus, 2 * 5168, 5168, 1, 0);
        int second = (int) vcpus.offset + 5168;
        assertThat(new byte[]{file.get(second - 1), file.get(second), file.get(second + 2799), file.get(second + 2800)})
                .containsExactly(0, 2, 2, 0);
        assertThat(of(sections, ".xen_p2m").size).isEqualTo(48);
        // The version note is as long as any; in it the page's size follows a virt_start of 4 bytes.
        int parameters = of(notes(file, of(sections, ".note.Xen")), 0x2000002) + 32 + 144 + 1024 + 64;
        assertThat(file.getInt(parameters)).isZero();
        assertThat(file.getLong(parameters + 4)).isEqualTo(4096);
        assertThat(file.getInt(parameters + 12)).isZero();
    }

    private static <K extends Object, V extends Object> V of(Map<K, V> map, K key) {
        return Objects.requireNonNull(map.get(key), key.toString());
    }

    private static void expect(ByteBuffer file, Section section, long size, long entrySize, int first, int last) {
        assertThat(section.type).isEqualTo(1);
        assertThat(section.size).isEqualTo(size);
        assertThat(section.entrySize).isEqualTo(entrySize);
        assertThat(file.get((int) section.offset)).isEqualTo((byte) first);
        assertThat(file.get((int) (section.offset + section.size - 1))).isEqualTo((byte) last);
    }

    /** Where the description of each type of note begins. */
    private static Map<Integer, Integer> notes(ByteBuffer file, Section section) {
        Map<Integer, Integer> notes = new LinkedHashMap<>();
        int at = (int) section.offset;
        while (at < section.offset + section.size) {
            assertThat(file.getInt(at)).isEqualTo(4);
            assertThat(text(file, at + 12)).isEqualTo("Xen");
            notes.put(file.getInt(at + 8), at + 16);
            at += 16 + file.getInt(at + 4);
        }
        assertThat(at).isEqualTo((int) (section.offset + section.size));
        return notes;
    }

    @Test
    void notesTellOfTheDomainAndOfXen() throws IOException {
        ByteBuffer file = dump();
        Section section = of(sections(file), ".note.Xen");
        assertThat(section.type).isEqualTo(7);
        Map<Integer, Integer> notes = notes(file, section);
        assertThat(notes.keySet()).containsExactly(0x2000000, 0x2000001, 0x2000002, 0x2000003);
        int header = of(notes, 0x2000001);
        assertThat(file.getLong(header)).isEqualTo(0xF00FEBEDL);
        assertThat(file.getLong(header + 8)).isEqualTo(2);
        assertThat(file.getLong(header + 16)).isEqualTo(3);
        assertThat(file.getLong(header + 24)).isEqualTo(4096);
        int version = of(notes, 0x2000002);
        assertThat(file.getLong(version)).isEqualTo(4);
        assertThat(file.getLong(version + 8)).isEqualTo(17);
        assertThat(text(file, version + 16)).isEqualTo(".7");
        assertThat(text(file, version + 32)).isEqualTo("gcc");
        assertThat(text(file, version + 32 + 144)).isEqualTo("xen-3.0-x86_64 ");
        assertThat(text(file, version + 32 + 144 + 1024)).isEqualTo("changes");
        assertThat(file.getLong(version + 32 + 144 + 1024 + 64)).isEqualTo(0xffff800000000000L);
        assertThat(file.getLong(version + 32 + 144 + 1024 + 64 + 8)).isEqualTo(4096);
        assertThat(file.getLong(of(notes, 0x2000003))).isEqualTo(1);
    }

    @Test
    void anIncompleteFileDoesNotStay() throws IOException {
        Path path = directory.resolve("core");
        CoreFile file = CoreFile.create(path,
                new CoreFile.Contents(PvAbi.X86_64, List.of(filled(5168, 1)), filled(4096, 3), 3, VERSION));
        assertThat(path).exists();
        file.abandon();
        assertThat(path).doesNotExist();
        assertThatThrownBy(() -> CoreFile.create(directory,
                new CoreFile.Contents(PvAbi.X86_64, List.of(), filled(4096, 3), 0, VERSION)))
                .isInstanceOf(IOException.class);
        assertThat(directory).exists();
    }

    @Test
    void theLatestThreeDumpsOfANameAreKept() throws IOException {
        DumpDirectory dumps = new DumpDirectory(directory.resolve("a/dump"));
        for (int i = 0; i < 6; i++) {
            Files.writeString(dumps.next("pv", Instant.parse("2026-02-03T04:05:06Z").plusSeconds(i)), "x");
            Files.writeString(dumps.next("my-pv", Instant.parse("2026-02-03T04:05:06Z")), "x");
        }
        try (var files = Files.list(dumps.directory())) {
            assertThat(files.map(file -> file.getFileName().toString())).containsExactlyInAnyOrder(
                    "2026-0203-0405.09-pv.core", "2026-0203-0405.10-pv.core", "2026-0203-0405.11-pv.core",
                    "2026-0203-0405.06-my-pv.core");
        }
    }

    @Test
    void stringsThatAreTooLongAreCut() throws IOException {
        HostControl.Version wordy = new HostControl.Version(4, 17, "x".repeat(99), "c", "caps", "", "gcc", "s", "e",
                "t",
                0, 4096, "");
        Path path = directory.resolve("wordy");
        CoreFile file = CoreFile.create(path,
                new CoreFile.Contents(PvAbi.X86_64, List.of(), filled(4096, 0), 0, wordy));
        file.finish(new long[0], new long[0]);
        assertThat(new String(Files.readAllBytes(path), StandardCharsets.ISO_8859_1)).contains("x".repeat(15) + "\0gcc")
                .doesNotContain("x".repeat(16));
    }
}
