/* Page tables: linear mappings, flags that change what an entry is, types that two uses fight for. */
#include "hostile.h"

#define PTE_LARGE 0x80ul

static xen_pfn_t root_mfn(void) { return virt_to_mfn((const void *)start_info->pt_base); }

static pte_t *table_page(void)
{
    pte_t *table = page_alloc();

    check_result("read-only", page_set_flags(table, PTE_KERNEL_RO), 0);
    return table;
}

static void give_back(pte_t *table)
{
    check_result("writable again", page_set_flags(table, PTE_KERNEL), 0);
    page_free(table);
}

/* A table that maps itself may be read so, not written: not by a new entry, and not by new flags of an old one. */
static void test_linear_writable(void)
{
    static const unsigned commands[] = {MMU_NORMAL_PT_UPDATE, MMU_PT_UPDATE_PRESERVE_AD, MMU_PT_UPDATE_NO_TRANSLATE};
    const volatile pte_t *slot;
    pte_t read_only, now;

    section("linear mapping made writable");
    check_result("map_page", map_page(window_alloc(1), 0), 0);
    slot = &LINEAR_TABLE[LINEAR_SLOT];
    read_only = mfn_to_pte(virt_to_mfn((const void *)LINEAR_TABLE), PTE_PRESENT | PTE_ACCESSED | PTE_USER);
    check_result("writable linear entry", pte_write(slot, read_only | PTE_WRITABLE), -XEN_EINVAL);
    check_result("read-only linear entry", pte_write(slot, read_only), 0);
    for (unsigned i = 0; i < ARRAY_LENGTH(commands); i++) {
        long result = pte_write_as(slot, read_only | PTE_WRITABLE, commands[i]);

        check(result < 0, "command %u made it writable", commands[i]);
        now = *slot;
        check((now & PTE_WRITABLE) == 0, "the linear entry is 0x%llx", (unsigned long long)now);
        pte_write_as(slot, read_only | PTE_DIRTY, commands[i]);
        check((*slot & PTE_WRITABLE) == 0, "the linear entry is 0x%llx after other flags",
              (unsigned long long)*slot);
    }
    check_result("no linear entry", pte_write(slot, 0), 0);
}

/* Tables that map each other cannot be chained, or taking one apart would lead through all of them. */
static void test_linear_chain(void)
{
    pte_t *a = table_page(), *b = table_page(), *c = table_page();
    pte_t flags = PTE_PRESENT | PTE_ACCESSED | PTE_USER;

    section("chain of linear mappings");
    check_result("pin a", mmuext(LINEAR_PIN, virt_to_mfn(a), 0), 0);
    check_result("pin b", mmuext(LINEAR_PIN, virt_to_mfn(b), 0), 0);
    check_result("pin c", mmuext(LINEAR_PIN, virt_to_mfn(c), 0), 0);
    check_result("a maps b", pte_write(&a[5], mfn_to_pte(virt_to_mfn(b), flags)), 0);
    check(pte_write(&b[5], mfn_to_pte(virt_to_mfn(c), flags)) < 0, "b, which a maps, maps c");
    check(pte_write(&c[5], mfn_to_pte(virt_to_mfn(a), flags)) < 0, "c maps a, which maps b");
    check(pte_write(&b[5], mfn_to_pte(virt_to_mfn(a), flags)) < 0, "a and b map each other");
    check_result("unpin b, which a maps", mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn(b), 0), 0);
    check(page_set_flags(b, PTE_KERNEL) < 0, "a table that another maps is writable");
    check_result("unpin a", mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn(a), 0), 0);
    check_result("unpin c", mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn(c), 0), 0);
    give_back(a);
    give_back(b);
    give_back(c);
}

/* A PSE bit makes a table a large page that maps whatever is behind it. */
static void test_large_pages(void)
{
    unsigned long window = window_alloc(1);
    static const unsigned commands[] = {MMU_NORMAL_PT_UPDATE, MMU_PT_UPDATE_PRESERVE_AD};

    section("large pages");
    check_result("map_page", map_page(window, mfn_to_pte(virt_to_mfn(page_alloc()), PTE_KERNEL)), 0);
    for (unsigned i = 0; i < ARRAY_LENGTH(commands); i++) {
        for (unsigned level = 2; level <= PAGING_LEVELS; level++) {
            const volatile pte_t *entry = pte_of(window, level);

            check(pte_write_as(entry, *entry | PTE_LARGE, commands[i]) < 0, "an L%u entry got the bit of large pages", level);
            check((*entry & PTE_LARGE) == 0, "the L%u entry has it", level);
        }
    }
    check(pte_write(pte_of(window, 2), mfn_to_pte(0, PTE_KERNEL | PTE_LARGE)) < 0, "a large page at machine address 0");
}

/* Addresses of entries that are not aligned, or not entries at all. */
static void test_entry_addresses(void)
{
    unsigned long window = window_alloc(1);
    const volatile pte_t *entry;
    struct mmu_update update;
    pte_t before;

    section("addresses of entries");
    check_result("map_page", map_page(window, 0), 0);
    entry = pte_of(window, 1);
    before = *entry;
    for (unsigned offset = 4; offset < 8; offset += 4) {
        update = (struct mmu_update){pte_machine_address(entry) + offset, 0x5555555555555555};
        check(hypercall_mmu_update(&update, 1, NULL, DOMID_SELF) < 0, "an entry at +%u was written", offset);
    }
    update = (struct mmu_update){1ull << 51, 0};
    check(hypercall_mmu_update(&update, 1, NULL, DOMID_SELF) < 0, "an entry beyond memory was written");
    check_equal("the entry", *entry, before);
    check_equal("the next", entry[1], 0);
    check(hypercall_update_va_mapping_otherdomain(window, 0, 0, DOMID_XEN) < 0, "an entry of DOMID_XEN's");
    check(hypercall_update_va_mapping(NOWHERE, 0, UVMF_INVLPG) < 0, "an entry of an address of nobody's");
    check(mmuext(MMUEXT_INVLPG_LOCAL, NOWHERE, 0) <= 0, "INVLPG of an address of nobody's");
    check(mmuext(MMUEXT_INVLPG_ALL, MACH2PHYS_VIRT_START, 0) <= 0, "INVLPG in Xen's range");
}

/* Frames that are not this domain's cannot be mapped, nor become tables of its. */
static void test_foreign_frames(void)
{
    unsigned long window = window_alloc(1);
    unsigned tried = 0;

    section("frames of others");
    check_result("map_page", map_page(window, 0), 0);
    for (xen_pfn_t mfn = 0; mfn < 0x8000; mfn += 37) {
        unsigned long pfn = mfn_to_pfn(mfn);

        if (pfn < start_info->nr_pages && pfn_to_mfn(pfn) == mfn)
            continue;
        tried++;
        if (!check(hypercall_update_va_mapping(window, mfn_to_pte(mfn, PTE_KERNEL_RO), UVMF_INVLPG) < 0,
                   "frame 0x%lx was mapped", mfn) ||
            !check(mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0) < 0, "frame 0x%lx was pinned", mfn) ||
            !check(mmuext(MMUEXT_CLEAR_PAGE, mfn, 0) < 0, "frame 0x%lx was cleared", mfn))
            break;
    }
    check(tried > 100, "only %u frames of others", tried);
    hypercall_update_va_mapping(window, 0, UVMF_INVLPG);
}

/* A frame has one type at a time, whoever asks and in whatever order. */
static void test_types(void)
{
    pte_t *table = table_page();
    unsigned long window = window_alloc(1);
    xen_pfn_t mfn = virt_to_mfn(table);

    section("one type at a time");
    check_result("map_page", map_page(window, 0), 0);
    check_result("set_gdt", hypercall_set_gdt(&mfn, 512), 0);
    for (unsigned level = 0; level < 4; level++)
        check(mmuext(MMUEXT_PIN_L1_TABLE + level, mfn, 0) < 0, "a GDT page was pinned as L%u", level + 1);
    check(hypercall_update_va_mapping(window, mfn_to_pte(mfn, PTE_KERNEL), UVMF_INVLPG) < 0, "a GDT page is writable");
    check(mmuext(MMUEXT_CLEAR_PAGE, mfn, 0) < 0, "a GDT page was cleared");
    check_result("set_gdt of nothing", hypercall_set_gdt(&mfn, 0), 0);
    check_result("pin as L1", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0), 0);
    check(hypercall_set_gdt(&mfn, 512) < 0, "an L1 table became a GDT page");
    check(mmuext(MMUEXT_NEW_BASEPTR, mfn, 0) < 0, "an L1 table became the root");
    check(mmuext(MMUEXT_NEW_USER_BASEPTR, mfn, 0) < 0, "an L1 table became the root of user mode");
    check(pte_write(pte_of(window, 3), mfn_to_pte(mfn, PTE_KERNEL | PTE_USER)) < 0, "an L1 table became an L2 table");
    check_result("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn, 0), 0);
    check(mmuext(MMUEXT_UNPIN_TABLE, mfn, 0) < 0, "it was unpinned twice");
    give_back(table);
}

/* The root in use, unpinned and without its entry in it, must stay a table while a processor walks it. */
static void test_root(void)
{
    xen_pfn_t mfn = root_mfn();

    section("the root in use");
    check_result("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn, 0), 0);
    check(page_set_flags((void *)start_info->pt_base, PTE_KERNEL) < 0, "the root is writable");
    /* A 32-bit guest has no other for user mode. */
    check_result("root of user mode too", mmuext(MMUEXT_NEW_USER_BASEPTR, mfn, 0), BY_WIDTH(0, -XEN_EINVAL));
    check_result("no root of user mode", mmuext(MMUEXT_NEW_USER_BASEPTR, 0, 0), BY_WIDTH(0, -XEN_EINVAL));
    check(page_set_flags((void *)start_info->pt_base, PTE_KERNEL) < 0, "the root is writable");
    check_result("pin", mmuext(MMUEXT_PIN_ROOT_TABLE, mfn, 0), 0);
}

void test_tables(void)
{
    test_linear_writable();
    test_linear_chain();
    test_large_pages();
    test_entry_addresses();
    test_foreign_frames();
    test_types();
    test_root();
}
