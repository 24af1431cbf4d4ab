/*
 * Grants of the guest that serves; "bind" comes first.
 *
 *   map N     N times a page is mapped and unmapped
 *   copy N    N pages copied from there, each by a hypercall of its own
 *   copies N  N pages copied from there, 32 to a hypercall
 */
#include "bench.h"

static int64_t map(const uint64_t *numbers)
{
    static uint64_t window;
    int64_t error = 0;

    if (peer.port == 0)
        return -XEN_ENOTCONN;
    if (window == 0) {
        window = window_alloc(1);
        error = map_page(window, 0);
    }
    for (uint64_t i = 0; i < numbers[0] && error == 0; i++) {
        struct gnttab_map_grant_ref map = {window, GNTMAP_host_map, peer.grants, peer.domain, 0, 0, 0};
        struct gnttab_unmap_grant_ref unmap = {window, 0, 0, 0};

        error = hypercall_grant_table_op(GNTTABOP_map_grant_ref, &map, 1);
        if (error != 0 || map.status != GNTST_okay)
            return error != 0 ? error : map.status;
        unmap.handle = map.handle;
        error = hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1);
        if (unmap.status != GNTST_okay)
            return unmap.status;
    }
    return error;
}

static int64_t copy_in_batches(uint64_t count, unsigned size)
{
    static struct gnttab_copy copies[OFFERED_PAGES];
    static void *page;
    int64_t error = 0;

    if (peer.port == 0)
        return -XEN_ENOTCONN;
    if (count % size != 0)
        return -XEN_EINVAL;
    if (page == NULL)
        page = page_alloc();
    for (unsigned i = 0; i < size; i++)
        copies[i] = (struct gnttab_copy){{peer.grants + i, peer.domain, 0}, {virt_to_mfn(page), DOMID_SELF, 0},
                                         PAGE_SIZE, GNTCOPY_source_gref, 0};
    for (uint64_t i = 0; i < count / size && error == 0; i++)
        error = hypercall_grant_table_op(GNTTABOP_copy, copies, size);
    for (unsigned i = 0; i < size && error == 0; i++)
        error = copies[i].status;
    return error;
}

static int64_t copy(const uint64_t *numbers) { return copy_in_batches(numbers[0], 1); }

static int64_t copies(const uint64_t *numbers) { return copy_in_batches(numbers[0], OFFERED_PAGES); }

const struct command grant_commands[] = {{"map", 1, map}, {"copy", 1, copy}, {"copies", 1, copies}, {NULL, 0, NULL}};
