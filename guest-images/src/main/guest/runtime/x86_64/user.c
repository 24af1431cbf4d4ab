/*
 * User mode. Kernel and user both run in ring 3; what separates them is the L4 table: the kernel's maps everything, the
 * user's only slot 0 (shared with the kernel's). Xen changes CR3 and swaps GS when a trap or iret changes the mode.
 */
#include "internal.h"

static pte_t *user_root;

void user_init(void)
{
    if (user_root != NULL)
        return;
    user_root = page_alloc();
    page_set_flags(user_root, PTE_KERNEL_RO);
    if (mmuext(MMUEXT_PIN_L4_TABLE, virt_to_mfn(user_root), 0) != 0 ||
        mmuext(MMUEXT_NEW_USER_BASEPTR, virt_to_mfn(user_root), 0) != 0)
        panic("no page table for user mode");
}

void *user_map_page(unsigned long va, bool writable)
{
    void *page = page_alloc();
    pte_t flags = PTE_PRESENT | PTE_ACCESSED | PTE_USER | (writable ? PTE_WRITABLE | PTE_DIRTY : 0);
    const volatile pte_t *kernel_entry;

    if (map_page(va, mfn_to_pte(virt_to_mfn(page), flags)) != 0)
        panic("cannot map user page %lx", va);
    kernel_entry = pte_of(va, 4);
    if (user_root[va >> 39 & 511] != *kernel_entry &&
        pte_write(&user_root[va >> 39 & 511], *kernel_entry) != 0)
        panic("cannot share the user slot");
    return page;
}

void user_frame_init(struct trap_frame *frame, unsigned long ip, unsigned long sp)
{
    memset(frame, 0, sizeof(*frame));
    frame->ip = ip;
    frame->sp = sp;
    frame->cs = FLAT_USER_CS;
    frame->ss = FLAT_USER_SS;
    frame->flags = 0x202;
}
