/* memory_op. */
#include "torture.h"

#define MAX_EXTENTS 8

static uint64_t any_pool_pfn(void) { return pool[below(POOL_FRAMES)].pfn; }
static uint64_t expendable_mfn(void) { return one_in(6) ? foreign_mfn() : any_pool_mfn(); }

static struct xen_memory_reservation *reservation(uint64_t *extents, unsigned count)
{
    struct xen_memory_reservation *argument_block = argument(sizeof(*argument_block));

    *argument_block = (struct xen_memory_reservation){spoil_early(extents), one_in(32) ? odd_number() : count,
                                                      one_in(16) ? odd_number() : 0,
                                                      one_in(8) ? odd_number() : 0,
                                                      one_in(8) ? any_domain() : DOMID_SELF};
    /* A count larger than the list would take what follows it in the arena for frames of this guest. */
    if (argument_block->nr_extents > count && argument_block->nr_extents < 1ul << 32)
        argument_block->nr_extents = count;
    return argument_block;
}

static void note_decrease(const uint64_t *extents, int64_t done)
{
    for (int64_t i = 0; i < done && i < MAX_EXTENTS; i++) {
        for (unsigned frame = 0; frame < POOL_FRAMES; frame++) {
            if (pool[frame].mfn == extents[i])
                forget_frame(&pool[frame]);
        }
    }
}

static int64_t decrease_reservation(void)
{
    unsigned count = 1 + below(MAX_EXTENTS);
    uint64_t *extents = list_of(expendable_mfn, count), copy[MAX_EXTENTS];
    struct xen_memory_reservation *block = reservation(extents, count);
    int64_t done;

    memcpy(copy, extents, count * sizeof(uint64_t));
    /* Of a larger order the frames behind the first would go too, and they may be anything of this guest. */
    if (block->extent_order < 20)
        block->extent_order = 0;
    done = hypercall_memory_op(XENMEM_decrease_reservation, spoil(block));
    note_decrease(copy, done);
    return done;
}

/* Frames that were obtained take the place of frames given away; any more go back. */
static void adopt(const uint64_t *extents, int64_t done)
{
    for (int64_t i = 0; i < done && i < MAX_EXTENTS; i++) {
        uint64_t mfn = extents[i];
        unsigned frame = 0;

        while (frame < POOL_FRAMES && pool[frame].mfn != INVALID_MFN)
            frame++;
        if (frame == POOL_FRAMES) {
            struct xen_memory_reservation back = {&mfn, 1, 0, 0, DOMID_SELF};

            hypercall_memory_op(XENMEM_decrease_reservation, &back);
        } else {
            pool[frame].mfn = mfn;
            set_p2m(pool[frame].pfn, mfn);
        }
    }
}

static int64_t obtain(uint32_t op)
{
    unsigned count = 1 + below(MAX_EXTENTS);
    uint64_t *extents = list_of(any_pool_pfn, count);
    struct xen_memory_reservation *block = reservation(extents, count);
    int64_t done;

    if (block->extent_order < 10)
        block->extent_order = 0;
    done = hypercall_memory_op(op, spoil(block));
    if (block->extent_start == extents && block->extent_order == 0)
        adopt(extents, done);
    return done;
}

static int64_t increase_reservation(void) { return obtain(XENMEM_increase_reservation); }
static int64_t populate_physmap(void) { return obtain(XENMEM_populate_physmap); }

static int64_t exchange(void)
{
    unsigned count = 1 + below(MAX_EXTENTS);
    struct xen_memory_exchange *block = argument(sizeof(*block));
    uint64_t *in = argument(count * sizeof(uint64_t)), *out = argument(count * sizeof(uint64_t));
    struct pool_frame *frames[MAX_EXTENTS];
    int64_t result;

    for (unsigned i = 0; i < count; i++) {
        frames[i] = any_pool_frame();
        in[i] = one_in(16) ? foreign_mfn() : frames[i]->mfn;
        out[i] = frames[i]->pfn;
    }
    *block = (struct xen_memory_exchange){{spoil(in), count, 0, 0, DOMID_SELF},
                                          {spoil_early(out), count, 0, 0, DOMID_SELF}, 0};
    if (one_in(8))
        block->out.nr_extents = odd_number();
    if (one_in(16))
        block->in.domid = any_domain();
    if (one_in(16))
        block->in.extent_order = block->out.extent_order = 12 + below(60);
    if (one_in(16))
        block->nr_exchanged = odd_number();
    result = hypercall_memory_op(XENMEM_exchange, spoil(block));
    /* The frames below nr_exchanged are gone; their successors are in out. */
    if (block->in.extent_start == in && block->out.extent_start == out) {
        for (unsigned i = 0; i < count && i < block->nr_exchanged && result == 0; i++) {
            frames[i]->mfn = out[i];
            set_p2m(frames[i]->pfn, out[i]);
        }
    }
    for (unsigned i = 0; i < count; i++) {
        /* M2P: whether the frame is still this guest's, whatever happened. */
        if (frames[i]->mfn != INVALID_MFN && hypercall_update_va_mapping(any_sandbox_va(),
                                                                         mfn_to_pte(frames[i]->mfn, PTE_KERNEL_RO),
                                                                         UVMF_INVLPG) != 0 && result != 0)
            forget_frame(frames[i]);
    }
    return result;
}

static int64_t domain_query(uint32_t op)
{
    domid_t *domain = argument(sizeof(*domain));

    *domain = any_domain();
    return hypercall_memory_op(op, spoil(domain));
}

static int64_t maximum_ram_page(void) { return hypercall_memory_op(XENMEM_maximum_ram_page, NULL); }
static int64_t current_reservation(void) { return domain_query(XENMEM_current_reservation); }
static int64_t maximum_reservation(void) { return domain_query(XENMEM_maximum_reservation); }
static int64_t maximum_gpfn(void) { return domain_query(XENMEM_maximum_gpfn); }

static int64_t machphys_mapping(void)
{
    return hypercall_memory_op(XENMEM_machphys_mapping, spoil(argument(sizeof(struct xen_machphys_mapping))));
}

/* Operations that take some block of words: most are refused to an unprivileged PV guest. */
static int64_t words(uint32_t op)
{
    uint64_t *block = argument(64);

    for (unsigned i = 0; i < 8; i++)
        block[i] = one_in(2) ? odd_number() : one_in(2) ? DOMID_SELF : any_mfn();
    /* Wherever the block holds a handle, it is one of these. */
    block[1] = one_in(2) ? (uint64_t)spoil(argument(256)) : below(16);
    block[2] = (uint64_t)spoil(argument(256));
    block[3] = (uint64_t)spoil(argument(256));
    return hypercall_memory_op(op, spoil(block));
}

static int64_t machphys_mfn_list(void) { return words(XENMEM_machphys_mfn_list); }
static int64_t add_to_physmap(void) { return words(XENMEM_add_to_physmap); }
static int64_t memory_map(void) { return words(XENMEM_memory_map); }
static int64_t machine_memory_map(void) { return words(10); }
static int64_t set_memory_map(void) { return words(13); }
static int64_t remove_from_physmap(void) { return words(XENMEM_remove_from_physmap); }
static int64_t pod_target(void) { return words(16 + below(2)); }
static int64_t sharing_counts(void) { return words(18 + below(2)); }
static int64_t paging_access_sharing(void) { return words(20 + below(3)); }
static int64_t add_to_physmap_batch(void) { return words(23); }
static int64_t claim_pages(void) { return words(24); }
static int64_t compat_mfn_list(void) { return words(25); }
static int64_t vnumainfo(void) { return words(26); }
static int64_t reserved_device_memory(void) { return words(27); }
static int64_t acquire_resource(void) { return words(28); }
static int64_t unknown(void) { return words(29 + below(1000)); }

static const struct operation list[] = {
    {"memory_op.increase_reservation", increase_reservation, 8},
    {"memory_op.decrease_reservation", decrease_reservation, 10},
    {"memory_op.maximum_ram_page", maximum_ram_page, 1},
    {"memory_op.current_reservation", current_reservation, 2},
    {"memory_op.maximum_reservation", maximum_reservation, 2},
    {"memory_op.machphys_mfn_list", machphys_mfn_list, 2},
    {"memory_op.populate_physmap", populate_physmap, 12},
    {"memory_op.add_to_physmap", add_to_physmap, 2},
    {"memory_op.memory_map", memory_map, 2},
    {"memory_op.machine_memory_map", machine_memory_map, 2},
    {"memory_op.exchange", exchange, 12},
    {"memory_op.machphys_mapping", machphys_mapping, 2},
    {"memory_op.set_memory_map", set_memory_map, 2},
    {"memory_op.maximum_gpfn", maximum_gpfn, 2},
    {"memory_op.remove_from_physmap", remove_from_physmap, 2},
    {"memory_op.set/get_pod_target", pod_target, 2},
    {"memory_op.get_sharing_*", sharing_counts, 1},
    {"memory_op.paging/access/sharing_op", paging_access_sharing, 2},
    {"memory_op.add_to_physmap_batch", add_to_physmap_batch, 2},
    {"memory_op.claim_pages", claim_pages, 2},
    {"memory_op.machphys_compat_mfn_list", compat_mfn_list, 2},
    {"memory_op.get_vnumainfo", vnumainfo, 2},
    {"memory_op.reserved_device_memory_map", reserved_device_memory, 2},
    {"memory_op.acquire_resource", acquire_resource, 2},
    {"memory_op (unknown)", unknown, 2},
};
const struct operations memory_operations = OPERATIONS(list);
