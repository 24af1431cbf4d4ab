/* A hypercall page, which the domain builder fills with a stub for each hypercall, 32 bytes apart. */
#define XEN_ELFNOTE_HYPERCALL_PAGE 2

    .section .text.hypercall_page, "ax", @progbits
    .balign 4096
    .globl hypercall_page
hypercall_page:
    .skip 4096

    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 8, XEN_ELFNOTE_HYPERCALL_PAGE
    .asciz "Xen"
    .quad hypercall_page
