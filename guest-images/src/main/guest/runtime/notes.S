/* What the domain builder reads: kind of kernel, where it is linked, where it starts. */
#include "layout.h"

    .macro xen_note type
    .balign 4
    .long 4, 3f - 2f, \type
    .asciz "Xen"
2:
    .endm

    .section .note.Xen, "a", @note
    xen_note 6                          /* XEN_ELFNOTE_GUEST_OS */
    .asciz "Xenolith"
3:  xen_note 7                          /* XEN_ELFNOTE_GUEST_VERSION */
    .asciz "1"
3:  xen_note 5                          /* XEN_ELFNOTE_XEN_VERSION */
    .asciz "xen-3.0"
3:  xen_note 8                          /* XEN_ELFNOTE_LOADER */
    .asciz "generic"
3:  xen_note 9                          /* XEN_ELFNOTE_PAE_MODE */
    .asciz "yes"
3:  xen_note 10                         /* XEN_ELFNOTE_FEATURES */
    .asciz "pae_pgdir_above_4gb"
3:  xen_note 3                          /* XEN_ELFNOTE_VIRT_BASE */
    ASM_WORD VIRT_BASE
3:  xen_note 4                          /* XEN_ELFNOTE_PADDR_OFFSET */
    ASM_WORD 0
3:  xen_note 1                          /* XEN_ELFNOTE_ENTRY */
    ASM_WORD guest_entry
3:  xen_note 14                         /* XEN_ELFNOTE_SUSPEND_CANCEL */
    .long 1
3:
