package dev.xenolith.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GuestImagesTest {
    private static final List<String> ONLY_64_BIT = List.of("bench", "control", "torture", "victim");

    private final GuestImages guests = GuestImages.ofHome();

    @Test
    void everySourceDirectoryHasItsImage() throws IOException {
        try (Stream<Path> sources = Files.list(guests.directory().resolve("src/main/guest"))) {
            List<String> names = sources.map(source -> source.getFileName().toString())
                    .filter(name -> !name.equals("runtime") && !name.equals("bare")).sorted().toList();
            assertThat(guests.names()).isEqualTo(names);
        }
    }

    /** What only benchmarks, toolstacks and fuzzing need is there once. */
    @Test
    void everyTestGuestHasA32BitImage() {
        assertThat(guests.paeNames()).isEqualTo(
                guests.names().stream().filter(name -> !ONLY_64_BIT.contains(name)).toList());
    }

    @Test
    void everySourceOfABareGuestHasItsImage() throws IOException {
        Path sources = guests.directory().resolve("src/main/guest/bare");
        try (Stream<Path> files = Files.walk(sources)) {
            List<String> names = files
                    .filter(file -> Files.isRegularFile(file) && !file.startsWith(sources.resolve("runtime")))
                    .map(file -> file.getFileName().toString()).map(name -> name.substring(0, name.lastIndexOf('.')))
                    .sorted().toList();
            assertThat(names).isNotEmpty();
            assertThat(guests.bareNames()).isEqualTo(names);
        }
    }

    @Test
    void everyImageHasASampleConfiguration() throws IOException {
        for (String name : guests.names()) {
            assertThat(guests.config(name)).content().contains("kernel = \"../images/" + name + ".elf\"");
        }
        for (String name : guests.paeNames()) {
            assertThat(guests.config(name + "-pae")).content()
                    .contains("kernel = \"../images/pae/" + name + ".elf\"");
        }
    }

    @Test
    void imagesCarryTheXenNotesOfA64BitPvKernel() throws IOException {
        for (String name : guests.names()) {
            Map<Integer, ByteBuffer> notes = xenNotes(Files.readAllBytes(guests.image(name)));
            assertThat(notes).as(name).containsKeys(1, 3, 5, 6, 8);
            assertThat(text(note(notes, 5))).as(name).isEqualTo("xen-3.0");
            assertThat(note(notes, 3).getLong(0)).as(name).isEqualTo(0xffffffff80000000L);
            assertThat(note(notes, 1).getLong(0)).as(name).isBetween(0xffffffff80001000L, 0xffffffff80100000L);
        }
    }

    @Test
    void imagesCarryTheXenNotesOfA32BitPvKernel() throws IOException {
        for (String name : guests.paeNames()) {
            Map<Integer, ByteBuffer> notes = xenNotes(Files.readAllBytes(guests.paeImage(name)));
            assertThat(notes).as(name).containsKeys(1, 3, 5, 6, 8);
            assertThat(text(note(notes, 9))).as(name).isEqualTo("yes");
            assertThat(text(note(notes, 10))).as(name).isEqualTo("pae_pgdir_above_4gb");
            assertThat(note(notes, 3).getInt(0)).as(name).isEqualTo(0xc0000000);
            assertThat(note(notes, 1).getInt(0)).as(name).isBetween(0xc0001000, 0xc0100000);
        }
    }

    @Test
    void compressedVariantIsTheSameImage() throws IOException {
        Path compressed = guests.image("hello").resolveSibling("hello.elf.gz");
        try (InputStream in = new GZIPInputStream(Files.newInputStream(compressed))) {
            assertThat(in.readAllBytes()).isEqualTo(Files.readAllBytes(guests.image("hello")));
        }
    }

    @Test
    void missingGuestIsNamed() {
        assertThatThrownBy(() -> guests.image("nosuch")).isInstanceOf(NoSuchFileException.class)
                .hasMessageContaining("nosuch.elf");
    }

    @Test
    void imagesAreWhatTheSourcesBuild(@TempDir Path built) throws Exception {
        Path images = guests.directory().resolve("images");
        String recorded = Files.readString(images.resolve("TOOLCHAIN"));
        String installed = toolchain();
        assumeTrue(installed.equals(recorded), () -> "The images were built with\n" + recorded
                + "which is not what is installed here, so they cannot be compared:\n" + installed);

        Process build = new ProcessBuilder("sh", guests.directory().resolve("build.sh").toString(), built.toString())
                .redirectErrorStream(true).start();
        String output = new String(build.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(build.waitFor()).as(output).isZero();

        try (Stream<Path> files = Files.walk(built)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                assertThat(images.resolve(built.relativize(file)))
                        .as("committed image; guest-images/build.sh builds it anew").hasSameBinaryContentAs(file);
            }
        }
    }

    /** First lines of the tools' version output, as build.sh records them; empty lines where a tool is missing. */
    private static String toolchain() throws InterruptedException {
        StringBuilder lines = new StringBuilder();
        for (String tool : List.of("gcc", "ld", "gzip")) {
            try {
                Process process = new ProcessBuilder("env", "LC_ALL=C", tool, "--version")
                        .redirectError(ProcessBuilder.Redirect.DISCARD).start();
                String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                process.waitFor();
                lines.append(output.lines().findFirst().orElse("no " + tool));
            } catch (IOException e) {
                lines.append("no ").append(tool);
            }
            lines.append('\n');
        }
        return lines.toString();
    }

    private static ByteBuffer note(Map<Integer, ByteBuffer> notes, int type) {
        return Objects.requireNonNull(notes.get(type), () -> "note " + type);
    }

    private static Map<Integer, ByteBuffer> xenNotes(byte[] image) {
        ByteBuffer elf = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(elf.getInt(0)).isEqualTo(0x464c457f);
        boolean wide = elf.get(4) == 2;
        assertThat(elf.getShort(18)).as("EM_X86_64 or EM_386").isEqualTo((short) (wide ? 62 : 3));
        Map<Integer, ByteBuffer> notes = new HashMap<>();
        for (ByteBuffer segment : wide ? noteSegments(elf) : noteSegmentsOf32(elf)) {
            while (segment.remaining() >= 12) {
                int nameSize = segment.getInt();
                int size = segment.getInt();
                int type = segment.getInt();
                assertThat(text(segment.slice(segment.position(), nameSize))).isEqualTo("Xen");
                segment.position(segment.position() + (nameSize + 3 & ~3));
                notes.put(type, segment.slice(segment.position(), size).order(ByteOrder.LITTLE_ENDIAN));
                segment.position(segment.position() + (size + 3 & ~3));
            }
        }
        return notes;
    }

    private static List<ByteBuffer> noteSegments(ByteBuffer elf) {
        List<ByteBuffer> segments = new ArrayList<>();
        for (int i = 0; i < elf.getShort(56); i++) {
            int header = (int) elf.getLong(32) + i * elf.getShort(54);
            if (elf.getInt(header) == 4) {
                segments.add(elf.slice((int) elf.getLong(header + 8), (int) elf.getLong(header + 32))
                        .order(ByteOrder.LITTLE_ENDIAN));
            }
        }
        return segments;
    }

    private static List<ByteBuffer> noteSegmentsOf32(ByteBuffer elf) {
        List<ByteBuffer> segments = new ArrayList<>();
        for (int i = 0; i < elf.getShort(44); i++) {
            int header = elf.getInt(28) + i * elf.getShort(42);
            if (elf.getInt(header) == 4) {
                segments.add(elf.slice(elf.getInt(header + 4), elf.getInt(header + 16)).order(ByteOrder.LITTLE_ENDIAN));
            }
        }
        return segments;
    }

    private static String text(ByteBuffer bytes) {
        byte[] content = new byte[bytes.remaining()];
        bytes.duplicate().get(content);
        return new String(content, 0, content.length - 1, StandardCharsets.US_ASCII);
    }
}
