/* grants2: version 2 of grant tables, with this domain as both sides: marks in status frames, parts of pages, transitive grants. */
#include "verdict.h"

#define REF       20
#define OTHER_REF 21

/* The alternatives that the entries of 16 bytes have, each with its own header. */
struct grant_entry_v2 {
    uint16_t flags;
    domid_t  domid;
    union {
        struct { uint16_t page_off, length; } sub_page;
        struct { domid_t trans_domid; } transitive;
    } u;
    union {
        uint64_t frame;
        uint32_t gref;
    } target;
};
_Static_assert(sizeof(struct grant_entry_v2) == 16, "grant_entry_v2");

enum { GTF_transitive = 3, GTF_sub_page = 256 };

struct gnttab_get_status_frames {
    uint32_t nr_frames;
    domid_t  dom;
    int16_t  status;
    uint64_t *frame_list;
};
ABI_SIZE(struct gnttab_get_status_frames, 16, 12);

static domid_t self;
static volatile struct grant_entry_v2 *table;
static volatile uint16_t *status;
static unsigned long status_window;

static int64_t set_version(uint32_t *version)
{
    struct gnttab_set_version op = {*version};
    long result = hypercall_grant_table_op(GNTTABOP_set_version, &op, 1);

    *version = op.version;
    return result;
}

static int16_t status_frames(uint32_t count, uint64_t *frames)
{
    struct gnttab_get_status_frames op = {count, DOMID_SELF, 99, frames};

    check_result("get_status_frames", hypercall_grant_table_op(GNTTABOP_get_status_frames, &op, 1), 0);
    return op.status;
}

static struct gnttab_map_grant_ref grant_map(unsigned long va, uint32_t ref, uint32_t flags)
{
    struct gnttab_map_grant_ref op = {va, flags, ref, self, 99, 0, 0};

    check_result("map_grant_ref", hypercall_grant_table_op(GNTTABOP_map_grant_ref, &op, 1), 0);
    return op;
}

static int16_t grant_unmap(unsigned long va, uint32_t handle)
{
    struct gnttab_unmap_grant_ref op = {va, 0, handle, 99};

    check_result("unmap_grant_ref", hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1), 0);
    return op.status;
}

static int16_t copy_from(uint32_t ref, uint16_t offset, void *to, uint16_t len)
{
    struct gnttab_copy op = {{ref, self, offset}, {virt_to_mfn(to), DOMID_SELF, 0}, len, GNTCOPY_source_gref, 99};

    check_result("copy", hypercall_grant_table_op(GNTTABOP_copy, &op, 1), 0);
    return op.status;
}

static int16_t copy_to(void *from, uint32_t ref, uint16_t offset, uint16_t len)
{
    struct gnttab_copy op = {{virt_to_mfn(from), DOMID_SELF, 0}, {ref, self, offset}, len, GNTCOPY_dest_gref, 99};

    check_result("copy", hypercall_grant_table_op(GNTTABOP_copy, &op, 1), 0);
    return op.status;
}

static bool test_version(void)
{
    unsigned long window = window_alloc(1);
    uint64_t frame = 0;
    uint32_t version = 3;
    long mapped;
    void *page = page_alloc();
    struct gnttab_map_grant_ref map;
    struct gnttab_get_version get = {DOMID_SELF, 0, 99};
    uint32_t console = grant_entry(0)->frame;

    section("version");
    check_equal("status frames of version 1", status_frames(1, &frame), (uint64_t)GNTST_general_error);
    check_result("set_version(3)", set_version(&version), -XEN_EINVAL);
    check_equal("version then", version, 1);

    map_page(window, 0);
    mapped = grant_access(self, virt_to_mfn(page), false);
    map = grant_map(window, mapped, GNTMAP_host_map);
    check_equal("status", map.status, GNTST_okay);
    version = 2;
    check_result("set_version(2) with a grant in use", set_version(&version), -XEN_EBUSY);
    check_equal("version then", version, 1);
    check_equal("unmap", grant_unmap(window, map.handle), GNTST_okay);
    version = 2;
    if (!check_result("set_version(2)", set_version(&version), 0))
        return false;
    check_equal("version then", version, 2);
    hypercall_grant_table_op(GNTTABOP_get_version, &get, 1);
    check_equal("version by get_version", get.version, 2);
    check_equal("two status frames of one", status_frames(2, &frame), (uint64_t)GNTST_general_error);
    check_equal("status frames", status_frames(1, &frame), GNTST_okay);
    status_window = window_alloc(1);
    if (!check_result("mapping the status frame", map_page(status_window, mfn_to_pte(frame, PTE_KERNEL)), 0))
        return false;
    status = (volatile uint16_t *)status_window;
    table = (volatile struct grant_entry_v2 *)grant_entry(0);
    check_equal("flags of the console's grant", table[0].flags, GTF_permit_access);
    check_equal("frame of the console's grant", table[0].target.frame, console);
    check(status[0] != 0, "the console's grant is not in use");
    check_equal("flags of another entry", table[mapped].flags, GTF_invalid);
    page_free(page);
    return true;
}

static void test_full_pages(void)
{
    unsigned long window = window_alloc(1);
    volatile uint64_t *page = page_alloc();
    struct gnttab_map_grant_ref map;
    struct gnttab_swap_grant_ref swap = {REF, OTHER_REF, 99};

    section("full pages");
    map_page(window, 0);
    page[3] = 0x5678;
    table[REF].domid = self;
    table[REF].target.frame = virt_to_mfn((void *)page);
    memory_barrier();
    table[REF].flags = GTF_permit_access;
    map = grant_map(window, REF, GNTMAP_host_map);
    if (!check_equal("status", map.status, GNTST_okay))
        return;
    check_equal("value", ((volatile uint64_t *)window)[3], 0x5678);
    check_equal("flags while mapped", table[REF].flags, GTF_permit_access);
    check_equal("status while mapped", status[REF], GTF_reading | GTF_writing);
    hypercall_grant_table_op(GNTTABOP_swap_grant_ref, &swap, 1);
    check_equal("swap while mapped", swap.status, (uint64_t)GNTST_eagain);
    check_equal("unmap", grant_unmap(window, map.handle), GNTST_okay);
    check_equal("status afterwards", status[REF], 0);
    hypercall_grant_table_op(GNTTABOP_swap_grant_ref, &swap, 1);
    check_equal("swap", swap.status, GNTST_okay);
    check_equal("frame of the other", table[OTHER_REF].target.frame, virt_to_mfn((void *)page));
    check_equal("mapping of what is left", grant_map(window, REF, GNTMAP_host_map).status,
                (uint64_t)GNTST_general_error);
    table[OTHER_REF].target.frame |= UINT64_C(1) << 40;
    check_equal("mapping of no frame", grant_map(window, OTHER_REF, GNTMAP_host_map).status, (uint64_t)GNTST_bad_page);
    table[OTHER_REF].flags = GTF_invalid;
    page_free((void *)page);
}

static void test_parts(void)
{
    unsigned long window = window_alloc(1);
    uint8_t *page = page_alloc(), *own = page_alloc();

    section("parts of pages");
    map_page(window, 0);
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        page[i] = i * 5;
    table[REF].domid = self;
    table[REF].u.sub_page.page_off = 100;
    table[REF].u.sub_page.length = 50;
    table[REF].target.frame = virt_to_mfn(page);
    memory_barrier();
    table[REF].flags = GTF_permit_access | GTF_sub_page;
    check_equal("mapping", grant_map(window, REF, GNTMAP_host_map | GNTMAP_readonly).status,
                (uint64_t)GNTST_general_error);
    check_equal("copy of the part", copy_from(REF, 100, own, 50), GNTST_okay);
    check(memcmp(own, page + 100, 50) == 0, "the copy differs");
    check_equal("copy from before it", copy_from(REF, 99, own, 50), (uint64_t)GNTST_general_error);
    check_equal("copy beyond it", copy_from(REF, 100, own, 51), (uint64_t)GNTST_general_error);
    memset(own, 0xee, 50);
    check_equal("copy into it", copy_to(own, REF, 149, 1), GNTST_okay);
    check_equal("copy to behind it", copy_to(own, REF, 150, 1), (uint64_t)GNTST_general_error);
    check(page[149] == 0xee && page[150] == (uint8_t)(150 * 5), "the copy went elsewhere");
    check_equal("status afterwards", status[REF], 0);
    table[REF].flags = GTF_invalid;
    page_free(page);
    page_free(own);
}

/* A transitive grant of our own leads nowhere: it must be of another domain's. Domain 0 grants us nothing. */
static void test_transitive(void)
{
    void *own = page_alloc();

    section("transitive grants");
    table[OTHER_REF].domid = self;
    table[OTHER_REF].target.frame = virt_to_mfn(own);
    table[OTHER_REF].flags = GTF_permit_access;
    table[REF].domid = self;
    table[REF].u.transitive.trans_domid = self;
    table[REF].target.gref = OTHER_REF;
    memory_barrier();
    table[REF].flags = GTF_transitive;
    check_equal("copy through ourselves", copy_from(REF, 0, own, 8), (uint64_t)GNTST_general_error);
    table[REF].u.transitive.trans_domid = 0;
    check_equal("copy of what was not granted", copy_from(REF, 0, own, 8), (uint64_t)GNTST_general_error);
    table[REF].u.transitive.trans_domid = 0x7000;
    check_equal("copy from no domain", copy_from(REF, 0, own, 8), (uint64_t)GNTST_general_error);
    table[REF].u.transitive.trans_domid = 0;
    table[REF].target.gref = ~0u;
    check_equal("copy of no entry", copy_from(REF, 0, own, 8), (uint64_t)GNTST_bad_gntref);
    check_equal("status afterwards", status[REF], 0);
    table[REF].flags = table[OTHER_REF].flags = GTF_invalid;
    page_free(own);
}

static void test_back(void)
{
    uint32_t version = 1;

    section("back");
    check_result("set_version(1) with the status frame mapped", set_version(&version), -XEN_EBUSY);
    check_equal("version then", version, 2);
    map_page(status_window, 0);
    version = 1;
    check_result("set_version(1)", set_version(&version), 0);
    check_equal("version then", version, 1);
    check_equal("flags of the console's grant", grant_entry(0)->flags & GTF_permit_access, GTF_permit_access);
    check_equal("frame of the console's grant", grant_entry(0)->frame, start_info->console_mfn);
}

void guest_main(void)
{
    char id[16];
    uint64_t domid = 0;

    if (!check(xenstore_read(0, "domid", id, sizeof(id)) > 0 && parse_number(id, &domid), "no domid in xenstore"))
        verdict("grants2");
    self = domid;
    if (check_result("grant_init", grant_init(), 0) && test_version()) {
        test_full_pages();
        test_parts();
        test_transitive();
        test_back();
    }
    verdict("grants2");
}
