/* From the builder's state to guest_main(): shared info, traps, memory, console, xenstore; and the end of a domain. */
#include "internal.h"

struct start_info *start_info;
struct shared_info *shared_info;

uint8_t vcpu_stacks[MAX_VCPUS][STACK_SIZE] __attribute__((aligned(STACK_SIZE), section(".bss.pages")));

static uint8_t shared_info_page[PAGE_SIZE] PAGE_ALIGNED;

void shared_info_map(void)
{
    /* The frame behind this page of .bss is given up for the shared info frame, which is outside the P2M. */
    pte_t pte = (start_info->shared_info & PTE_FRAME) | PTE_KERNEL;

    if (hypercall_update_va_mapping((unsigned long)shared_info_page, pte, UVMF_INVLPG) != 0)
        domain_shutdown(SHUTDOWN_crash);
    shared_info = (struct shared_info *)shared_info_page;
}

void runtime_start(struct start_info *info, unsigned long boot_stack) __attribute__((noreturn));
void runtime_start(struct start_info *info, unsigned long boot_stack)
{
    start_info = info;
    shared_info_map();
    cpu_init(0);
    events_init();
    traps_init();
    console_init();
    memory_init(boot_stack);
    xenstore_init();
    events_enable();
    guest_main();
    domain_shutdown(SHUTDOWN_poweroff);
}

void domain_shutdown(enum shutdown_reason reason)
{
    uint32_t argument = reason;

    if (shared_info != NULL)
        console_flush();
    for (;;)
        hypercall_sched_op(SCHEDOP_shutdown, &argument);
}

/*
 * Frame numbers change over a suspend: what Xen's tools translate are the P2M, the page tables and the start_info
 * page; the store and console MFNs in start_info become PFNs for the time of the suspend (xen.h, "startofday").
 */
long domain_suspend(void)
{
    uint32_t argument = SHUTDOWN_suspend;
    xen_pfn_t store_pfn = mfn_to_pfn(start_info->store_mfn), console_pfn = mfn_to_pfn(start_info->console_mfn);
    bool masked = events_disable();
    long cancelled;

    start_info->store_mfn = store_pfn;
    start_info->console_mfn = console_pfn;
    hypercall_update_va_mapping((unsigned long)shared_info_page, 0, UVMF_INVLPG);

    /* The third argument is where the tools find start_info afterwards. */
    cancelled = hypercall3(HYPERCALL_sched_op, SCHEDOP_shutdown, (unsigned long)&argument, virt_to_mfn(start_info));

    if (cancelled) {
        start_info->store_mfn = pfn_to_mfn(store_pfn);
        start_info->console_mfn = pfn_to_mfn(console_pfn);
    }
    shared_info_map();
    if (!cancelled) {
        tools_info_init();
        cpu_init(0);
        events_init();
        console_init();
        xenstore_init();
    }
    events_restore(masked);
    return cancelled;
}
