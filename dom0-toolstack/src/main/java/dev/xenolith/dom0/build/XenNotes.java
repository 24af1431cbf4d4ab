package dev.xenolith.dom0.build;

import dev.xenolith.dom0.pv.PvAbi;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.ElfNote;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;

/**
 * What a kernel says of itself in its ELF notes with owner "Xen" (xen/include/public/elfnote.h), or an older one in its section
 * __xen_guest. What it does not say has the defaults that libelf gives it.
 *
 * @param entry XEN_ELFNOTE_ENTRY: virtual address at which vCPU 0 starts
 * @param hypercallPage XEN_ELFNOTE_HYPERCALL_PAGE: virtual address of the page to be filled with stubs
 * @param virtBase XEN_ELFNOTE_VIRT_BASE: virtual address of pseudo-physical address {@code paddrOffset}
 * @param paddrOffset XEN_ELFNOTE_PADDR_OFFSET: subtracted from p_paddr to get a pseudo-physical address
 * @param initP2m XEN_ELFNOTE_INIT_P2M: where the initial P2M list is to be mapped, if not after the kernel
 * @param modStartPfn XEN_ELFNOTE_MOD_START_PFN: the ramdisk need not be mapped, mod_start is a PFN
 * @param paeMode XEN_ELFNOTE_PAE_MODE, of 32-bit kernels
 * @param guestOs XEN_ELFNOTE_GUEST_OS, for messages
 * @param requiredFeatures names in XEN_ELFNOTE_FEATURES that are required ("!name")
 */
record XenNotes(OptionalLong entry, OptionalLong hypercallPage, long virtBase, long paddrOffset, OptionalLong initP2m,
        boolean modStartPfn, PaeMode paeMode, String guestOs, String xenVersion, List<String> requiredFeatures) {
    private static final int NOTE_HEADER = 12;

    static XenNotes of(ElfFile elf) throws BuildException {
        Collector collector = new Collector(elf.name());
        collect(elf, elf.notes(), collector);
        if (collector.isEmpty()) {
            collect(elf, elf.noteSections(), collector);
        }
        if (collector.isEmpty()) {
            for (ElfFile.Part section : elf.sections(GuestInfo.SECTION)) {
                GuestInfo.read(string(elf.image(), section.start(), section.end()), collector);
            }
        }
        return collector.finish(elf.abi());
    }

    /** What has been found so far; later finds replace earlier ones. */
    static final class Collector {
        private final String name;
        private boolean empty = true;
        private boolean pvh;
        private OptionalLong entry = OptionalLong.empty();
        private OptionalLong hypercallPage = OptionalLong.empty();
        private OptionalLong initP2m = OptionalLong.empty();
        private OptionalLong virtBase = OptionalLong.empty();
        private long paddrOffset;
        private boolean modStartPfn;
        private PaeMode paeMode = PaeMode.NONE;
        private String guestOs = "unknown";
        private String xenVersion = "";
        private final List<String> required = new ArrayList<>();

        /** @param name what errors call the kernel */
        Collector(String name) {
            this.name = name;
        }

        boolean isEmpty() { return empty; }

        String name() { return name; }

        void text(int type, String value) {
            empty = false;
            switch (type) {
                case ElfNote.GUEST_OS -> guestOs = value;
                case ElfNote.XEN_VERSION -> xenVersion = value;
                case ElfNote.PAE_MODE -> paeMode = PaeMode.ofNote(value);
                case ElfNote.FEATURES -> {
                    for (String feature : value.split("\\|", -1)) {
                        if (feature.startsWith("!")) {
                            required.add(feature.substring(1));
                        }
                    }
                }
                default -> {
                    // The others ask for nothing that a builder does.
                }
            }
        }

        void number(int type, long value) {
            empty = false;
            switch (type) {
                case ElfNote.ENTRY -> entry = OptionalLong.of(value);
                case ElfNote.HYPERCALL_PAGE -> hypercallPage = OptionalLong.of(value);
                case ElfNote.VIRT_BASE -> virtBase = OptionalLong.of(value);
                case ElfNote.PADDR_OFFSET -> paddrOffset = value;
                case ElfNote.INIT_P2M -> initP2m = OptionalLong.of(value);
                case ElfNote.MOD_START_PFN -> modStartPfn = value != 0;
                default -> throw new IllegalArgumentException("note " + type + " is none of numbers");
            }
        }

        void pae(PaeMode mode) {
            paeMode = mode;
        }

        private void note(int type, byte[] image, int start, long size) throws BuildException {
            switch (type) {
                case ElfNote.ENTRY, ElfNote.HYPERCALL_PAGE, ElfNote.VIRT_BASE, ElfNote.PADDR_OFFSET, ElfNote.INIT_P2M,
                        ElfNote.MOD_START_PFN ->
                    number(type, numeric(type, image, start, size));
                case ElfNote.PHYS32_ENTRY -> {
                    empty = false;
                    pvh = true;
                }
                default -> text(type, string(image, start, (int) Math.min(image.length, start + size)));
            }
        }

        /** Numeric notes have 4 or 8 bytes. */
        private long numeric(int type, byte[] image, int start, long size) throws BuildException {
            if (size != Integer.BYTES && size != Long.BYTES) {
                throw new BuildException(
                        name + ": Xen ELF note " + type + " has " + size + " bytes, 4 or 8 expected");
            }
            if (start + size > image.length) {
                throw new BuildException(name + ": truncated: Xen ELF note " + type + " ends behind the file");
            }
            return size == Long.BYTES ? Bytes.get64(image, start) : Integer.toUnsignedLong(Bytes.get32(image, start));
        }

        XenNotes finish(PvAbi abi) throws BuildException {
            if (empty) {
                throw new BuildException(
                        name + ": no Xen ELF notes: this kernel was not built to run as a Xen PV guest");
            }
            if (pvh && entry.isEmpty() && virtBase.orElse(0) == 0) {
                throw new BuildException(
                        name + ": a PVH-only kernel (PHYS32_ENTRY without a PV entry); PVH guests are not supported yet");
            }
            if (!xenVersion.isEmpty() && !xenVersion.equals("xen-3.0")) {
                throw new BuildException(
                        name + ": written for hypervisor ABI '" + xenVersion + "', this one is xen-3.0");
            }
            if (abi == PvAbi.X86_32P && paeMode == PaeMode.NONE) {
                throw new BuildException(
                        name + ": a non-PAE 32-bit kernel (its PAE_MODE is neither yes nor bimodal); Xen runs 32-bit PV"
                                + " kernels only with PAE");
            }
            return new XenNotes(entry, hypercallPage, virtBase.orElse(0), paddrOffset, initP2m, modStartPfn, paeMode,
                    guestOs, xenVersion, List.copyOf(required));
        }
    }

    private static void collect(ElfFile elf, List<ElfFile.Part> parts, Collector collector) throws BuildException {
        byte[] owner = (ElfNote.OWNER + '\0').getBytes(StandardCharsets.US_ASCII);
        byte[] image = elf.image();
        for (ElfFile.Part part : parts) {
            long position = part.start();
            while (position + NOTE_HEADER <= part.end()) {
                int at = (int) position;
                long nameSize = Integer.toUnsignedLong(Bytes.get32(image, at));
                long valueSize = Integer.toUnsignedLong(Bytes.get32(image, at + 4));
                long nameAt = position + NOTE_HEADER;
                long valueAt = nameAt + ((nameSize + 3) & ~3L);
                if (valueAt > part.end()) {
                    break;
                }
                if (nameSize == owner.length && Arrays.equals(image, (int) nameAt, (int) valueAt, owner, 0,
                        owner.length)) {
                    // The end of the value may lie behind the notes: GRUB's last string says that it is longer than it is.
                    collector.note(Bytes.get32(image, at + 8), image, (int) valueAt, valueSize);
                }
                position = valueAt + ((valueSize + 3) & ~3L);
            }
        }
    }

    /** Bytes up to a NUL, or to {@code end}. */
    private static String string(byte[] image, int start, int end) {
        int length = 0;
        while (start + length < end && image[start + length] != 0) {
            length++;
        }
        return new String(image, start, length, StandardCharsets.ISO_8859_1);
    }
}
