/* grants: granting, mapping, copying and ending, with this domain as both sides. */
#include "verdict.h"

static domid_t self;

static struct gnttab_map_grant_ref grant_map(unsigned long va, uint32_t ref, uint32_t flags)
{
    struct gnttab_map_grant_ref op = {va, flags, ref, self, 99, 0, 0};
    long result = hypercall_grant_table_op(GNTTABOP_map_grant_ref, &op, 1);

    check_result("map_grant_ref", result, 0);
    return op;
}

static int16_t grant_unmap(unsigned long va, uint32_t handle)
{
    struct gnttab_unmap_grant_ref op = {va, 0, handle, 99};

    check_result("unmap_grant_ref", hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1), 0);
    return op.status;
}

static void test_mapping(void)
{
    unsigned long window = window_alloc(2);
    volatile uint64_t *page = page_alloc();
    long ref = grant_access(self, virt_to_mfn((void *)page), false), read_only;
    struct gnttab_map_grant_ref map, second;

    section("mapping");
    map_page(window, 0);
    map_page(window + PAGE_SIZE, 0);
    page[0] = 0x5678;
    map = grant_map(window, ref, GNTMAP_host_map);
    if (!check_equal("status", map.status, GNTST_okay))
        return;
    check_equal("dev_bus_addr", map.dev_bus_addr, mfn_to_pte(virt_to_mfn((void *)page), 0));
    check_equal("value through the mapping", *(volatile uint64_t *)window, 0x5678);
    *(volatile uint64_t *)window = 0x9abc;
    check_equal("value through the page", page[0], 0x9abc);
    check_equal("flags while mapped", grant_entry(ref)->flags, GTF_permit_access | GTF_reading | GTF_writing);
    check(!grant_end(ref), "a mapped grant could be ended");

    second = grant_map(window + PAGE_SIZE, ref, GNTMAP_host_map | GNTMAP_readonly);
    check_equal("status of a second mapping", second.status, GNTST_okay);
    check_equal("unmap of it", (uint16_t)grant_unmap(window + PAGE_SIZE, second.handle), GNTST_okay);
    check_equal("flags then", grant_entry(ref)->flags, GTF_permit_access | GTF_reading | GTF_writing);
    check_equal("unmap at the wrong address", grant_unmap(window + PAGE_SIZE, map.handle), GNTST_general_error);
    check_equal("unmap", grant_unmap(window, map.handle), GNTST_okay);
    check_equal("second unmap", grant_unmap(window, map.handle), GNTST_bad_handle);
    check_equal("flags afterwards", grant_entry(ref)->flags, GTF_permit_access);
    check(grant_end(ref), "the grant could not be ended");
    check_equal("status for an ended grant", grant_map(window, ref, GNTMAP_host_map).status, GNTST_general_error);

    read_only = grant_access(self, virt_to_mfn((void *)page), true);
    check_equal("writable mapping of a read-only grant", grant_map(window, read_only, GNTMAP_host_map).status,
                GNTST_general_error);
    map = grant_map(window, read_only, GNTMAP_host_map | GNTMAP_readonly);
    check_equal("read-only mapping of it", map.status, GNTST_okay);
    check_equal("value", *(volatile uint64_t *)window, 0x9abc);
    check_equal("PTE writable", *pte_of(window, 1) & PTE_WRITABLE, 0);
    check_equal("unmap", grant_unmap(window, map.handle), GNTST_okay);
    grant_end(read_only);
    page_free((void *)page);
}

static void test_errors(void)
{
    unsigned long window = window_alloc(1);
    void *page = page_alloc();
    long ref = grant_access(self, virt_to_mfn(page), false);
    long others = grant_access(0, virt_to_mfn(page), false), nowhere = grant_access(self, 1ul << 31, false);
    struct gnttab_map_grant_ref op;

    section("errors");
    map_page(window, 0);
    check_equal("no kind of mapping", grant_map(window, ref, 0).status, GNTST_bad_gntref);
    check_equal("reference beyond the table", grant_map(window, 1u << 30, GNTMAP_host_map).status, GNTST_bad_gntref);
    check_equal("grant for another domain", grant_map(window, others, GNTMAP_host_map).status, GNTST_general_error);
    check_equal("grant of no frame", grant_map(window, nowhere, GNTMAP_host_map).status, GNTST_bad_page);
    check_equal("mapping in Xen's range", grant_map(MACH2PHYS_VIRT_START, ref, GNTMAP_host_map).status,
                GNTST_general_error);
    op = (struct gnttab_map_grant_ref){window, GNTMAP_host_map, ref, 0x7000, 99, 0, 0};
    hypercall_grant_table_op(GNTTABOP_map_grant_ref, &op, 1);
    check_equal("no domain", op.status, GNTST_bad_domain);
    check_equal("unknown handle", grant_unmap(window, 12345), GNTST_bad_handle);
    check_result("argument in Xen's range", hypercall_grant_table_op(GNTTABOP_map_grant_ref,
                                                                    (void *)MACH2PHYS_VIRT_START, 1), -XEN_EFAULT);
    check_result("unknown operation", hypercall_grant_table_op(50, &op, 1), -XEN_ENOSYS);
    check_equal("flags of the grant", grant_entry(ref)->flags, GTF_permit_access);
    grant_end(ref);
    grant_end(others);
    grant_end(nowhere);
    page_free(page);
}

static int16_t copy(struct gnttab_copy_ptr source, struct gnttab_copy_ptr dest, uint16_t len, uint16_t flags)
{
    struct gnttab_copy op = {source, dest, len, flags, 99};

    check_result("copy", hypercall_grant_table_op(GNTTABOP_copy, &op, 1), 0);
    return op.status;
}

static void test_copy(void)
{
    uint8_t *from = page_alloc(), *to = page_alloc();
    long source = grant_access(self, virt_to_mfn(from), true), target = grant_access(self, virt_to_mfn(to), false);
    struct gnttab_copy_ptr source_ref = {source, self, 100}, target_ref = {target, self, 3000};
    struct gnttab_copy_ptr source_frame = {virt_to_mfn(from), DOMID_SELF, 0};

    section("copy");
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        from[i] = i * 7;
    check_equal("reference to reference", copy(source_ref, target_ref, 1000, GNTCOPY_source_gref | GNTCOPY_dest_gref),
                GNTST_okay);
    check(memcmp(from + 100, to + 3000, 1000) == 0, "the copy differs");
    check(to[2999] == 0 && to[4000] == 0, "the copy is too long");
    check_equal("own frame to reference", copy(source_frame, target_ref, 16, GNTCOPY_dest_gref), GNTST_okay);
    check(memcmp(from, to + 3000, 16) == 0, "the copy differs");
    check_equal("across the end of a page",
                copy(source_ref, target_ref, 1097, GNTCOPY_source_gref | GNTCOPY_dest_gref), GNTST_bad_copy_arg);
    check_equal("into a read-only grant",
                copy(source_frame, (struct gnttab_copy_ptr){source, self, 0}, 16, GNTCOPY_dest_gref),
                GNTST_general_error);
    check_equal("flags of the source", grant_entry(source)->flags, GTF_permit_access | GTF_readonly);
    check_equal("flags of the target", grant_entry(target)->flags, GTF_permit_access);
    grant_end(source);
    grant_end(target);
    page_free(from);
    page_free(to);
}

static void test_table(void)
{
    struct gnttab_query_size size = {DOMID_SELF, 0, 0, 99};
    struct gnttab_get_version version = {DOMID_SELF, 0, 99};
    xen_pfn_t frames[2];
    struct gnttab_setup_table grow = {DOMID_SELF, 2, 99, frames}, huge = {DOMID_SELF, 1u << 20, 99, frames};

    section("table");
    check_result("query_size", hypercall_grant_table_op(GNTTABOP_query_size, &size, 1), 0);
    check_equal("status", size.status, GNTST_okay);
    check(size.nr_frames >= 1 && size.max_nr_frames >= size.nr_frames, "%u of %u frames", size.nr_frames,
          size.max_nr_frames);
    check_result("get_version", hypercall_grant_table_op(GNTTABOP_get_version, &version, 1), 0);
    check_equal("version", version.version, 1);
    check_result("setup_table with two frames", hypercall_grant_table_op(GNTTABOP_setup_table, &grow, 1), 0);
    check_equal("status", grow.status, GNTST_okay);
    check(frames[0] != frames[1], "both frames are 0x%lx", frames[0]);
    check_result("setup_table with too many frames", hypercall_grant_table_op(GNTTABOP_setup_table, &huge, 1), 0);
    check_equal("status", huge.status, GNTST_general_error);
    /* The references that the builder has filled in for the backends in domain 0. */
    check_equal("grant of the console page", grant_entry(0)->frame, start_info->console_mfn);
    check_equal("grant of the xenstore page", grant_entry(1)->frame, start_info->store_mfn);
    check_equal("domain that the console page is granted to", grant_entry(0)->domid, 0);
}

void guest_main(void)
{
    char id[16];
    uint64_t domid = 0;

    if (!check(xenstore_read(0, "domid", id, sizeof(id)) > 0 && parse_number(id, &domid), "no domid in xenstore"))
        verdict("grants");
    self = domid;
    if (check_result("grant_init", grant_init(), 0)) {
        test_mapping();
        test_errors();
        test_copy();
        test_table();
    }
    verdict("grants");
}
