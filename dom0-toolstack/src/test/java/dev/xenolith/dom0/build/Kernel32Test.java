package dev.xenolith.dom0.build;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.dom0.pv.PvAbi;
import dev.xenolith.dom0.support.FakeMapping;
import dev.xenolith.dom0.support.FakePage;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.ElfNote;
import dev.xenolith.hypervisor.operations.SharedPage;
import java.util.Arrays;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** 32-bit kernels: what they say of themselves, where they are put, and the tables and registers that they start with. */
class Kernel32Test {
    static final String GUEST_INFO = "LOADER=generic,GUEST_OS=test,XEN_VER=xen-3.0,VIRT_BASE=0xc0000000,"
            + "ELF_PADDR_OFFSET=0x0,VIRT_ENTRY=0xc0100000,HYPERCALL_PAGE=0x101,FEATURES=!one|two,PAE=yes";
    private static final long PAGES_8_MIB = 2048;

    private static KernelImage kernel(ElfBytes elf) throws BuildException {
        return KernelImage.of("k", elf.bytes());
    }

    private static PvLayout layout(ElfBytes elf, long pages) throws BuildException {
        return PvLayout.of(kernel(elf), 0, pages);
    }

    private static void refused(ElfBytes elf, String... fragments) {
        assertThatThrownBy(() -> layout(elf, PAGES_8_MIB)).isInstanceOf(BuildException.class)
                .hasMessageStartingWith("k: ").hasMessageContainingAll(fragments);
    }

    @Test
    void aHeaderSaysHowWideItIs() throws BuildException {
        assertThat(kernel(ElfBytes.kernel()).abi()).isEqualTo(PvAbi.X86_64);
        KernelImage narrow = kernel(ElfBytes.kernel32());
        assertThat(narrow.abi()).isEqualTo(PvAbi.X86_32P);
        assertThat(narrow.elf().entry()).isEqualTo(0xc010_0000L);
        assertThat(narrow.elf().segments()).singleElement().satisfies(segment -> {
            assertThat(segment.virtual()).isEqualTo(0xc010_0000L);
            assertThat(segment.physical()).isEqualTo(0x10_0000);
            assertThat(segment.fileSize()).isEqualTo(0x1000);
            assertThat(segment.memorySize()).isEqualTo(0x3000);
        });
        assertThat(narrow.notes().virtBase()).isEqualTo(0xc000_0000L);
        assertThat(narrow.notes().entry()).hasValue(0xc010_0000L);
    }

    @Test
    void everyHeaderIsChecked() {
        byte[] whole = ElfBytes.kernel32().bytes();
        for (int length : new int[]{4, 5, 6, 20, 51, 60, whole.length - 1}) {
            assertThatThrownBy(() -> KernelImage.of("k", Arrays.copyOf(whole, length))).as("%d bytes", length)
                    .isInstanceOf(BuildException.class).hasMessageContaining("truncated");
        }
        refused(ElfBytes.kernel32().loadedAt(0xffff_f000L, 0x3000), "load address out of range");
        refused(ElfBytes.kernel32().loadedAt(0x10_0000, 0xffff_ffffL), "load address out of range");
        refused(ElfBytes.kernel32().note(ElfNote.HYPERCALL_PAGE, 0xc000_0000L), "hypercall page 0xc0000000");
        refused(ElfBytes.kernel32().note(ElfNote.ENTRY, 0x1234), "entry point 0x1234");
    }

    @ParameterizedTest
    @CsvSource({"yes, ANYWHERE", "bimodal, ANYWHERE", "'yes,bimodal', ANYWHERE"})
    void paeIsNeeded(String says, PaeMode mode) throws BuildException {
        assertThat(kernel(ElfBytes.kernel32().note(ElfNote.PAE_MODE, says)).notes().paeMode()).isEqualTo(mode);
        refused(ElfBytes.kernel32().note(ElfNote.PAE_MODE, "no"), "a non-PAE 32-bit kernel");
        refused(ElfBytes.mute32().note(ElfNote.VIRT_BASE, 0xc000_0000L), "a non-PAE 32-bit kernel");
        assertThat(kernel(ElfBytes.kernel().note(ElfNote.PAE_MODE, "no")).rootAnywhere()).isTrue();
    }

    @Test
    void aStringMayPromiseMoreThanTheFileHas() throws BuildException {
        // As GRUB's images for i386-xen do: "yes" in a note of 12 bytes, of which the file has the first 4.
        byte[] promised = Arrays.copyOf("yes".getBytes(US_ASCII), 12);
        assertThat(kernel(ElfBytes.kernel32().note(ElfNote.PAE_MODE, promised).cut(8)).notes().paeMode())
                .isEqualTo(PaeMode.ANYWHERE);
        refused(ElfBytes.kernel32().note(ElfNote.ENTRY, new byte[8]).cut(4), "truncated", "note 1");
        refused(ElfBytes.kernel32().note(ElfNote.ENTRY, new byte[5]), "note 1 has 5 bytes");
    }

    @Test
    void notesMayBeInASection() throws BuildException {
        XenNotes notes = kernel(ElfBytes.kernel32().notesInSection()).notes();
        assertThat(notes.virtBase()).isEqualTo(0xc000_0000L);
        assertThat(notes.paeMode()).isEqualTo(PaeMode.ANYWHERE);
    }

    private static ElfBytes old(String info) {
        return ElfBytes.mute32().section("__xen_guest", 1, (info + '\0').getBytes(US_ASCII));
    }

    @Test
    void oldKernelsHaveASectionInsteadOfNotes() throws BuildException {
        KernelImage kernel = kernel(old(GUEST_INFO));
        XenNotes notes = kernel.notes();
        assertThat(notes.virtBase()).isEqualTo(0xc000_0000L);
        assertThat(notes.paddrOffset()).isZero();
        assertThat(notes.entry()).hasValue(0xc010_0000L);
        assertThat(notes.hypercallPage()).hasValue(0xc010_1000L);
        assertThat(notes.guestOs()).isEqualTo("test");
        assertThat(notes.requiredFeatures()).containsExactly("one");
        assertThat(notes.paeMode()).isEqualTo(PaeMode.BELOW_4G);
        assertThat(kernel.rootAnywhere()).isFalse();
        assertThat(kernel(old(GUEST_INFO + "[extended-cr3]")).rootAnywhere()).isTrue();
        // Without an offset their physical addresses are virtual ones.
        assertThat(kernel(old("VIRT_BASE=3221225472,PAE=yes,XEN_VER=xen-3.0")).notes().paddrOffset())
                .isEqualTo(0xc000_0000L);
        refused(old("VIRT_BASE=0xc0000000,XEN_VER=xen-3.0"), "a non-PAE 32-bit kernel");
        refused(old("VIRT_BASE=here,PAE=yes"), "section __xen_guest: VIRT_BASE=here is not a number");
        refused(old("VIRT_BASE=0xc0000000,PAE=yes,XEN_VER=xen-2.0"), "xen-2.0");
        refused(ElfBytes.mute32().section("__xen_guests", 1, new byte[]{'P'}), "no Xen ELF notes");
        ElfBytes wide = ElfBytes.mute().section("__xen_guest", 1, ("LOADER=generic,XEN_VER=xen-3.0,"
                + "VIRT_BASE=0xffffffff80000000,ELF_PADDR_OFFSET=0\0").getBytes(US_ASCII));
        assertThat(kernel(wide).notes().virtBase()).isEqualTo(ElfBytes.VIRT_BASE);
    }

    @Test
    void laysOutInXensOrderWithNarrowFrameNumbers() throws BuildException {
        PvLayout layout = layout(ElfBytes.kernel32(), PAGES_8_MIB);
        assertThat(layout.abi()).isEqualTo(PvAbi.X86_32P);
        assertThat(layout.p2mPfn()).isEqualTo(0x103);
        assertThat(layout.p2mFrames()).isEqualTo(2);
        assertThat(layout.startInfoPfn()).isEqualTo(0x105);
        assertThat(layout.tablePfn()).isEqualTo(0x108);
        // The root, one of level 2 for all that is above 3 GiB, two of level 1 for 4 MiB.
        assertThat(layout.tableFrames()).isEqualTo(4);
        assertThat(layout.stackPfn()).isEqualTo(0x10c);
        assertThat(layout.virtual(layout.stackPfn())).isEqualTo(0xc010_c000L);
        // Lower down another one of level 2 is needed.
        assertThat(layout(low(0), PAGES_8_MIB).tableFrames()).isEqualTo(5);
    }

    private static ElfBytes low(long virtBase) {
        return ElfBytes.kernel32().note(ElfNote.VIRT_BASE, virtBase).note(ElfNote.ENTRY, virtBase + 0x10_0000);
    }

    @Test
    void onlyTheBootstrapRegionHasToFitBelowTheHypervisor() throws BuildException {
        assertThat(layout(low(0xf540_0000L), 1 << 18).mappedFrames()).isEqualTo(1024);
        assertThat(layout(low(0xc000_0000L), 1 << 22).mappedFrames()).as("of 16 GiB").isEqualTo(5 * 1024);
        refused(low(0xf560_0000L), "VIRT_BASE 0xf5600000: its first 4 MiB cannot be mapped there");
        refused(low(0xf580_0000L), "VIRT_BASE 0xf5800000");
        refused(low(0xffff_f000L), "VIRT_BASE 0xfffff000");
        refused(low(0x800), "VIRT_BASE 0x800");
        refused(ElfBytes.kernel32().note(ElfNote.INIT_P2M, 0xf57f_f000L), "INIT_P2M 0xf57ff000");
        refused(ElfBytes.kernel32().note(ElfNote.INIT_P2M, 0xc03f_f000L), "INIT_P2M 0xc03ff000");
    }

    /** A domain's frames, the tables among them, and who points where. */
    private static final class Tables {
        final PvLayout layout;
        final long[] mfns;
        final SharedPage pages;

        Tables(PvLayout layout) {
            this.layout = layout;
            // Some above 4 GiB, and none where its PFN is.
            mfns = LongStream.range(0, layout.pages()).map(pfn -> (1 << 20) - 0x109 + pfn * 3).toArray();
            pages = new FakeMapping(Stream.generate(FakePage::new).limit(layout.tableFrames()).toList());
            new PageTables(layout, mfns, pages).build();
        }

        long mfn(long pfn) {
            return mfns[(int) pfn];
        }

        long entry(long table, long address, int level) {
            return pages.get64((int) (table * 4096 + (address >>> 12 + 9 * (level - 1) & 511) * 8));
        }

        /** Which of the tables is in the frame that an entry names. */
        long table(long entry) {
            long index = Arrays.stream(mfns).boxed().toList().indexOf(entry >>> 12) - layout.tablePfn();
            assertThat(index).isBetween(0L, layout.tableFrames() - 1);
            return index;
        }
    }

    @ParameterizedTest
    @CsvSource({"0xc0000000", "0xf5400000", "0x0", "0x40000000", "0x7fe00000"})
    void tablesMapTheRegionAndTheLastGigabyteHasATable(String at) throws BuildException {
        PvLayout layout = layout(low(Long.decode(at)), PAGES_8_MIB);
        Tables tables = new Tables(layout);
        int roots = 0;
        for (int slot = 0; slot < 512; slot++) {
            long entry = tables.pages.get64(slot * 8);
            if (entry != 0) {
                roots++;
                assertThat(entry & 0xfff).as("flags of root entry %d", slot).isEqualTo(1);
                assertThat(slot).isLessThan(4);
            }
        }
        assertThat(tables.entry(0, 0xc000_0000L, 3)).as("the last gigabyte").isNotZero();
        long used = 1 + roots;
        for (long address = 0; address < 1L << 32; address += 1 << 21) {
            long root = tables.entry(0, address, 3);
            long directory = root == 0 ? 0 : tables.entry(tables.table(root), address, 2);
            if (directory == 0) {
                continue;
            }
            used++;
            assertThat(directory & 0xfff).isEqualTo(0x67);
            for (long page = address; page < address + (1 << 21); page += 4096) {
                long entry = tables.entry(tables.table(directory), page, 1);
                long pfn = page - layout.virtBase() >> 12;
                boolean table = pfn >= layout.tablePfn() && pfn < layout.tablePfn() + layout.tableFrames();
                long expected = pfn < 0 || pfn >= layout.mappedFrames()
                        ? 0
                        : tables.mfn(pfn) << 12 | (table ? 0x21 : 0x23);
                if (entry != expected) {
                    assertThat(entry).as("entry for %x", page).isEqualTo(expected);
                }
            }
        }
        assertThat(used).as("tables").isEqualTo(layout.tableFrames());
    }

    @Test
    void registersAreThoseOfRing1() {
        byte[] context = InitialContext.of(PvAbi.X86_32P, 0xc010_0000L, 0xc010_5000L, 0xc010_d000L, 0x12_3456, 8);
        assertThat(context).hasSize(2800);
        assertThat(Bytes.get32(context, 512)).as("flags").isEqualTo(1 << 2 | 1 << 5);
        int registers = 516;
        assertThat(Bytes.get32(context, registers + 12)).as("esi").isEqualTo(0xc010_5000);
        assertThat(Bytes.get32(context, registers + 32)).as("eip").isEqualTo(0xc010_0000);
        assertThat(Bytes.get32(context, registers + 40)).as("eflags").isEqualTo(0x200);
        assertThat(Bytes.get32(context, registers + 44)).as("esp").isEqualTo(0xc010_d000);
        assertThat(Bytes.get16(context, registers + 36)).as("cs").isEqualTo(0xe019);
        for (int data : new int[]{48, 52, 56, 60, 64}) {
            assertThat(Bytes.get16(context, registers + data)).isEqualTo(0xe021);
        }
        assertThat(Bytes.get32(context, 2708)).as("kernel_ss").isEqualTo(0xe021);
        assertThat(Bytes.get32(context, 2712)).as("kernel_sp").isEqualTo(0xc010_d000);
        assertThat(Bytes.get32(context, 2716 + 12)).as("cr3, rotated").isEqualTo(0x2345_6001);
        assertThat(Bytes.get32(context, 2796)).as("vm_assist").isEqualTo(8);
    }
}
