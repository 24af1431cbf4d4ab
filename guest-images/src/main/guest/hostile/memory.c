/* Frames that come and go: XENMEM_*, with counts, pointers and owners that are not what they should be. */
#include "hostile.h"

#define XENMEMF_node(n)    (((n) + 1) << 8)
#define XENMEMF_exact_node (1u << 17)

static unsigned long total(void)
{
    domid_t who = DOMID_SELF;

    return hypercall_memory_op(XENMEM_current_reservation, &who);
}

/* nr_exchanged says where Xen goes on, and the arrays are the guest's: neither may lead it to its own memory. */
static void test_exchange_bounds(void)
{
    static xen_pfn_t in, out;
    void *page = page_alloc();
    unsigned long before = total(), first = mfn_to_pfn(0);
    static const unsigned long targets[] = NOT_LISTS;

    section("exchange: arrays");
    in = virt_to_mfn(page);
    for (unsigned i = 0; i < ARRAY_LENGTH(targets); i++) {
        struct xen_memory_exchange plain = {{&in, 1, 0, 0, DOMID_SELF}, {(xen_pfn_t *)targets[i], 1, 0, 0, DOMID_SELF}, 0};
        struct xen_memory_exchange offset = {{(xen_pfn_t *)((unsigned long)&in - targets[i]), targets[i] / sizeof(in) + 1, 0, 0, DOMID_SELF},
                                             {NULL, targets[i] / sizeof(in) + 1, 0, 0, DOMID_SELF},
                                             targets[i] / sizeof(in)};

        check(hypercall_memory_op(XENMEM_exchange, &plain) < 0, "exchange wrote to 0x%lx", targets[i]);
        check(hypercall_memory_op(XENMEM_exchange, &offset) < 0, "exchange wrote to 0x%lx by nr_exchanged", targets[i]);
        in = virt_to_mfn(page);
    }
    struct xen_memory_exchange past = {{&in, 1, 0, 0, DOMID_SELF}, {&out, 1, 0, 0, DOMID_SELF}, 2};
    struct xen_memory_exchange orders = {{&in, 1, 0, 0, DOMID_SELF}, {&out, 1, 64, 0, DOMID_SELF}, 0};

    check(hypercall_memory_op(XENMEM_exchange, &past) < 0, "exchange took more to be done than there is");
    check(hypercall_memory_op(XENMEM_exchange, &orders) < 0, "exchange took an order of 64");
    check_equal("M2P entry 0", mfn_to_pfn(0), first);
    check_equal("frames of the domain", total(), before);
    page_free(page);
}

/* Frames that something still uses stay where they are. */
static void test_exchange_used(void)
{
    static xen_pfn_t in[2], out[2];
    void *used = page_alloc(), *lone = page_alloc();
    unsigned long before = total();
    long result;
    struct xen_memory_exchange exchange = {{in, 2, 0, 0, DOMID_SELF}, {out, 2, 0, 0, DOMID_SELF}, 0};

    section("exchange: frames in use");
    check_result("unmapping", hypercall_update_va_mapping((unsigned long)lone, 0, UVMF_INVLPG | UVMF_ALL), 0);
    in[0] = virt_to_mfn(used);
    in[1] = virt_to_mfn(lone);
    out[0] = virt_to_pfn(used);
    out[1] = virt_to_pfn(lone);
    result = hypercall_memory_op(XENMEM_exchange, &exchange);
    check(result < 0, "a mapped frame was exchanged");
    check_equal("frames of the domain", total(), before);
    check_equal("exchanged", exchange.nr_exchanged, 0);
    /* The first of these is exchanged, and then is not this domain's any more. */
    in[0] = in[1] = virt_to_mfn(lone);
    out[0] = out[1] = virt_to_pfn(lone);
    check(hypercall_memory_op(XENMEM_exchange, &exchange) < 0, "one frame was exchanged twice");
    check(exchange.nr_exchanged <= 1, "%lu exchanges of one frame", exchange.nr_exchanged);
    check_equal("frames of the domain", total(), before);
    if (exchange.nr_exchanged == 1)
        set_p2m(virt_to_pfn(lone), out[0]);
    check_result("mapping again", hypercall_update_va_mapping((unsigned long)lone, mfn_to_pte(virt_to_mfn(lone), PTE_KERNEL),
                                                              UVMF_INVLPG), 0);
    page_free(used);
    page_free(lone);
}

static void test_release(void)
{
    static xen_pfn_t frames[4];
    struct xen_memory_reservation out = {frames, 1, 0, 0, DOMID_SELF};
    unsigned long before = total();

    section("release");
    frames[0] = 0;
    check(hypercall_memory_op(XENMEM_decrease_reservation, &out) <= 0, "frame 0 was released");
    frames[0] = ~0ul;
    check(hypercall_memory_op(XENMEM_decrease_reservation, &out) <= 0, "frame -1 was released");
    frames[0] = start_info->shared_info >> PAGE_SHIFT;
    check(hypercall_memory_op(XENMEM_decrease_reservation, &out) <= 0, "the shared info frame was released");
    frames[0] = virt_to_mfn((const void *)start_info->pt_base);
    /* It goes from the domain at once and is free when nothing uses it any more: so this is asked of a table that is pinned. */
    out.nr_extents = ~0ul;
    check(hypercall_memory_op(XENMEM_decrease_reservation, &out) <= 0, "as many frames as can be said were released");
    out.nr_extents = 1;
    out.extent_order = 200;
    check(hypercall_memory_op(XENMEM_decrease_reservation, &out) <= 0, "a run of order 200 was released");
    check_equal("frames of the domain", total(), before);
}

/* More than the maximum, from nodes that do not exist, for others. */
static void test_claims(void)
{
    static xen_pfn_t frames[1024];
    struct xen_memory_reservation more = {frames, ARRAY_LENGTH(frames), 0, 0, DOMID_SELF};
    static const uint32_t flags[] = {XENMEMF_node(254u) | XENMEMF_exact_node, XENMEMF_node(1u) | XENMEMF_exact_node, ~0u};
    domid_t who = DOMID_SELF;
    unsigned long before = total(), most = hypercall_memory_op(XENMEM_maximum_reservation, &who);
    long got;

    section("claims");
    check(most >= before && most < before + ARRAY_LENGTH(frames), "%lu of at most %lu frames", before, most);
    got = hypercall_memory_op(XENMEM_increase_reservation, &more);
    check_equal("frames given", got, most - before);
    check_equal("frames of the domain", total(), most);
    more.nr_extents = 1;
    more.extent_start = frames + ARRAY_LENGTH(frames) - 1;
    check(hypercall_memory_op(XENMEM_increase_reservation, &more) <= 0, "more than the maximum was given");
    check(hypercall_memory_op(XENMEM_populate_physmap, &more) <= 0, "more than the maximum was populated");
    more.extent_start = frames;
    more.nr_extents = most - before;
    check_result("decrease_reservation", hypercall_memory_op(XENMEM_decrease_reservation, &more), most - before);
    for (unsigned i = 0; i < ARRAY_LENGTH(flags); i++) {
        more.mem_flags = flags[i];
        check(hypercall_memory_op(XENMEM_increase_reservation, &more) <= 0, "memory by flags 0x%x", flags[i]);
    }
    more.mem_flags = 0;
    more.domid = 0;
    check(hypercall_memory_op(XENMEM_increase_reservation, &more) <= 0, "memory for domain 0");
    more.domid = DOMID_SELF;
    more.extent_start = (xen_pfn_t *)MACH2PHYS_VIRT_START;
    check(hypercall_memory_op(XENMEM_populate_physmap, &more) <= 0, "a list in Xen's range");
    check_equal("frames of the domain", total(), before);
}

/* What a frame holds is gone before anybody gets it again; its number in the M2P too. */
static void test_scrubbing(void)
{
    static xen_pfn_t extent;
    volatile uint64_t *page = page_alloc();
    unsigned long pfn = virt_to_pfn((void *)page), window = window_alloc(1);
    xen_pfn_t mfn = virt_to_mfn((void *)page);
    struct xen_memory_reservation one = {&extent, 1, 0, 0, DOMID_SELF};

    section("scrubbing");
    for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
        page[i] = 0x5ec4e75ec4e75ec4;
    check_result("unmapping", hypercall_update_va_mapping((unsigned long)page, 0, UVMF_INVLPG | UVMF_ALL), 0);
    extent = mfn;
    check_result("decrease_reservation", hypercall_memory_op(XENMEM_decrease_reservation, &one), 1);
    check(mfn_to_pfn(mfn) != pfn, "the M2P table still knows the frame");
    check(map_page(window, mfn_to_pte(mfn, PTE_KERNEL_RO)) < 0, "a frame that is gone was mapped");
    extent = pfn;
    check_result("populate_physmap", hypercall_memory_op(XENMEM_populate_physmap, &one), 1);
    set_p2m(pfn, extent);
    check_result("mapping", hypercall_update_va_mapping((unsigned long)page, mfn_to_pte(extent, PTE_KERNEL), UVMF_INVLPG), 0);
    for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
        if (!check_equal("a word of a new frame", page[i], 0))
            break;
    page_free((void *)page);
}

void test_memory(void)
{
    test_exchange_bounds();
    test_exchange_used();
    test_release();
    test_claims();
    test_scrubbing();
}
