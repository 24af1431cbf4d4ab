/* Grant table, version 1 layout: the entries of one frame, 512 references. */
#include "internal.h"

#define GRANT_ENTRIES (PAGE_SIZE / sizeof(struct grant_entry_v1))

static struct grant_entry_v1 *table;
static uint32_t next_free = GNTTAB_NR_RESERVED_ENTRIES;

long grant_init(void)
{
    xen_pfn_t frame = 0;
    struct gnttab_setup_table setup = {DOMID_SELF, 1, 0, &frame};
    unsigned long va;
    long error;

    if (table != NULL)
        return 0;
    error = hypercall_grant_table_op(GNTTABOP_setup_table, &setup, 1);
    if (error != 0)
        return error;
    if (setup.status != GNTST_okay)
        return -XEN_EINVAL;
    va = window_alloc(1);
    error = map_page(va, mfn_to_pte(frame, PTE_KERNEL));
    if (error == 0)
        table = (struct grant_entry_v1 *)va;
    return error;
}

struct grant_entry_v1 *grant_entry(uint32_t ref) { return &table[ref]; }

long grant_access(domid_t domain, xen_pfn_t mfn, bool read_only)
{
    for (uint32_t tried = 0; tried < GRANT_ENTRIES - GNTTAB_NR_RESERVED_ENTRIES; tried++) {
        uint32_t ref = next_free;
        volatile struct grant_entry_v1 *entry = &table[ref];

        next_free = ref + 1 < GRANT_ENTRIES ? ref + 1 : GNTTAB_NR_RESERVED_ENTRIES;
        if (entry->flags != GTF_invalid)
            continue;
        entry->domid = domain;
        entry->frame = mfn;
        memory_barrier();                      /* the entry is live as soon as its flags are written */
        entry->flags = GTF_permit_access | (read_only ? GTF_readonly : 0);
        return ref;
    }
    return -XEN_ENOSPC;
}

bool grant_end(uint32_t ref)
{
    uint16_t flags = table[ref].flags;

    do {
        if ((flags & (GTF_reading | GTF_writing)) != 0)
            return false;
    } while (!__atomic_compare_exchange_n(&table[ref].flags, &flags, GTF_invalid, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
    return true;
}
