/*
 * transition: vCPU 1 writes to a page in a loop, so that its TLB holds a writable entry. vCPU 0 takes the mapping away
 * without asking for a flush, and gives the frame another use. From the moment that the hypercall for this returns, no
 * write of vCPU 1 may arrive: Xen has to flush before a frame changes its type or owner. Needs vcpus=2. Options:
 * rounds=N, patience=N (how long to wait for the other vCPU, in ms).
 */
#include "verdict.h"

#define MAX_TRIED 128

static unsigned long window;                        /* the address that vCPU 1 writes to */
static volatile unsigned long *go;                  /* 1: write; 0: rest */
static volatile unsigned long written, faulted, ready;
static evtchn_port_t wake_port;

static void nothing(evtchn_port_t port, void *arg)
{
    (void)port;
    (void)arg;
}

static unsigned long resume;
static uint64_t patience;                      /* how long a write may be waited for */

static bool page_fault(struct trap_frame *frame)
{
    if (this_cpu()->id != 1)
        return false;
    faulted = 1;
    frame->ip = resume;
    return true;
}

static bool told_to_go(void *arg)
{
    (void)arg;
    return *go != 0;
}

/* Values that are no valid page-table entry's present bit, nor a segment that is present: any type accepts them. */
static void writer(void *arg)
{
    (void)arg;
    event_set_vcpu(wake_port, 1);
    event_unmask(wake_port);
    for (;;) {
        unsigned long count = 0;

        ready = 1;
        wait_until(told_to_go, NULL, 0);
        ready = 0;
        /* Stores to the window, each counted afterwards, until one faults. */
        __asm__ volatile("mov%z[resume] $2f, %[resume]\n"
                         "1: addl $2, %k[count]; movl %k[count], (%[window]); mov %[count], %[written]; pause; jmp 1b\n"
                         "2:"
                         : [resume] "=m"(resume), [written] "=m"(written), [count] "+d"(count)
                         : [window] "r"(window)
                         : "memory", "cc");
        *go = 0;
    }
}

static bool becomes(volatile unsigned long *value, unsigned long wanted)
{
    uint64_t deadline = system_time() + patience;

    while (*value != wanted && system_time() < deadline)
        cpu_relax();
    return *value == wanted;
}

/* Lets vCPU 1 write through the mapping until its TLB entry is warm. */
static bool start_writing(void)
{
    unsigned long seen;

    if (!check(becomes(&ready, 1), "vCPU 1 is not ready"))
        return false;
    faulted = 0;
    written = 0;
    *go = 1;
    event_send(wake_port);
    for (seen = written; seen < 2000 && faulted == 0;) {
        cpu_relax();
        seen = written;
    }
    return check(faulted == 0, "vCPU 1 could not write at all");
}

/* The guest's own flush: for when Xen has not, so that the next transition finds a resting writer. */
static void flush(void)
{
    mmuext(MMUEXT_INVLPG_ALL, window, 0);
    check(becomes(&faulted, 1), "vCPU 1 writes on after a flush");
}

/* Call with what was written when the hypercall of the transition had returned. */
static void finish(const char *name, unsigned long before)
{
    bool stopped = becomes(&faulted, 1);

    check(stopped, "%s: vCPU 1 writes on", name);
    /* One store may have been on its way to the counter. */
    check(written <= before + 2, "%s: %lu writes after it", name, (written - before) / 2);
    print("  %s: %lu writes before it\n", name, before / 2);
    if (!stopped)
        flush();
}

/* A frame that only the window maps, writable. */
static xen_pfn_t lone_frame(void **page)
{
    xen_pfn_t mfn;

    *page = page_alloc();
    mfn = virt_to_mfn(*page);
    hypercall_update_va_mapping((unsigned long)*page, 0, UVMF_INVLPG | UVMF_ALL);
    check_result("mapping", hypercall_update_va_mapping(window, mfn_to_pte(mfn, PTE_KERNEL), UVMF_INVLPG | UVMF_ALL),
                 0);
    return mfn;
}

static void give_back(void *page, xen_pfn_t mfn)
{
    set_p2m(virt_to_pfn(page), mfn);
    hypercall_mmu_update(&(struct mmu_update){mfn_to_pte(mfn, MMU_MACHPHYS_UPDATE), virt_to_pfn(page)}, 1, NULL,
                         DOMID_SELF);
    if (check_result("mapping of the frame afterwards",
                     hypercall_update_va_mapping((unsigned long)page, mfn_to_pte(mfn, PTE_KERNEL), UVMF_INVLPG), 0))
        page_free(page);
}

static long drop_mapping(void) { return hypercall_update_va_mapping(window, 0, UVMF_NONE); }

static void test_pin(uint32_t command, const char *name)
{
    void *page;
    xen_pfn_t mfn = lone_frame(&page);
    unsigned long count;

    if (!start_writing())
        return;
    check_result("unmapping", drop_mapping(), 0);
    check_result(name, mmuext(command, mfn, 0), 0);
    count = written;
    finish(name, count);
    check_result("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn, 0), 0);
    give_back(page, mfn);
}

static void test_gdt(void)
{
    void *page;
    xen_pfn_t mfn = lone_frame(&page);
    unsigned long count;

    if (!start_writing())
        return;
    check_result("unmapping", drop_mapping(), 0);
    check_result("set_gdt", hypercall_set_gdt(&mfn, 512), 0);
    count = written;
    finish("set_gdt", count);
    check_result("set_gdt of nothing", hypercall_set_gdt(&mfn, 0), 0);
    give_back(page, mfn);
}

/* Xen looks at the LDT's frames when a selector is loaded from them. */
static void test_ldt(void)
{
    unsigned long ldt = window_alloc(1), count, limit;
    void *page;
    xen_pfn_t mfn;

    mfn = lone_frame(&page);
    check_result("read-only mapping", map_page(ldt, mfn_to_pte(mfn, PTE_KERNEL_RO)), 0);
    if (!start_writing())
        return;
    check_result("unmapping", drop_mapping(), 0);
    check_result("SET_LDT", mmuext(MMUEXT_SET_LDT, ldt, 512), 0);
    __asm__ volatile("lsl %1, %0" : "=r"(limit) : "r"(8ul * 8 + 7), "0"(0ul) : "cc");
    count = written;
    finish("set_ldt and a use of it", count);
    check_result("SET_LDT of nothing", mmuext(MMUEXT_SET_LDT, 0, 0), 0);
    check_result("unmapping", hypercall_update_va_mapping(ldt, 0, UVMF_INVLPG | UVMF_ALL), 0);
    give_back(page, mfn);
}

/*
 * The flush may be put off until the frame that Xen got back has a new owner: free frames may be written. So this asks
 * for frames until it is that new owner itself. (Of exchange this asks more than Xen 4.17 does: there a frame that
 * comes back to the same domain was seen to be still written by its other vCPU.)
 */
static void finish_free_frame(const char *name, xen_pfn_t freed)
{
    static xen_pfn_t extents[MAX_TRIED];
    unsigned tried = 0;
    bool found = false;
    unsigned long count = 0;
    struct xen_memory_reservation back = {extents, 0, 0, 0, DOMID_SELF};

    while (tried < MAX_TRIED && !found) {
        struct xen_memory_reservation one = {&extents[tried], 1, 0, 0, DOMID_SELF};

        extents[tried] = start_info->nr_pages;
        if (hypercall_memory_op(XENMEM_increase_reservation, &one) != 1)
            break;
        count = written;
        found = extents[tried++] == freed;
    }
    if (found) {
        finish(name, count);
    } else {
        print("  %s: the frame did not come back, so nothing can be said\n", name);
        flush();
    }
    back.nr_extents = tried;
    check_result("give the frames back", hypercall_memory_op(XENMEM_decrease_reservation, &back), tried);
}

static void test_balloon(void)
{
    void *page;
    xen_pfn_t mfn = lone_frame(&page);
    struct xen_memory_reservation out = {&mfn, 1, 0, 0, DOMID_SELF};

    if (!start_writing())
        return;
    check_result("unmapping", drop_mapping(), 0);
    check_result("decrease_reservation", hypercall_memory_op(XENMEM_decrease_reservation, &out), 1);
    finish_free_frame("decrease_reservation", mfn);
    mfn = virt_to_pfn(page);
    check_result("populate_physmap", hypercall_memory_op(XENMEM_populate_physmap, &out), 1);
    give_back(page, mfn);
}

static void test_exchange(void)
{
    void *page;
    xen_pfn_t in = lone_frame(&page), out = virt_to_pfn(page);
    struct xen_memory_exchange exchange = {{&in, 1, 0, 0, DOMID_SELF}, {&out, 1, 0, 0, DOMID_SELF}, 0};

    if (!start_writing())
        return;
    check_result("unmapping", drop_mapping(), 0);
    check_result("exchange", hypercall_memory_op(XENMEM_exchange, &exchange), 0);
    finish_free_frame("exchange", in);
    give_back(page, out);
}

static void test_grant(void)
{
    char id[16];
    uint64_t domid = 0;
    unsigned long count;
    void *page = page_alloc();
    long ref;

    check(xenstore_read(0, "domid", id, sizeof(id)) > 0 && parse_number(id, &domid), "no domid in xenstore");
    check_result("grant_init", grant_init(), 0);
    ref = grant_access(domid, virt_to_mfn(page), false);
    struct gnttab_map_grant_ref map = {window, GNTMAP_host_map, ref, domid, 99, 0, 0};

    check_result("unmapping", hypercall_update_va_mapping(window, 0, UVMF_INVLPG | UVMF_ALL), 0);
    check_result("map_grant_ref", hypercall_grant_table_op(GNTTABOP_map_grant_ref, &map, 1), 0);
    if (!check_equal("its status", map.status, GNTST_okay) || !start_writing())
        return;
    struct gnttab_unmap_grant_ref unmap = {window, 0, map.handle, 99};

    check_result("unmap_grant_ref", hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1), 0);
    check_equal("its status", unmap.status, GNTST_okay);
    count = written;
    finish("unmap_grant_ref", count);
    check(grant_end(ref), "the grant is still in use");
    page_free(page);
}

/* No transition: the read-only mapping itself, with the flush that the guest asks for. */
static void test_protect(void)
{
    void *page;
    xen_pfn_t mfn = lone_frame(&page);
    unsigned long count;

    if (!start_writing())
        return;
    check_result("update_va_mapping",
                 hypercall_update_va_mapping(window, mfn_to_pte(mfn, PTE_KERNEL_RO), UVMF_INVLPG | UVMF_ALL), 0);
    count = written;
    finish("update_va_mapping to read-only", count);
    check_result("unmapping", hypercall_update_va_mapping(window, 0, UVMF_INVLPG | UVMF_ALL), 0);
    give_back(page, mfn);
}

void guest_main(void)
{
    static volatile unsigned long flag;
    uint64_t rounds = cmdline_number("rounds", 3);
    long port;

    patience = cmdline_number("patience", 10000) * NS_PER_MS;
    section("transitions");
    if (!check(vcpu_count() >= 2, "this test needs vcpus=2 or more"))
        verdict("transition");
    go = &flag;
    window = window_alloc(1);
    map_page(window, 0);
    trap_set_handler(14, page_fault);
    port = event_bind_ipi(1, nothing, NULL);
    check(port > 0, "bind_ipi: %s", xen_error_name(port));
    event_mask(port);
    wake_port = port;
    check_result("vcpu_start", vcpu_start(1, writer, NULL), 0);
    for (uint64_t round = 0; round < rounds; round++) {
        test_protect();
        test_pin(MMUEXT_PIN_L1_TABLE, "pin as L1");
        test_pin(MMUEXT_PIN_L2_TABLE, "pin as L2");
        test_gdt();
        test_ldt();
        test_grant();
        test_exchange();
        test_balloon();
    }
    verdict("transition");
}
