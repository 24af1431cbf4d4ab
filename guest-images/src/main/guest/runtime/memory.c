/*
 * Frames and page tables. The builder maps the first megabytes of the domain at VIRT_BASE, PFN by PFN; memory_init()
 * extends that linear mapping to all frames. Page tables lie in it read-only; they are written through hypercalls.
 */
#include "internal.h"

static void *free_list;                        /* linked through the first word of each page */
static unsigned long free_count, linear_pages;
static unsigned long window_next = WINDOW_BASE;

unsigned long pages_free(void) { return free_count; }
unsigned long pages_mapped(void) { return linear_pages; }

void *page_try_alloc(void)
{
    bool masked = events_disable();
    void **page = free_list;

    if (page != NULL) {
        free_list = *page;
        free_count--;
    }
    events_restore(masked);
    if (page != NULL)
        memset(page, 0, PAGE_SIZE);
    return page;
}

void *page_alloc(void)
{
    void *page = page_try_alloc();

    if (page == NULL)
        panic("out of memory");
    return page;
}

void page_free(void *page)
{
    bool masked = events_disable();

    *(void **)page = free_list;
    free_list = page;
    free_count++;
    events_restore(masked);
}

const volatile pte_t *pte_of(unsigned long va, int level)
{
    const volatile pte_t *table = (const volatile pte_t *)start_info->pt_base;

    for (int at = PAGING_LEVELS;; at--) {
        const volatile pte_t *entry = &table[va >> (PAGE_SHIFT + 9 * (at - 1)) & 511];

        if (at == level)
            return entry;
        if ((*entry & PTE_PRESENT) == 0)
            return NULL;
        table = pfn_to_virt(mfn_to_pfn(pte_to_mfn(*entry)));
    }
}

xen_pfn_t paging_root(void) { return virt_to_mfn((const void *)start_info->pt_base); }

uint64_t pte_machine_address(const volatile pte_t *entry)
{
    return (uint64_t)virt_to_mfn((const void *)entry) << PAGE_SHIFT | ((unsigned long)entry & (PAGE_SIZE - 1));
}

long pte_write(const volatile pte_t *entry, pte_t value)
{
    struct mmu_update update = {pte_machine_address(entry) | MMU_NORMAL_PT_UPDATE, value};

    return hypercall_mmu_update(&update, 1, NULL, DOMID_SELF);
}

long mmuext(uint32_t cmd, unsigned long arg1, unsigned long arg2)
{
    struct mmuext_op op = {cmd, arg1, arg2};

    return hypercall_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

long page_set_flags(void *page, pte_t flags)
{
    return hypercall_update_va_mapping((unsigned long)page, mfn_to_pte(virt_to_mfn(page), flags), UVMF_INVLPG | UVMF_ALL);
}

/* Makes the page, whose content is valid as a table of the level below, reachable through the entry. */
static long hook_table(const volatile pte_t *entry, void *table)
{
    long error = page_set_flags(table, PTE_KERNEL_RO);

    if (error == 0)
        error = pte_write(entry, mfn_to_pte(virt_to_mfn(table), PTE_KERNEL | PTE_USER));
    return error;
}

long map_page(unsigned long va, pte_t value)
{
    for (int level = PAGING_LEVELS; level > 1; level--) {
        const volatile pte_t *entry = pte_of(va, level);

        if ((*entry & PTE_PRESENT) == 0) {
            long error = hook_table(entry, page_alloc());

            if (error != 0)
                return error;
        }
    }
    return hypercall_update_va_mapping(va, value, UVMF_INVLPG | UVMF_ALL);
}

unsigned long window_alloc(unsigned pages)
{
    unsigned long va = window_next;

    window_next += (unsigned long)pages * PAGE_SIZE;
    return va;
}

static unsigned long max_pfn(unsigned long a, unsigned long b) { return a > b ? a : b; }

static bool is_mapped(unsigned long pfn)
{
    const volatile pte_t *entry = pte_of((unsigned long)pfn_to_virt(pfn), 1);

    return entry != NULL && (*entry & PTE_PRESENT) != 0;
}

/* One new L1 table maps up to 512 frames; it comes from the frames that are mapped already. */
static void map_from(unsigned long pfn, unsigned long end)
{
    const volatile pte_t *parent = pte_of((unsigned long)pfn_to_virt(pfn), 2);

    if (parent == NULL || (*parent & PTE_PRESENT) != 0 || pfn % 512 != 0) {
        /* The builder's last L1 table may end early, and a second L2 table may be missing. */
        if (map_page((unsigned long)pfn_to_virt(pfn), mfn_to_pte(pfn_to_mfn(pfn), PTE_KERNEL)) != 0)
            panic("cannot map PFN %lu", pfn);
        page_free(pfn_to_virt(pfn));
        linear_pages = pfn + 1;
        return;
    }
    pte_t *table = page_alloc();
    unsigned long stop = pfn + 512 < end ? pfn + 512 : end;

    for (unsigned long at = pfn; at < stop; at++)
        table[at - pfn] = mfn_to_pte(pfn_to_mfn(at), PTE_KERNEL);
    if (hook_table(parent, table) != 0)
        panic("cannot map PFN %lu", pfn);
    for (unsigned long at = pfn; at < stop; at++)
        page_free(pfn_to_virt(at));
    linear_pages = stop;
}

void tools_info_init(void)
{
    shared_info->max_pfn = start_info->nr_pages;
    shared_info->p2m_vaddr = start_info->mfn_list;
    shared_info->p2m_cr3 = xen_pfn_to_cr3(paging_root());
}

void memory_init(unsigned long boot_stack)
{
    unsigned long used = virt_to_pfn((void *)(boot_stack - 1)) + 1, end = start_info->nr_pages;

    used = max_pfn(used, virt_to_pfn((void *)start_info->pt_base) + start_info->nr_pt_frames);
    used = max_pfn(used, virt_to_pfn(start_info) + 1);
    used = max_pfn(used, virt_to_pfn((void *)(start_info->mfn_list + end * sizeof(xen_pfn_t) - 1)) + 1);
    used = max_pfn(used, mfn_to_pfn(start_info->store_mfn) + 1);
    used = max_pfn(used, mfn_to_pfn(start_info->console_mfn) + 1);
    if (end > MAX_LINEAR_PAGES)
        end = MAX_LINEAR_PAGES;

    for (linear_pages = used; linear_pages < end && is_mapped(linear_pages); linear_pages++)
        page_free(pfn_to_virt(linear_pages));
    while (linear_pages < end)
        map_from(linear_pages, end);

    tools_info_init();

    /* A stack that overflows meets an unmapped page instead of the next stack. */
    for (unsigned vcpu = 0; vcpu < MAX_VCPUS; vcpu++)
        hypercall_update_va_mapping((unsigned long)vcpu_stacks[vcpu], 0, UVMF_INVLPG);
}
