/* memory: reservations, ballooning and exchange of frames. */
#include "verdict.h"

#define EXTENTS 32

static void *pages[EXTENTS];
static xen_pfn_t pfns[EXTENTS], mfns[EXTENTS];

static long reservation(uint32_t op, xen_pfn_t *extents, unsigned long count, uint32_t order)
{
    struct xen_memory_reservation argument = {extents, count, order, 0, DOMID_SELF};

    return hypercall_memory_op(op, &argument);
}

static long current(void)
{
    domid_t self = DOMID_SELF;

    return hypercall_memory_op(XENMEM_current_reservation, &self);
}

/* Takes pages out of the linear mapping, so that nothing refers to their frames any more. */
static void withdraw(void)
{
    for (unsigned i = 0; i < EXTENTS; i++) {
        pages[i] = page_alloc();
        *(uint64_t *)pages[i] = i;
        pfns[i] = virt_to_pfn(pages[i]);
        mfns[i] = pfn_to_mfn(pfns[i]);
        hypercall_update_va_mapping((unsigned long)pages[i], 0, UVMF_INVLPG);
    }
}

/* Maps the frames of the PFNs again and checks that they are zero and usable. */
static void restore(const char *what)
{
    for (unsigned i = 0; i < EXTENTS; i++) {
        xen_pfn_t mfn = pfn_to_mfn(pfns[i]);
        uint64_t sum = 0;

        if (!check_result(what, hypercall_update_va_mapping((unsigned long)pages[i], mfn_to_pte(mfn, PTE_KERNEL),
                                                            UVMF_INVLPG), 0))
            continue;
        for (unsigned word = 0; word < PAGE_SIZE / 8; word++)
            sum |= ((volatile uint64_t *)pages[i])[word];
        check(sum == 0, "%s: frame 0x%lx is not zero", what, mfn);
        page_free(pages[i]);
    }
}

static void test_balloon(void)
{
    long before = current();
    void *page;
    xen_pfn_t mfn;

    section("balloon");
    check_equal("current reservation", before, start_info->nr_pages);
    withdraw();
    check_result("decrease_reservation", reservation(XENMEM_decrease_reservation, mfns, EXTENTS, 0), EXTENTS);
    check_equal("reservation after it", current(), before - EXTENTS);
    check_result("second decrease of the same frames", reservation(XENMEM_decrease_reservation, mfns, EXTENTS, 0), 0);
    check(hypercall_update_va_mapping((unsigned long)pages[0], mfn_to_pte(mfns[0], PTE_KERNEL), UVMF_INVLPG) < 0,
          "a frame given back can be mapped");

    memcpy(mfns, pfns, sizeof(mfns));
    check_result("populate_physmap", reservation(XENMEM_populate_physmap, mfns, EXTENTS, 0), EXTENTS);
    check_equal("reservation after it", current(), before);
    for (unsigned i = 0; i < EXTENTS; i++) {
        check(mfn_to_pfn(mfns[i]) == pfns[i], "M2P of the new frame 0x%lx is 0x%lx, not 0x%lx", mfns[i],
              mfn_to_pfn(mfns[i]), pfns[i]);
        set_p2m(pfns[i], mfns[i]);
    }
    restore("mapping of a new frame");

    page = page_alloc();
    mfn = virt_to_mfn(page);
    check_result("decrease of a mapped frame", reservation(XENMEM_decrease_reservation, &mfn, 1, 0), 1);
    check_equal("reservation while it is mapped", current(), before);
    check(*(volatile uint64_t *)page == 0, "the frame cannot be read any more");
    hypercall_update_va_mapping((unsigned long)page, 0, UVMF_INVLPG);
    check_equal("reservation when the last mapping is gone", current(), before - 1);
    check_result("increase_reservation", reservation(XENMEM_increase_reservation, &mfn, 1, 0), 1);
    check_equal("reservation after it", current(), before);
    set_p2m(virt_to_pfn(page), mfn);
    hypercall_mmu_update(&(struct mmu_update){mfn_to_pte(mfn, MMU_MACHPHYS_UPDATE), virt_to_pfn(page)}, 1, NULL,
                         DOMID_SELF);
    check_result("mapping of it", hypercall_update_va_mapping((unsigned long)page, mfn_to_pte(mfn, PTE_KERNEL),
                                                              UVMF_INVLPG), 0);
    page_free(page);
}

static void test_limits(void)
{
    domid_t self = DOMID_SELF, other = 0;
    long maximum = hypercall_memory_op(XENMEM_maximum_reservation, &self), extra = 0;
    xen_pfn_t bad = NO_SUCH_MFN, zero = 0;
    static xen_pfn_t more[512];

    section("limits");
    check(maximum >= current(), "maximum reservation %ld", maximum);
    check_result("current_reservation of domain 0", hypercall_memory_op(XENMEM_current_reservation, &other),
                 -XEN_EPERM);
    check(hypercall_memory_op(XENMEM_maximum_ram_page, NULL) > 0, "maximum_ram_page");
    /* Up to the maximum, and not one further. */
    while (extra < (long)ARRAY_LENGTH(more)) {
        more[extra] = 0;
        if (reservation(XENMEM_increase_reservation, &more[extra], 1, 0) != 1)
            break;
        extra++;
    }
    if (extra < (long)ARRAY_LENGTH(more))
        check_equal("reservation when Xen gives no more", current(), maximum);
    check_result("give the rest back", reservation(XENMEM_decrease_reservation, more, extra, 0), extra);

    check_result("decrease of a frame that does not exist", reservation(XENMEM_decrease_reservation, &bad, 1, 0), 0);
    check_result("decrease of frame 0", reservation(XENMEM_decrease_reservation, &zero, 1, 0), 0);
    check_result("extents of order 20", reservation(XENMEM_increase_reservation, &bad, 1, 20), 0);
    check_result("extents in Xen's range",
                 reservation(XENMEM_increase_reservation, (xen_pfn_t *)MACH2PHYS_VIRT_START, 1, 0), 0);
    check_result("no extents", reservation(XENMEM_populate_physmap, &bad, 0, 0), 0);
    check_result("unknown operation", hypercall_memory_op(60, &bad), -XEN_ENOSYS);
}

static void test_exchange(void)
{
    struct xen_memory_exchange exchange;
    long before = current(), result;
    static xen_pfn_t out[EXTENTS];
    unsigned kept = 0;

    section("exchange");
    withdraw();
    memcpy(out, pfns, sizeof(out));
    exchange = (struct xen_memory_exchange){
        {mfns, EXTENTS, 0, 0, DOMID_SELF}, {out, EXTENTS, 0, 0, DOMID_SELF}, 0};
    result = hypercall_memory_op(XENMEM_exchange, &exchange);
    check_result("exchange", result, 0);
    check_equal("exchanged", exchange.nr_exchanged, EXTENTS);
    check_equal("reservation", current(), before);
    for (unsigned i = 0; i < EXTENTS; i++) {
        for (unsigned j = 0; j < EXTENTS; j++)
            kept += out[i] == mfns[j];
        check(mfn_to_pfn(out[i]) == pfns[i], "M2P of the new frame 0x%lx is 0x%lx", out[i], mfn_to_pfn(out[i]));
        set_p2m(pfns[i], out[i]);
    }
    check(kept < EXTENTS, "all frames are the old ones");
    restore("mapping of an exchanged frame");

    exchange.nr_exchanged = 0;
    exchange.in.nr_extents = 0;
    exchange.out.nr_extents = 1;
    check_result("exchange of nothing for something", hypercall_memory_op(XENMEM_exchange, &exchange), -XEN_EINVAL);
}

void guest_main(void)
{
    test_balloon();
    test_limits();
    test_exchange();
    verdict("memory");
}
