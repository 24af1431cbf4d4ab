/*
 * Page tables.
 *
 *   pte N        N entries written, each by an mmu_update of its own
 *   ptes N       N entries written, 128 to an mmu_update
 *   va N         N calls of update_va_mapping that flush the page
 *   store N      N entries written by plain stores, which Xen emulates (VMASST_TYPE_writable_pagetables)
 *   pin N LEVEL  N times a table of the level is pinned and let go, with one table of each level below it and 512 mappings
 *   baseptr N    N changes of the root of the page tables
 */
#include "bench.h"

#define ENTRIES 512u
#define BATCH   128u

/* Pages that entries are made to map in turn; the window that the entries are for. */
static void *pages[2];
static uint64_t window;

static pte_t mapping(unsigned which) { return mfn_to_pte(virt_to_mfn(pages[which]), PTE_KERNEL); }

static int64_t prepare(void)
{
    if (window != 0)
        return 0;
    pages[0] = page_alloc();
    pages[1] = page_alloc();
    /* So many that BATCH of them are in one table. */
    window = window_alloc(2 * BATCH);
    window = (window + BATCH * PAGE_SIZE - 1) & ~((uint64_t)BATCH * PAGE_SIZE - 1);
    return map_page(window, mapping(0));
}

static int64_t update_in_batches(uint64_t count, uint64_t size)
{
    static struct mmu_update updates[2][BATCH];
    int64_t error = prepare();
    uint64_t address;

    if (error != 0)
        return error;
    if (count % size != 0)
        return -XEN_EINVAL;
    address = pte_machine_address(pte_of(window, 1));
    for (unsigned which = 0; which < 2; which++)
        for (uint64_t i = 0; i < size; i++)
            updates[which][i] = (struct mmu_update){address + i * sizeof(pte_t), mapping(which)};
    for (uint64_t i = 0; i < count / size && error == 0; i++)
        error = hypercall_mmu_update(updates[i % 2], size, NULL, DOMID_SELF);
    return error;
}

static int64_t update_one(const uint64_t *numbers) { return update_in_batches(numbers[0], 1); }

static int64_t update_many(const uint64_t *numbers) { return update_in_batches(numbers[0], BATCH); }

static int64_t update_va(const uint64_t *numbers)
{
    int64_t error = prepare();

    for (uint64_t i = 0; i < numbers[0] && error == 0; i++)
        error = hypercall_update_va_mapping(window, mapping(i % 2), UVMF_INVLPG);
    return error;
}

static int64_t store(const uint64_t *numbers)
{
    int64_t error = prepare();
    volatile pte_t *entry;

    if (error == 0)
        error = hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
    if (error != 0)
        return error;
    entry = (volatile pte_t *)pte_of(window, 1);
    for (uint64_t i = 0; i < numbers[0]; i++)
        *entry = mapping(i % 2);
    return hypercall_vm_assist(VMASST_CMD_disable, VMASST_TYPE_writable_pagetables);
}

/* Tables of the levels 1 to 4, each the first entry of the next; the last maps one page 512 times. */
static int64_t make_tables(pte_t **tables)
{
    int64_t error = prepare();

    for (int level = 1; level <= 4 && error == 0; level++) {
        pte_t *table = page_alloc();

        if (level == 1) {
            for (unsigned i = 0; i < ENTRIES; i++)
                table[i] = mapping(0);
        } else {
            table[0] = mfn_to_pte(virt_to_mfn(tables[level - 2]), PTE_KERNEL | PTE_USER);
        }
        error = page_set_flags(table, PTE_KERNEL_RO);
        tables[level - 1] = table;
    }
    return error;
}

static int64_t pin(const uint64_t *numbers)
{
    static const uint32_t commands[] = {MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE, MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE};
    static pte_t *tables[4];
    uint64_t level = numbers[1], mfn;
    int64_t error = 0;

    if (level < 1 || level > 4)
        return -XEN_EINVAL;
    if (tables[0] == NULL)
        error = make_tables(tables);
    if (error != 0)
        return error;
    mfn = virt_to_mfn(tables[level - 1]);
    for (uint64_t i = 0; i < numbers[0] && error == 0; i++) {
        error = mmuext(commands[level - 1], mfn, 0);
        if (error == 0)
            error = mmuext(MMUEXT_UNPIN_TABLE, mfn, 0);
    }
    return error;
}

/* Another root with the same entries, but for those of Xen, which it makes itself. */
static int64_t make_root(pte_t **made)
{
    const volatile pte_t *root = (const volatile pte_t *)start_info->pt_base;
    pte_t *table = page_alloc();
    int64_t error;

    for (unsigned i = 0; i < ENTRIES; i++)
        table[i] = i >= 256 && i < 272 ? 0 : root[i];
    error = page_set_flags(table, PTE_KERNEL_RO);
    if (error == 0)
        error = mmuext(MMUEXT_PIN_L4_TABLE, virt_to_mfn(table), 0);
    *made = table;
    return error;
}

static int64_t switch_root(const uint64_t *numbers)
{
    uint64_t roots[2] = {virt_to_mfn((void *)start_info->pt_base), 0};
    pte_t *other;
    int64_t error = make_root(&other), back;

    if (error != 0)
        return error;
    roots[1] = virt_to_mfn(other);
    for (uint64_t i = 1; i <= numbers[0] && error == 0; i++)
        error = mmuext(MMUEXT_NEW_BASEPTR, roots[i % 2], 0);
    back = mmuext(MMUEXT_NEW_BASEPTR, roots[0], 0);
    if (back == 0)
        back = mmuext(MMUEXT_UNPIN_TABLE, roots[1], 0);
    if (back == 0)
        back = page_set_flags(other, PTE_KERNEL);
    if (back == 0)
        page_free(other);
    return error != 0 ? error : back;
}

const struct command table_commands[] = {
    {"pte", 1, update_one}, {"ptes", 1, update_many},        {"va", 1, update_va}, {"store", 1, store},
    {"pin", 2, pin},        {"baseptr", 1, switch_root}, {NULL, 0, NULL},
};
