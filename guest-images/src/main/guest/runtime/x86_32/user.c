/*
 * User mode: ring 3. It shares the page tables with the kernel, which is in ring 1; what separates them is that pages of the kernel
 * are not mapped for users.
 */
#include "internal.h"

void user_init(void) {}

void *user_map_page(unsigned long va, bool writable)
{
    void *page = page_alloc();
    pte_t flags = PTE_PRESENT | PTE_ACCESSED | PTE_USER | (writable ? PTE_WRITABLE | PTE_DIRTY : 0);

    if (map_page(va, mfn_to_pte(virt_to_mfn(page), flags)) != 0)
        panic("cannot map user page %lx", va);
    return page;
}

void user_frame_init(struct trap_frame *frame, unsigned long ip, unsigned long sp)
{
    memset(frame, 0, sizeof(*frame));
    frame->ip = ip;
    frame->sp = sp;
    frame->cs = FLAT_USER_CS;
    frame->ss = FLAT_USER_SS;
    frame->ds = frame->es = FLAT_USER_DS;
    frame->flags = 0x202;
}
