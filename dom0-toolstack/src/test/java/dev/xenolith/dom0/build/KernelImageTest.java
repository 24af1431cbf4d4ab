package dev.xenolith.dom0.build;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.hypervisor.abi.ElfNote;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class KernelImageTest {
    private static final long PAGES_8_MIB = 2048;

    private static PvLayout layout(ElfBytes elf) throws BuildException {
        return PvLayout.of(KernelImage.of("k", elf.bytes()), 0, PAGES_8_MIB);
    }

    private static void refused(byte[] file, String... fragments) {
        assertThatThrownBy(() -> PvLayout.of(KernelImage.of("k", file), 0, PAGES_8_MIB))
                .isInstanceOf(BuildException.class)
                .hasMessageStartingWith("k: ").hasMessageContainingAll(fragments);
    }

    @Test
    void readsNotesAndSegments() throws BuildException {
        KernelImage kernel = KernelImage.of("k", ElfBytes.kernel().note(ElfNote.FEATURES, "!one|two").bytes());
        assertThat(kernel.notes().virtBase()).isEqualTo(ElfBytes.VIRT_BASE);
        assertThat(kernel.notes().entry()).hasValue(ElfBytes.VIRT_BASE + 0x10_0000);
        assertThat(kernel.notes().guestOs()).isEqualTo("test");
        assertThat(kernel.notes().requiredFeatures()).containsExactly("one");
        assertThat(kernel.elf().segments()).hasSize(1);
    }

    @Test
    void unpacksGzip() throws Exception {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
            out.write(ElfBytes.kernel().bytes());
        }
        assertThat(KernelImage.of("k", packed.toByteArray()).bytes()).isEqualTo(ElfBytes.kernel().bytes());
        refused(Arrays.copyOf(packed.toByteArray(), packed.size() / 2), "damaged gzip data");
    }

    @Test
    void saysWhatIsWrong(@TempDir Path directory) throws IOException {
        refused("not a kernel at all".getBytes(), "not a kernel");
        refused(new byte[0], "not a kernel");
        refused(ElfBytes.mute().bytes(), "no Xen ELF notes");
        refused(ElfBytes.mute32().bytes(), "no Xen ELF notes");
        refused(ElfBytes.kernel().elfClass(3).bytes(), "neither a 64-bit nor a 32-bit little-endian ELF file");
        refused(ElfBytes.kernel().elfClass(1).bytes(), "another processor", "i386 is 3");
        refused(ElfBytes.kernel32().machine(62).bytes(), "another processor", "i386 is 3");
        refused(ElfBytes.kernel().machine(183).bytes(), "another processor");
        byte[] whole = ElfBytes.kernel().bytes();
        refused(Arrays.copyOf(whole, whole.length - 1), "truncated", "segment 0");
        refused(Arrays.copyOf(whole, 70), "truncated", "program header table");
        refused(Arrays.copyOf(whole, 20), "truncated");
        refused(ElfBytes.kernel().loadedAt(0x7f_f000, 0x2000).bytes(), "load address out of range", "8 MiB");
        refused(ElfBytes.kernel().loadedAt(-0x1000, 0x3000).bytes(), "load address out of range");
        refused(ElfBytes.kernel().loadedAt(0x10_0000, Long.MAX_VALUE).bytes(), "load address out of range");
        refused(ElfBytes.kernel().note(ElfNote.ENTRY, 0x1234).bytes(), "entry point 0x1234");
        refused(ElfBytes.kernel().note(ElfNote.VIRT_BASE, 0xffff_8000_0000_0000L).bytes(), "VIRT_BASE");
        refused(ElfBytes.kernel().note(ElfNote.VIRT_BASE, 0x8000_0000_0000_0000L).bytes(), "VIRT_BASE");
        refused(ElfBytes.kernel().note(ElfNote.HYPERCALL_PAGE, ElfBytes.VIRT_BASE).bytes(), "hypercall page");
        refused(ElfBytes.kernel().note(ElfNote.INIT_P2M, 0xffff_8000_0000_0000L).bytes(), "INIT_P2M");
        refused(ElfBytes.kernel().note(ElfNote.XEN_VERSION, "xen-2.0").bytes(), "xen-2.0");
        refused(ElfBytes.kernel().loadedAt(0x10_0000, 0x6f_8000).bytes(), "too small");
        Path missing = directory.resolve("nothing");
        assertThatThrownBy(() -> KernelImage.read(missing)).hasMessageContainingAll("nothing", "no such file");
        assertThatThrownBy(() -> KernelImage.read(directory)).hasMessageContaining("is a directory");
    }

    @Test
    void segmentsMustNotOverlapAndTheEntryMustBeInOne() throws BuildException {
        // The first has three pages from 1 MiB on.
        refused(ElfBytes.kernel().secondAt(0x10_0000).bytes(), "segments overlap");
        refused(ElfBytes.kernel().secondAt(0x10_2fff).bytes(), "segments overlap");
        refused(ElfBytes.kernel().secondAt(0xf_f001).bytes(), "segments overlap");
        assertThat(layout(ElfBytes.kernel().secondAt(0x10_3000)).kernelFrames()).isEqualTo(4);
        assertThat(layout(ElfBytes.kernel().secondAt(0x20_0000)).kernelFrames()).isEqualTo(0x101);
        refused(ElfBytes.kernel().secondAt(0x20_0000).note(ElfNote.ENTRY, ElfBytes.VIRT_BASE + 0x18_0000).bytes(),
                "entry point 0xffffffff80180000 lies outside the kernel's segments");
    }

    @Test
    void whatHasNoEndIsRefused(@TempDir Path directory) throws Exception {
        assertThatThrownBy(() -> KernelImage.read(Path.of("/dev/zero")))
                .hasMessage("kernel /dev/zero: is a device or a pipe, not a file");
        Path large = directory.resolve("large");
        try (RandomAccessFile file = new RandomAccessFile(large.toFile(), "rw")) {
            file.setLength(1L << 40);
        }
        assertThatThrownBy(() -> KernelImage.read(large)).hasMessageContaining(": larger than ");
        ByteArrayOutputStream mebibyte = new ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(mebibyte)) {
            out.write(new byte[1 << 20]);
        }
        // A gzip file may have several members, whose contents follow one another.
        byte[] packed = mebibyte.toByteArray();
        ByteArrayOutputStream bomb = new ByteArrayOutputStream();
        for (long left = Runtime.getRuntime().maxMemory() / 4; left >= 0; left -= 1 << 20) {
            bomb.write(packed);
        }
        refused(bomb.toByteArray(), "unpacks to more than ");
        refused(Arrays.copyOf(packed, 5), "damaged gzip data: it ends early");
        refused(Arrays.copyOf(packed, packed.length / 2), "damaged gzip data: it ends early");
    }

    private static Stream<ElfBytes> wholeKernels() {
        return Stream.of(ElfBytes.kernel().note(ElfNote.INIT_P2M, 0x80_0000_0000L),
                ElfBytes.kernel32().note(ElfNote.INIT_P2M, 0x8000_0000L),
                ElfBytes.mute32().section("__xen_guest", 1, Kernel32Test.GUEST_INFO.getBytes(UTF_8)),
                ElfBytes.kernel32().notesInSection());
    }

    @ParameterizedTest
    @MethodSource("wholeKernels")
    void noDamageMakesItThrowAnythingElse(ElfBytes elf) throws BuildException {
        long seed = 20260101;
        SplittableRandom random = new SplittableRandom(seed);
        byte[] good = elf.bytes();
        PvLayout.of(KernelImage.of("k", good), 0, PAGES_8_MIB);
        int refused = 0;
        for (int i = 0; i < 20_000; i++) {
            byte[] bad = good.clone();
            int flips = 1 + random.nextInt(4);
            for (int f = 0; f < flips; f++) {
                bad[random.nextInt(420)] = (byte) (random.nextBoolean() ? random.nextInt() : 0xff);
            }
            try {
                PvLayout layout = PvLayout.of(KernelImage.of("k", bad), 0, PAGES_8_MIB);
                assertThat(layout.stackPfn()).isLessThan(PAGES_8_MIB);
                assertThat(layout.mappedFrames()).isLessThanOrEqualTo(PAGES_8_MIB);
            } catch (BuildException e) {
                refused++;
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + ", round " + i, e);
            }
        }
        assertThat(refused).isBetween(1000, 19_999);
    }

    @Test
    void laysOutInXensOrder() throws BuildException {
        PvLayout layout = layout(ElfBytes.kernel());
        assertThat(layout.kernelPfn()).isEqualTo(0x100);
        assertThat(layout.p2mPfn()).isEqualTo(0x103);
        assertThat(layout.p2mFrames()).isEqualTo(4);
        assertThat(layout.startInfoPfn()).isEqualTo(0x107);
        assertThat(layout.xenstorePfn()).isEqualTo(0x108);
        assertThat(layout.consolePfn()).isEqualTo(0x109);
        assertThat(layout.tablePfn()).isEqualTo(0x10a);
        // One table each of levels 4, 3, 2; two of level 1 for 4 MiB.
        assertThat(layout.tableFrames()).isEqualTo(5);
        assertThat(layout.stackPfn()).isEqualTo(0x10f);
        assertThat(layout.mappedFrames()).isEqualTo(1024);
        assertThat(layout.separateP2m()).isEmpty();
        assertThat(layout.p2mVirtual()).isEqualTo(ElfBytes.VIRT_BASE + 0x103_000);
    }

    @Test
    void aP2mAddressOfItsOwnTakesItOutOfTheRegion() throws BuildException {
        PvLayout layout = layout(ElfBytes.kernel().note(ElfNote.INIT_P2M, 0x80_0000_0000L));
        assertThat(layout.separateP2m()).hasValue(0x80_0000_0000L);
        assertThat(layout.p2mPfn()).isEqualTo(layout.mappedFrames());
        assertThat(layout.tableFrames()).isEqualTo(8);
    }
}
