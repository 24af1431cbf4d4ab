/* grant_table_op, with this domain on both sides as well as against others. */
#include "torture.h"

#define MAPPINGS 32
#define ENTRIES  512

static struct mapping {
    uint64_t va;
    uint32_t handle;
    bool used;
} mappings[MAPPINGS];

static uint16_t own_domain;
static bool ready;

static bool prepare(void)
{
    if (!ready) {
        char id[16];
        uint64_t value = 0;

        ready = true;
        if (xenstore_read(0, "domid", id, sizeof(id)) > 0 && parse_number(id, &value))
            own_domain = value;
        if (grant_init() != 0)
            panic("no grant table");
    }
    return true;
}

static domid_t any_peer(void) { return one_in(3) ? any_domain() : own_domain; }
static uint32_t any_ref(void) { return one_in(12) ? odd_number() : GNTTAB_NR_RESERVED_ENTRIES + below(64); }
static uint32_t any_ref_of_others(void) { return below(GNTTAB_NR_RESERVED_ENTRIES + 16); }
static int64_t op(uint32_t cmd, void *block) { return hypercall_grant_table_op(cmd, spoil(block), 1); }

/* The guest's own side: entries appear, change and vanish at any time. */
static void offer(void)
{
    volatile struct grant_entry_v1 *entry = grant_entry(GNTTAB_NR_RESERVED_ENTRIES + below(64));

    entry->domid = any_peer();
    entry->frame = one_in(4) ? foreign_mfn() : any_pool_mfn();
    memory_barrier();
    entry->flags = one_in(8) ? random_bits() & ~3ul : GTF_permit_access | (one_in(4) ? GTF_readonly : 0);
    if (one_in(8))
        entry->flags = GTF_accept_transfer;
}

static int64_t map_grant(void)
{
    struct gnttab_map_grant_ref *block = argument(sizeof(*block));
    struct mapping *mapping = &mappings[below(MAPPINGS)];
    int64_t result;

    prepare();
    offer();
    block->host_addr = any_va();
    block->flags = one_in(8) ? odd_number() : GNTMAP_host_map | (one_in(3) ? GNTMAP_readonly : 0);
    if (one_in(6)) {
        block->flags |= GNTMAP_contains_pte;
        block->host_addr = pte_machine_address(any_sandbox_entry(1));
    }
    block->ref = any_ref();
    block->dom = any_peer();
    if (one_in(8)) {
        block->dom = below(8);
        block->ref = any_ref_of_others();
    }
    result = op(GNTTABOP_map_grant_ref, block);
    if (result == 0) {
        count_status("grant_table_op.map_grant_ref status", block->status);
        /* Whoever lets this guest map a page to write to it will see it written to. */
        if (block->status == GNTST_okay && (block->flags & (GNTMAP_readonly | GNTMAP_contains_pte)) == 0 &&
            block->dom != own_domain)
            *(volatile uint64_t *)(block->host_addr & ~7ul) = random_bits();
        if (block->status == GNTST_okay && !mapping->used) {
            *mapping = (struct mapping){block->host_addr, block->handle, true};
        } else if (block->status == GNTST_okay) {
            struct gnttab_unmap_grant_ref undo = {block->host_addr, 0, block->handle, 0};

            hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &undo, 1);
        }
    }
    return result;
}

static int64_t unmap_grant(void)
{
    struct gnttab_unmap_grant_ref *block = argument(sizeof(*block));
    struct mapping *mapping = &mappings[below(MAPPINGS)];
    int64_t result;

    prepare();
    block->host_addr = one_in(8) ? any_va() : mapping->va;
    block->dev_bus_addr = one_in(16) ? odd_number() : 0;
    block->handle = one_in(8) ? odd_number() : mapping->handle;
    result = op(GNTTABOP_unmap_grant_ref, block);
    if (result == 0) {
        count_status("grant_table_op.unmap_grant_ref status", block->status);
        if (block->status == GNTST_okay && block->handle == mapping->handle)
            mapping->used = false;
    }
    return result;
}

static int64_t unmap_and_replace(void)
{
    struct gnttab_unmap_and_replace *block = argument(sizeof(*block));
    struct mapping *mapping = &mappings[below(MAPPINGS)];
    int64_t result;

    prepare();
    block->host_addr = mapping->va;
    block->new_addr = one_in(8) ? 0 : one_in(2) ? any_sandbox_va() : any_va();
    block->handle = mapping->handle;
    result = op(GNTTABOP_unmap_and_replace, block);
    if (result == 0) {
        count_status("grant_table_op.unmap_and_replace status", block->status);
        if (block->status == GNTST_okay)
            mapping->used = false;
    }
    return result;
}

/* More frames than asked for now are never needed: the size is for Xen to limit. */
static int64_t setup_table(void)
{
    struct gnttab_setup_table *block = argument(sizeof(*block));
    int64_t result;

    prepare();
    block->dom = one_in(3) ? any_domain() : DOMID_SELF;
    block->nr_frames = one_in(8) ? odd_number() : below(6);
    block->frame_list = spoil(argument(64 * sizeof(uint64_t)));
    if (block->nr_frames > 64 && block->nr_frames < 4096)
        block->nr_frames = 5;
    result = op(GNTTABOP_setup_table, block);
    if (result == 0)
        count_status("grant_table_op.setup_table status", block->status);
    return result;
}

static int64_t transfer(void)
{
    struct gnttab_transfer *block = argument(sizeof(*block));
    struct pool_frame *frame = any_pool_frame();
    int64_t result;

    prepare();
    offer();
    block->mfn = one_in(4) ? foreign_mfn() : frame->mfn;
    block->domid = any_peer();
    block->ref = any_ref();
    result = op(GNTTABOP_transfer, block);
    if (result == 0) {
        count_status("grant_table_op.transfer status", block->status);
        if (block->status == GNTST_okay && block->mfn == frame->mfn)
            forget_frame(frame);
    }
    return result;
}

/* Into this guest's frames outside the pool Xen would rightly copy, and destroy them. */
static int64_t copy(void)
{
    struct gnttab_copy *block = argument(sizeof(*block));
    int64_t result;

    prepare();
    offer();
    block->flags = one_in(16) ? odd_number() & 0xfffc : 0;
    if (one_in(2)) {
        block->flags |= GNTCOPY_source_gref;
        block->source = (struct gnttab_copy_ptr){any_ref(), any_peer(), below(PAGE_SIZE)};
    } else {
        block->source = (struct gnttab_copy_ptr){any_mfn(), one_in(4) ? any_domain() : DOMID_SELF, below(PAGE_SIZE)};
    }
    block->dest = (struct gnttab_copy_ptr){one_in(4) ? foreign_mfn() : any_pool_mfn(),
                                           one_in(4) ? any_domain() : DOMID_SELF, below(PAGE_SIZE)};
    if (one_in(4)) {
        block->flags |= GNTCOPY_dest_gref;
        block->dest = (struct gnttab_copy_ptr){any_ref_of_others(), below(8), below(PAGE_SIZE)};
    }
    block->len = one_in(8) ? odd_number() : below(PAGE_SIZE + 1 - (block->source.offset > block->dest.offset
                                                                       ? block->source.offset
                                                                       : block->dest.offset));
    result = op(GNTTABOP_copy, block);
    if (result == 0)
        count_status("grant_table_op.copy status", block->status);
    return result;
}

static int64_t query_size(void)
{
    struct gnttab_query_size *block = argument(sizeof(*block));
    int64_t result;

    prepare();
    block->dom = any_domain();
    result = op(GNTTABOP_query_size, block);
    if (result == 0)
        count_status("grant_table_op.query_size status", block->status);
    return result;
}

static int64_t dump_table(void)
{
    struct {
        domid_t dom;
        int16_t status;
    } *block = argument(4);
    int64_t result;

    block->dom = any_domain();
    result = op(GNTTABOP_dump_table, block);
    if (result == 0)
        count_status("grant_table_op.dump_table status", block->status);
    return result;
}

/* Version 2 would change the layout under this guest's entries: only versions that do not exist, or the present one. */
static int64_t set_version(void)
{
    struct gnttab_set_version *block = argument(sizeof(*block));

    block->version = one_in(2) ? 1 : 3 + below(100);
    return op(GNTTABOP_set_version, block);
}

static int64_t get_version(void)
{
    struct gnttab_get_version *block = argument(sizeof(*block));

    block->dom = any_domain();
    return op(GNTTABOP_get_version, block);
}

static int64_t get_status_frames(void)
{
    struct {
        uint32_t nr_frames;
        domid_t dom;
        int16_t status;
        uint64_t *frame_list;
    } *block = argument(16);
    int64_t result;

    block->nr_frames = one_in(4) ? odd_number() : below(4);
    block->dom = any_domain();
    block->frame_list = spoil(argument(64));
    if (block->nr_frames > 8)
        block->nr_frames |= 1u << 20;
    result = op(GNTTABOP_get_status_frames, block);
    if (result == 0)
        count_status("grant_table_op.get_status_frames status", block->status);
    return result;
}

static int64_t swap_grant_ref(void)
{
    struct gnttab_swap_grant_ref *block = argument(sizeof(*block));
    int64_t result;

    prepare();
    block->ref_a = any_ref();
    block->ref_b = any_ref();
    result = op(GNTTABOP_swap_grant_ref, block);
    if (result == 0)
        count_status("grant_table_op.swap_grant_ref status", block->status);
    return result;
}

static int64_t cache_flush(void)
{
    uint64_t *block = argument(16);

    block[0] = one_in(2) ? any_mfn() << PAGE_SHIFT : any_ref();
    block[1] = random_bits();
    return op(GNTTABOP_cache_flush, block);
}

static int64_t unknown(void) { return op(13 + below(100), argument(64)); }

static int64_t several(void)
{
    unsigned count = 2 + below(6);
    struct gnttab_map_grant_ref *blocks = argument_at_end(count * sizeof(*blocks));
    int64_t result;

    prepare();
    offer();
    for (unsigned i = 0; i < count; i++)
        blocks[i] = (struct gnttab_map_grant_ref){any_sandbox_va(), GNTMAP_host_map, any_ref(), any_peer(), 99, 0, 0};
    result = hypercall_grant_table_op(GNTTABOP_map_grant_ref, blocks, one_in(16) ? odd_number() : count);
    for (unsigned i = 0; i < count; i++) {
        if (blocks[i].status == GNTST_okay) {
            struct gnttab_unmap_grant_ref undo = {blocks[i].host_addr, 0, blocks[i].handle, 0};

            hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &undo, 1);
        }
    }
    return result;
}

static const struct operation list[] = {
    {"grant_table_op.map_grant_ref", map_grant, 30},
    {"grant_table_op.unmap_grant_ref", unmap_grant, 30},
    {"grant_table_op.setup_table", setup_table, 4},
    {"grant_table_op.dump_table", dump_table, 1},
    {"grant_table_op.transfer", transfer, 4},
    {"grant_table_op.copy", copy, 16},
    {"grant_table_op.query_size", query_size, 3},
    {"grant_table_op.unmap_and_replace", unmap_and_replace, 8},
    {"grant_table_op.set_version", set_version, 2},
    {"grant_table_op.get_status_frames", get_status_frames, 2},
    {"grant_table_op.get_version", get_version, 2},
    {"grant_table_op.swap_grant_ref", swap_grant_ref, 3},
    {"grant_table_op.cache_flush", cache_flush, 2},
    {"grant_table_op (unknown)", unknown, 1},
    {"grant_table_op.map_grant_ref (several)", several, 8},
};
const struct operations grant_operations = OPERATIONS(list);
