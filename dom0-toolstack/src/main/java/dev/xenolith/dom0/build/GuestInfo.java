package dev.xenolith.dom0.build;

import dev.xenolith.hypervisor.abi.ElfNote;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * What kernels from before there were Xen ELF notes say in their section __xen_guest: {@code NAME=VALUE}, separated by commas
 * (elf_xen_parse_guest_info in xen/common/libelf/libelf-dominfo.c).
 */
final class GuestInfo {
    static final String SECTION = "__xen_guest";

    private static final int PAGE_SHIFT = 12;

    private GuestInfo() {
    }

    /** Tells {@code notes} all that {@code text} says, as the notes would that replaced it. */
    static void read(String text, XenNotes.Collector notes) throws BuildException {
        long virtBase = 0;
        OptionalLong paddrOffset = OptionalLong.empty();
        OptionalLong hypercallPage = OptionalLong.empty();
        for (String setting : text.split(",", -1)) {
            int equals = setting.indexOf('=');
            String name = equals < 0 ? setting : setting.substring(0, equals);
            String value = equals < 0 ? "" : setting.substring(equals + 1);
            switch (name) {
                case "LOADER" -> notes.text(ElfNote.LOADER, value);
                case "GUEST_OS" -> notes.text(ElfNote.GUEST_OS, value);
                case "GUEST_VER" -> notes.text(ElfNote.GUEST_VERSION, value);
                case "XEN_VER" -> notes.text(ElfNote.XEN_VERSION, value);
                case "FEATURES" -> notes.text(ElfNote.FEATURES, value);
                case "PAE" -> notes.pae(PaeMode.ofGuestInfo(value));
                case "VIRT_BASE" -> virtBase = number(notes, name, value);
                case "VIRT_ENTRY" -> notes.number(ElfNote.ENTRY, number(notes, name, value));
                case "ELF_PADDR_OFFSET" -> paddrOffset = OptionalLong.of(number(notes, name, value));
                case "HYPERCALL_PAGE" -> hypercallPage = OptionalLong.of(number(notes, name, value));
                default -> {
                    // The others ask for nothing that a builder does.
                }
            }
        }
        notes.number(ElfNote.VIRT_BASE, virtBase);
        // Such kernels have their virtual addresses in p_paddr, unless they say otherwise.
        notes.number(ElfNote.PADDR_OFFSET, paddrOffset.orElse(virtBase));
        if (hypercallPage.isPresent()) {
            notes.number(ElfNote.HYPERCALL_PAGE, virtBase + (hypercallPage.getAsLong() << PAGE_SHIFT));
        }
    }

    /** Decimal, or hexadecimal with 0x, of 64 bits. */
    private static long number(XenNotes.Collector notes, String name, String value) throws BuildException {
        try {
            String digits = value.strip().toLowerCase(Locale.ROOT);
            return digits.startsWith("0x")
                    ? Long.parseUnsignedLong(digits.substring(2), 16)
                    : Long.parseUnsignedLong(digits);
        } catch (NumberFormatException e) {
            throw new BuildException(
                    "%s: section %s: %s=%s is not a number".formatted(notes.name(), SECTION, name, value), e);
        }
    }
}
