/* Grants: entries by address, handles that are used wrongly, pages that are given away while they are something. */
#include "hostile.h"

static int16_t map_at(uint64_t host_addr, uint32_t flags, uint32_t ref, uint32_t *handle)
{
    struct gnttab_map_grant_ref op = {host_addr, flags, ref, self, 99, ~0u, 0};

    check_result("map_grant_ref", hypercall_grant_table_op(GNTTABOP_map_grant_ref, &op, 1), 0);
    *handle = op.handle;
    return op.status;
}

static int16_t unmap_at(uint64_t host_addr, uint64_t dev_bus_addr, uint32_t handle)
{
    struct gnttab_unmap_grant_ref op = {host_addr, dev_bus_addr, handle, 99};

    check_result("unmap_grant_ref", hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1), 0);
    return op.status;
}

/* GNTMAP_contains_pte: the address is that of an entry. Not aligned it would straddle two. */
static void test_entry_addresses(void)
{
    unsigned long window = window_alloc(2);
    uint64_t address;
    void *page = page_alloc();
    const volatile pte_t *entry;
    long ref = grant_access(self, virt_to_mfn(page), false);
    uint32_t handle;

    section("grants: addresses of entries");
    map_page(window, 0);
    entry = pte_of(window, 1);
    address = pte_machine_address(entry);
    for (unsigned offset = 1; offset < 8; offset++)
        check(map_at(address + offset, GNTMAP_host_map | GNTMAP_contains_pte, ref, &handle) < 0,
              "mapped by an entry at +%u", offset);
    check(map_at(pte_machine_address(pte_of(window, 2)), GNTMAP_host_map | GNTMAP_contains_pte, ref, &handle) < 0,
          "mapped by an L2 entry");
    check(map_at(mfn_to_pte(virt_to_mfn(page), 0), GNTMAP_host_map | GNTMAP_contains_pte, ref, &handle) < 0,
          "mapped by a word of a data page");
    check(map_at(1ull << 51, GNTMAP_host_map | GNTMAP_contains_pte, ref, &handle) < 0, "mapped by an entry beyond memory");
    check(map_at(NOWHERE, GNTMAP_host_map, ref, &handle) < 0, "mapped at an address of nobody's");
    check(map_at(1ull << 63, GNTMAP_host_map, ref, &handle) < 0, "mapped at an address that there is not");
    check_equal("the entry", *entry, 0);
    check_equal("flags of the grant", grant_entry(ref)->flags, GTF_permit_access);

    check_equal("map by an entry", map_at(address, GNTMAP_host_map | GNTMAP_contains_pte, ref, &handle), GNTST_okay);
    check(unmap_at(address + 8, 0, handle) < 0, "unmapped by the address of another entry");
    check(unmap_at(address + 4, 0, handle) < 0, "unmapped by an address that is not aligned");
    check((*entry & PTE_PRESENT) != 0, "the entry is gone");
    check_equal("unmap", unmap_at(address, 0, handle), GNTST_okay);
    check(unmap_at(address, 0, handle) < 0, "unmapped twice");
    check(grant_end(ref), "the grant is still in use");
    page_free(page);
}

/* A grant mapped for a device and for the host counts twice, and each end counts once. */
static void test_counts(void)
{
    unsigned long window = window_alloc(1);
    uint64_t frame;
    void *page = page_alloc();
    long ref = grant_access(self, virt_to_mfn(page), false);
    uint32_t handle;

    section("grants: counts");
    frame = mfn_to_pte(virt_to_mfn(page), 0);
    map_page(window, 0);
    if (check_equal("map for both", map_at(window, GNTMAP_host_map | GNTMAP_device_map, ref, &handle), GNTST_okay)) {
        check(unmap_at(window, frame + PAGE_SIZE, handle) < 0, "unmapped with another frame's bus address");
        check_equal("unmap for the device", unmap_at(0, frame, handle), GNTST_okay);
        check(!grant_end(ref), "a grant that is still mapped was ended");
        unmap_at(0, frame, handle);
        check(!grant_end(ref), "the device's end counted for the host");
        check_equal("unmap for the host", unmap_at(window, 0, handle), GNTST_okay);
    }
    check(grant_end(ref), "the grant is still in use");
    page_free(page);
}

/* An entry that was overwritten with another frame is not the mapping any more. */
static void test_overwritten(void)
{
    unsigned long window = window_alloc(1);
    void *page = page_alloc(), *other = page_alloc();
    long ref = grant_access(self, virt_to_mfn(page), false);
    uint32_t handle;
    struct gnttab_unmap_and_replace replace;

    section("grants: overwritten mapping");
    map_page(window, 0);
    check_equal("map", map_at(window, GNTMAP_host_map, ref, &handle), GNTST_okay);
    check_result("overwriting", hypercall_update_va_mapping(window, mfn_to_pte(virt_to_mfn(other), PTE_KERNEL), UVMF_INVLPG),
                 0);
    check(unmap_at(window, 0, handle) < 0, "an entry that maps another frame was taken for the mapping");
    check_equal("frame of the entry", pte_to_mfn(*pte_of(window, 1)), virt_to_mfn(other));
    replace = (struct gnttab_unmap_and_replace){window, MACH2PHYS_VIRT_START, handle, 99};
    hypercall_grant_table_op(GNTTABOP_unmap_and_replace, &replace, 1);
    check(replace.status < 0, "replaced by an entry of Xen's");
    replace = (struct gnttab_unmap_and_replace){window, NOWHERE, handle, 99};
    hypercall_grant_table_op(GNTTABOP_unmap_and_replace, &replace, 1);
    check(replace.status < 0, "replaced by an entry of an address of nobody's");
    hypercall_update_va_mapping(window, 0, UVMF_INVLPG);
    page_free(other);
    /* The grant stays in use until the domain ends: the audit counts it. */
}

/* Pages that are mapped, pinned or of Xen's cannot be transferred, not to this domain itself either. */
static void test_transfer(void)
{
    static xen_pfn_t foreign[] = {0, ~0ul, NO_SUCH_MFN};
    pte_t *table = page_alloc();
    void *mapped = page_alloc();
    long ref = grant_access(self, virt_to_mfn(mapped), false);
    struct gnttab_transfer op;
    unsigned cases = 0;

    section("grants: transfer");
    grant_entry(ref)->flags = GTF_accept_transfer;
    grant_entry(ref)->frame = virt_to_pfn(mapped);
    page_set_flags(table, PTE_KERNEL_RO);
    check_result("pin", mmuext(MMUEXT_PIN_L1_TABLE, virt_to_mfn(table), 0), 0);
    xen_pfn_t frames[] = {virt_to_mfn(table), virt_to_mfn(mapped), start_info->shared_info >> PAGE_SHIFT,
                         virt_to_mfn((const void *)start_info->pt_base), foreign[0], foreign[1], foreign[2]};

    for (cases = 0; cases < ARRAY_LENGTH(frames); cases++) {
        op = (struct gnttab_transfer){frames[cases], self, ref, 99};
        hypercall_grant_table_op(GNTTABOP_transfer, &op, 1);
        check(op.status < 0, "frame 0x%lx was transferred", frames[cases]);
    }
    check_equal("flags of the offer", grant_entry(ref)->flags & 0xff, GTF_accept_transfer);
    op = (struct gnttab_transfer){virt_to_mfn(mapped), DOMID_XEN, ref, 99};
    hypercall_grant_table_op(GNTTABOP_transfer, &op, 1);
    check(op.status < 0, "a frame was transferred to DOMID_XEN");
    grant_entry(ref)->flags = GTF_invalid;
    check_result("unpin", mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn(table), 0), 0);
    page_set_flags(table, PTE_KERNEL);
    page_free(table);
    page_free(mapped);
}

/* One bad operation in a list says so, and those around it are done. */
static void test_lists(void)
{
    uint8_t *from = page_alloc(), *to = page_alloc();
    long ref = grant_access(self, virt_to_mfn(to), false);
    struct gnttab_copy ops[3];
    struct gnttab_map_grant_ref lists[2];
    unsigned long window = window_alloc(1);

    section("grants: lists");
    for (unsigned i = 0; i < 3; i++) {
        from[i] = 7 + i;
        ops[i] = (struct gnttab_copy){{virt_to_mfn(from), DOMID_SELF, i}, {ref, self, i}, 1, GNTCOPY_dest_gref, 99};
    }
    ops[1].dest.offset = PAGE_SIZE;
    ops[1].dest.ref_or_gmfn = 1u << 30;
    check_result("copy", hypercall_grant_table_op(GNTTABOP_copy, ops, 3), 0);
    check_equal("first", ops[0].status, GNTST_okay);
    check(ops[1].status < 0, "the bad copy says %d", ops[1].status);
    check_equal("third", ops[2].status, GNTST_okay);
    check(to[0] == 7 && to[1] == 0 && to[2] == 9, "the copies are %u %u %u", to[0], to[1], to[2]);
    ops[0].len = 0xffff;
    ops[0].source.offset = 0xfff;
    check_result("copy", hypercall_grant_table_op(GNTTABOP_copy, ops, 1), 0);
    check(ops[0].status < 0, "a copy beyond a page says %d", ops[0].status);

    map_page(window, 0);
    lists[0] = (struct gnttab_map_grant_ref){window, GNTMAP_host_map, 1u << 30, self, 99, 0, 0};
    lists[1] = (struct gnttab_map_grant_ref){window, GNTMAP_host_map, ref, self, 99, 0, 0};
    check_result("map", hypercall_grant_table_op(GNTTABOP_map_grant_ref, lists, 2), 0);
    check(lists[0].status < 0, "the bad mapping says %d", lists[0].status);
    check_equal("the good one", lists[1].status, GNTST_okay);
    check_equal("unmap", unmap_at(window, 0, lists[1].handle), GNTST_okay);
    check(hypercall_grant_table_op(GNTTABOP_copy, ops, ~0u) < 0, "4294967295 copies");
    check(grant_end(ref), "the grant is still in use");
    page_free(from);
    page_free(to);
}

/* Domains without a grant table, and numbers that are none's. */
static void test_domains(void)
{
    static const domid_t nobody[] = {DOMID_XEN, DOMID_IO, 0x7fef, 0xffff};
    unsigned long window = window_alloc(1);

    section("grants: domains without");
    map_page(window, 0);
    for (unsigned i = 0; i < ARRAY_LENGTH(nobody); i++) {
        struct gnttab_map_grant_ref map = {window, GNTMAP_host_map, 8, nobody[i], 99, 0, 0};
        struct gnttab_query_size size = {nobody[i], 0, 0, 99};
        struct gnttab_setup_table setup = {nobody[i], 1, 99, NULL};
        struct gnttab_get_version version = {nobody[i], 0, 99};

        hypercall_grant_table_op(GNTTABOP_map_grant_ref, &map, 1);
        check(map.status < 0, "mapped a grant of domain 0x%x", nobody[i]);
        hypercall_grant_table_op(GNTTABOP_query_size, &size, 1);
        check(size.status < 0, "the table of domain 0x%x has a size", nobody[i]);
        hypercall_grant_table_op(GNTTABOP_setup_table, &setup, 1);
        check(setup.status < 0, "set up the table of domain 0x%x", nobody[i]);
        check(hypercall_grant_table_op(GNTTABOP_get_version, &version, 1) < 0, "the table of domain 0x%x has a version",
              nobody[i]);
    }
    struct gnttab_swap_grant_ref swap = {1u << 30, 8, 99};

    hypercall_grant_table_op(GNTTABOP_swap_grant_ref, &swap, 1);
    check(swap.status < 0, "swapped with a reference beyond the table");
}

void test_grants(void)
{
    test_entry_addresses();
    test_counts();
    test_overwritten();
    test_transfer();
    test_lists();
    test_domains();
}
