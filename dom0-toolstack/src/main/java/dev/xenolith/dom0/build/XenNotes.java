package dev.xenolith.dom0.build;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * What a kernel says of itself in its ELF notes with owner "Xen" (xen/include/public/elfnote.h). Absent notes have the defaults
 * that libelf gives them.
 *
 * @param entry XEN_ELFNOTE_ENTRY: virtual address at which vCPU 0 starts
 * @param hypercallPage XEN_ELFNOTE_HYPERCALL_PAGE: virtual address of the page to be filled with stubs
 * @param virtBase XEN_ELFNOTE_VIRT_BASE: virtual address of pseudo-physical address {@code paddrOffset}
 * @param paddrOffset XEN_ELFNOTE_PADDR_OFFSET: subtracted from p_paddr to get a pseudo-physical address
 * @param initP2m XEN_ELFNOTE_INIT_P2M: where the initial P2M list is to be mapped, if not after the kernel
 * @param modStartPfn XEN_ELFNOTE_MOD_START_PFN: the ramdisk need not be mapped, mod_start is a PFN
 * @param guestOs XEN_ELFNOTE_GUEST_OS, for messages
 * @param requiredFeatures names in XEN_ELFNOTE_FEATURES that are required ("!name")
 */
record XenNotes(OptionalLong entry, OptionalLong hypercallPage, long virtBase, long paddrOffset, OptionalLong initP2m,
        boolean modStartPfn, String guestOs, String xenVersion, List<String> requiredFeatures) {
    static final int ENTRY = 1;
    static final int HYPERCALL_PAGE = 2;
    static final int VIRT_BASE = 3;
    static final int PADDR_OFFSET = 4;
    static final int XEN_VERSION = 5;
    static final int GUEST_OS = 6;
    static final int FEATURES = 10;
    static final int INIT_P2M = 15;
    static final int MOD_START_PFN = 16;
    static final int PHYS32_ENTRY = 18;

    private static final String OWNER = "Xen";

    private record Note(int type, ByteBuffer value) {
        /** Numeric notes have 4 or 8 bytes. */
        long number(String name) throws BuildException {
            return switch (value.remaining()) {
                case 4 -> value.getInt(0) & 0xffff_ffffL;
                case 8 -> value.getLong(0);
                default -> throw new BuildException(
                        name + ": Xen ELF note " + type + " has " + value.remaining() + " bytes, 4 or 8 expected");
            };
        }

        String text() {
            byte[] bytes = new byte[value.remaining()];
            value.get(0, bytes);
            int end = 0;
            while (end < bytes.length && bytes[end] != 0) {
                end++;
            }
            return new String(bytes, 0, end, StandardCharsets.ISO_8859_1);
        }
    }

    static XenNotes of(ElfFile elf, String name) throws BuildException {
        List<Note> found = new ArrayList<>();
        for (ByteBuffer segment : elf.notes()) {
            collect(segment, found);
        }
        if (found.isEmpty()) {
            throw new BuildException(name + ": no Xen ELF notes: this kernel was not built to run as a Xen PV guest");
        }
        OptionalLong entry = OptionalLong.empty();
        OptionalLong hypercallPage = OptionalLong.empty();
        OptionalLong initP2m = OptionalLong.empty();
        long virtBase = 0;
        long paddrOffset = 0;
        boolean modStartPfn = false;
        boolean pvh = false;
        String guestOs = "unknown";
        String xenVersion = "";
        List<String> required = new ArrayList<>();
        for (Note note : found) {
            switch (note.type()) {
                case ENTRY -> entry = OptionalLong.of(note.number(name));
                case HYPERCALL_PAGE -> hypercallPage = OptionalLong.of(note.number(name));
                case VIRT_BASE -> virtBase = note.number(name);
                case PADDR_OFFSET -> paddrOffset = note.number(name);
                case INIT_P2M -> initP2m = OptionalLong.of(note.number(name));
                case MOD_START_PFN -> modStartPfn = note.number(name) != 0;
                case PHYS32_ENTRY -> pvh = true;
                case GUEST_OS -> guestOs = note.text();
                case XEN_VERSION -> xenVersion = note.text();
                case FEATURES -> {
                    for (String feature : note.text().split("\\|", -1)) {
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
        if (pvh && entry.isEmpty() && virtBase == 0) {
            throw new BuildException(
                    name + ": a PVH-only kernel (PHYS32_ENTRY without a PV entry); PVH guests are not supported yet");
        }
        if (!xenVersion.isEmpty() && !xenVersion.equals("xen-3.0")) {
            throw new BuildException(name + ": written for hypervisor ABI '" + xenVersion + "', this one is xen-3.0");
        }
        return new XenNotes(entry, hypercallPage, virtBase, paddrOffset, initP2m, modStartPfn, guestOs, xenVersion,
                List.copyOf(required));
    }

    private static void collect(ByteBuffer segment, List<Note> found) {
        long position = 0;
        while (position + 12 <= segment.limit()) {
            int at = (int) position;
            long nameSize = segment.getInt(at) & 0xffff_ffffL;
            long valueSize = segment.getInt(at + 4) & 0xffff_ffffL;
            int type = segment.getInt(at + 8);
            long nameAt = position + 12;
            long valueAt = nameAt + ((nameSize + 3) & ~3L);
            if (valueAt + valueSize > segment.limit()) {
                return;
            }
            if (nameSize == OWNER.length() + 1 && segment.get((int) nameAt) == 'X'
                    && segment.get((int) nameAt + 1) == 'e'
                    && segment.get((int) nameAt + 2) == 'n') {
                found.add(new Note(type, segment.slice((int) valueAt, (int) valueSize).order(segment.order())));
            }
            position = valueAt + ((valueSize + 3) & ~3L);
        }
    }
}
