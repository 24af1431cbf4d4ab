package dev.xenolith.dom0.build;

/** What a 32-bit kernel says of PAE (XEN_ELFNOTE_PAE_MODE in xen/include/public/elfnote.h). */
enum PaeMode {
    /** It knows no PAE, or does not say. */
    NONE,
    /** It wants PAE, with its root below 4 GiB. */
    BELOW_4G,
    /** It wants PAE, or takes it, and its root may be anywhere: it knows the extended CR3. */
    ANYWHERE;

    /** As libelf reads the note. */
    static PaeMode ofNote(String text) {
        return text.equals("yes") || text.contains("bimodal") ? ANYWHERE : NONE;
    }

    /** As libelf reads PAE= in a section __xen_guest. */
    static PaeMode ofGuestInfo(String text) {
        if (text.equals("yes[extended-cr3]")) {
            return ANYWHERE;
        }
        return text.startsWith("yes") ? BELOW_4G : NONE;
    }
}
