/* pagetables: what the page-table hypercalls allow, and what they must refuse. */
#include "pagetables.h"

long update(const volatile pte_t *entry, pte_t value) { return pte_write(entry, value); }

pte_t map(const void *page, pte_t flags) { return mfn_to_pte(virt_to_mfn(page), flags); }

static void test_mapping(void)
{
    unsigned long window = window_alloc(2);
    volatile uint64_t *a = page_alloc(), *b = page_alloc();
    struct mmu_update updates[2];
    uint32_t done = 99;

    section("mapping");
    *a = 0xa;
    *b = 0xb;
    check_result("map_page", map_page(window, map((void *)a, PTE_KERNEL)), 0);
    check_equal("value through the mapping", *(volatile uint64_t *)window, 0xa);
    check_result("update_va_mapping to another page",
                 hypercall_update_va_mapping(window, map((void *)b, PTE_KERNEL), UVMF_INVLPG), 0);
    check_equal("value through the new mapping", *(volatile uint64_t *)window, 0xb);

    updates[0] = (struct mmu_update){pte_machine_address(pte_of(window, 1)), map((void *)a, PTE_KERNEL)};
    updates[1] = (struct mmu_update){pte_machine_address(pte_of(window + PAGE_SIZE, 1)), map((void *)b, PTE_KERNEL)};
    check_result("mmu_update of two entries", hypercall_mmu_update(updates, 2, &done, DOMID_SELF), 0);
    check_equal("updates done", done, 2);
    mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
    check_equal("first value", *(volatile uint64_t *)window, 0xa);
    check_equal("second value", *(volatile uint64_t *)(window + PAGE_SIZE), 0xb);

    updates[1].val = mfn_to_pte(NO_SUCH_MFN, PTE_KERNEL);
    done = 99;
    check_result("mmu_update whose second entry is bad", hypercall_mmu_update(updates, 2, &done, DOMID_SELF),
                 -XEN_EPERM);
    check_equal("updates done before the bad one", done, 1);

    check_result("unmapping", hypercall_update_va_mapping(window, 0, UVMF_INVLPG), 0);
    check_result("INVLPG_LOCAL", mmuext(MMUEXT_INVLPG_LOCAL, window, 0), 0);
    check_result("TLB_FLUSH_ALL", mmuext(MMUEXT_TLB_FLUSH_ALL, 0, 0), 0);
    check_result("INVLPG_ALL", mmuext(MMUEXT_INVLPG_ALL, window, 0), 0);
    check_result("update_va_mapping where there is no table",
                 hypercall_update_va_mapping(NO_TABLE_THERE, 0, UVMF_NONE), -XEN_EINVAL);
    check_result("update_va_mapping in Xen's range", hypercall_update_va_mapping(MACH2PHYS_VIRT_START, 0, UVMF_NONE),
                 -XEN_EINVAL);
}

static void test_forbidden(void)
{
    unsigned long window = window_alloc(1);
    xen_pfn_t l1_mfn;
    void *page = page_alloc();

    section("forbidden mappings");
    check_result("map_page", map_page(window, map(page, PTE_KERNEL)), 0);
    l1_mfn = pte_to_mfn(*pte_of(window, 2));
    check_result("writable mapping of an L1 table",
                 hypercall_update_va_mapping(window, mfn_to_pte(l1_mfn, PTE_KERNEL), UVMF_INVLPG), -XEN_EBUSY);
    check_result("writable mapping of the root table",
                 hypercall_update_va_mapping(window, map((void *)start_info->pt_base, PTE_KERNEL), UVMF_INVLPG),
                 -XEN_EBUSY);
    check_result("read-only mapping of an L1 table",
                 hypercall_update_va_mapping(window, mfn_to_pte(l1_mfn, PTE_KERNEL_RO), UVMF_INVLPG), 0);
    check_result("mapping of a frame that does not exist",
                 hypercall_update_va_mapping(window, mfn_to_pte(NO_SUCH_MFN, PTE_KERNEL_RO), UVMF_INVLPG), -XEN_EPERM);
    check_result("mapping of frame 0, which is Xen's or nobody's",
                 hypercall_update_va_mapping(window, mfn_to_pte(0, PTE_KERNEL), UVMF_INVLPG), -XEN_EPERM);
    check_equal("entry after refused updates", pte_to_mfn(*pte_of(window, 1)), l1_mfn);
    check_result("unmapping", hypercall_update_va_mapping(window, 0, UVMF_INVLPG), 0);

    check_result("2 MB page", update(pte_of(window, 2), mfn_to_pte(l1_mfn & ~511ul, PTE_KERNEL | PTE_LARGE)), -XEN_EINVAL);
    check_result("mmu_update of a data page", update((const volatile pte_t *)page, 0), 0);
    check_result("mmu_update with an unknown command",
                 hypercall_mmu_update(&(struct mmu_update){3, 0}, 1, NULL, DOMID_SELF), -XEN_EINVAL);
    check_result("mmu_update for a domain that does not exist",
                 hypercall_mmu_update(&(struct mmu_update){0, 0}, 1, NULL, 0x7000), -XEN_ESRCH);
    page_free(page);
}

static void test_machphys(void)
{
    void *page = page_alloc();
    xen_pfn_t mfn = virt_to_mfn(page);
    unsigned long pfn = virt_to_pfn(page);
    struct mmu_update set = {mfn_to_pte(mfn, MMU_MACHPHYS_UPDATE), 0x1234};
    struct xen_machphys_mapping mapping = {0, 0, 0};

    section("machine to physical");
    for (unsigned long at = 1; at < start_info->nr_pages; at += 97)
        check(mfn_to_pfn(pfn_to_mfn(at)) == at, "M2P of P2M of PFN %lu", at);
    check_result("MMU_MACHPHYS_UPDATE", hypercall_mmu_update(&set, 1, NULL, DOMID_SELF), 0);
    check_equal("M2P entry", mfn_to_pfn(mfn), 0x1234);
    set.val = pfn;
    check_result("MMU_MACHPHYS_UPDATE back", hypercall_mmu_update(&set, 1, NULL, DOMID_SELF), 0);
    set.ptr = MMU_MACHPHYS_UPDATE;
    check_result("MMU_MACHPHYS_UPDATE of a foreign frame", hypercall_mmu_update(&set, 1, NULL, DOMID_SELF),
                 -XEN_EINVAL);
    check_result("machphys_mapping", hypercall_memory_op(XENMEM_machphys_mapping, &mapping), 0);
    check_equal("start of the M2P table", mapping.v_start, MACH2PHYS_VIRT_START);
    check(mapping.max_mfn >= mfn, "largest MFN 0x%lx", mapping.max_mfn);
    page_free(page);
}

static void test_pinning(void)
{
    pte_t *table = page_alloc(), *data = page_alloc();
    xen_pfn_t mfn = virt_to_mfn(table), data_mfn = virt_to_mfn(data);

    section("pinning");
    check_result("pin of a page that is mapped writable", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0), -XEN_EINVAL);
    table[0] = mfn_to_pte(data_mfn, PTE_KERNEL);
    table[511] = mfn_to_pte(data_mfn, PTE_KERNEL_RO);
    check_result("read-only", page_set_flags(table, PTE_KERNEL_RO), 0);
    check_result("pin as L1", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0), 0);
    check_result("second pin", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0), -XEN_EINVAL);
    check_result("pin as L2", mmuext(MMUEXT_PIN_L2_TABLE, mfn, 0), -XEN_EINVAL);
    check_result("writable mapping of a pinned table", page_set_flags(table, PTE_KERNEL), -XEN_EBUSY);
    check_result("update of a pinned table", update(&table[1], mfn_to_pte(data_mfn, PTE_KERNEL)), 0);
    check_equal("entry written", pte_to_mfn(table[1]), data_mfn);
    check_result("entry of the pinned table for itself, writable", update(&table[2], mfn_to_pte(mfn, PTE_KERNEL)),
                 -XEN_EBUSY);
    check_result("pin of a data page that a table maps writable", mmuext(MMUEXT_PIN_L1_TABLE, data_mfn, 0),
                 -XEN_EINVAL);
    check_result("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn, 0), 0);
    check_result("second unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn, 0), -XEN_EINVAL);
    check_result("writable again", page_set_flags(table, PTE_KERNEL), 0);

    table[3] = mfn_to_pte(NO_SUCH_MFN, PTE_KERNEL);
    page_set_flags(table, PTE_KERNEL_RO);
    check_result("pin of a table with a bad entry", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0), -XEN_EPERM);
    check_result("writable again", page_set_flags(table, PTE_KERNEL), 0);
    check_result("pin of a frame that does not exist", mmuext(MMUEXT_PIN_L1_TABLE, NO_SUCH_MFN, 0), -XEN_EINVAL);
    check_result("unpin of the table in use", mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn((void *)start_info->pt_base), 0),
                 0);
    check_result("pin of the table in use", mmuext(MMUEXT_PIN_ROOT_TABLE, virt_to_mfn((void *)start_info->pt_base), 0),
                 0);
    page_free(table);
    page_free(data);
}

static bool caught_fault;
static unsigned long resume;

bool resume_after_fault(struct trap_frame *frame)
{
    caught_fault = true;
    frame->ip = resume;
    return true;
}

bool faults(volatile void *address, unsigned long value)
{
    caught_fault = false;
    __asm__ volatile("mov%z[resume] $1f, %[resume]; mov %[value], (%[address]); 1:"
                     : [resume] "=m"(resume)
                     : [address] "r"(address), [value] "r"(value)
                     : "memory");
    return caught_fault;
}

/* With the assist on, Xen emulates a store to an L1 table that is mapped read-only. */
static void test_emulated_writes(void)
{
    unsigned long window = window_alloc(3);
    volatile uint64_t *data = page_alloc();
    volatile pte_t *entry;

    section("writes to page tables by plain stores");
    *data = 0x77;
    check_result("map_page", map_page(window, map((void *)data, PTE_KERNEL)), 0);
    entry = (volatile pte_t *)pte_of(window + PAGE_SIZE, 1);
    trap_set_handler(14, resume_after_fault);
    check(faults(entry, map((void *)data, PTE_KERNEL)), "an entry was stored without the assist");
    trap_set_handler(14, NULL);
    check_result("vm_assist", hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables), 0);
    store_entry(entry, map((void *)data, PTE_KERNEL));
    check_equal("value through the entry stored", *(volatile uint64_t *)(window + PAGE_SIZE), 0x77);
    check_equal("exchange of the entry", pte_to_mfn(exchange_entry(entry, 0)),
                virt_to_mfn((void *)data));
    check_equal("entry after it", *entry, 0);
    store_entry(&entry[1], 0);
    check(__sync_bool_compare_and_swap(&entry[1], 0, map((void *)data, PTE_KERNEL_RO)), "CMPXCHG of an entry failed");
    mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
    check_equal("value through it", *(volatile uint64_t *)(window + 2 * PAGE_SIZE), 0x77);
    store_entry(&entry[1], 0);
    test_stores_of_width(entry, (void *)data, window + PAGE_SIZE);
}

static void test_refused_stores(void)
{
    unsigned long window = window_alloc(1);
    volatile pte_t *l1, *l2;

    section("stores that Xen must not emulate");
    map_page(window, map(page_alloc(), PTE_KERNEL));
    l1 = (volatile pte_t *)pte_of(window, 1);
    l2 = (volatile pte_t *)pte_of(window, 2);
    trap_set_handler(14, resume_after_fault);
    check(faults(l1, map((void *)l1, PTE_KERNEL)), "an L1 entry for its own table was stored");
    check(faults(l2, 0), "an L2 entry was stored");
    check((*l2 & PTE_PRESENT) != 0, "the L2 entry is gone");
    check(faults((volatile void *)MACH2PHYS_VIRT_START, 0), "the M2P table was written");
    trap_set_handler(14, NULL);
}

static void test_page_operations(void)
{
    volatile uint64_t *from = page_alloc(), *to = page_alloc();

    section("clear and copy");
    from[0] = 1;
    from[511] = 2;
    check_result("COPY_PAGE", mmuext(MMUEXT_COPY_PAGE, virt_to_mfn((void *)to), virt_to_mfn((void *)from)), 0);
    check(to[0] == 1 && to[511] == 2, "the copy holds %u and %u", (unsigned)to[0], (unsigned)to[511]);
    check_result("CLEAR_PAGE", mmuext(MMUEXT_CLEAR_PAGE, virt_to_mfn((void *)to), 0), 0);
    check(to[0] == 0 && to[511] == 0, "the cleared page holds %u and %u", (unsigned)to[0],
          (unsigned)to[511]);
    check_result("CLEAR_PAGE of the root table",
                 mmuext(MMUEXT_CLEAR_PAGE, virt_to_mfn((void *)start_info->pt_base), 0), -XEN_EINVAL);
    check_result("CLEAR_PAGE of frame 0", mmuext(MMUEXT_CLEAR_PAGE, 0, 0), -XEN_EINVAL);
    check_result("NEW_BASEPTR to a data page", mmuext(MMUEXT_NEW_BASEPTR, virt_to_mfn((void *)to), 0), -XEN_EINVAL);
    check_result("unknown operation", mmuext(77, 0, 0), -XEN_ENOSYS);
    page_free((void *)from);
    page_free((void *)to);
}

/* Several calls at once, each with its own result, around one that fails. */
static void test_multicall(void)
{
    static struct multicall_entry calls[5];
    unsigned long window = window_alloc(2);
    volatile uint64_t *a = page_alloc(), *b = page_alloc();
    long version = hypercall_xen_version(XENVER_version, NULL);

    section("multicall");
    *a = 0xaaaa;
    *b = 0xbbbb;
    check_result("map_page", map_page(window, 0), 0);
    check_result("map_page", map_page(window + PAGE_SIZE, 0), 0);
    for (unsigned i = 0; i < ARRAY_LENGTH(calls); i++)
        calls[i] = (struct multicall_entry){HYPERCALL_xen_version, 99, {XENVER_version}};
    multicall_update_va_mapping(&calls[0], window, map((void *)a, PTE_KERNEL), UVMF_INVLPG);
    multicall_update_va_mapping(&calls[1], window, mfn_to_pte(NO_SUCH_MFN, PTE_KERNEL), UVMF_INVLPG);
    multicall_update_va_mapping(&calls[2], window + PAGE_SIZE, map((void *)b, PTE_KERNEL_RO), UVMF_INVLPG);
    calls[4].op = ~0ul;
    check_result("multicall", hypercall_multicall(calls, ARRAY_LENGTH(calls)), 0);
    check_result("first", (long)calls[0].result, 0);
    check_result("second", (long)calls[1].result, -XEN_EPERM);
    check_result("third", (long)calls[2].result, 0);
    check_equal("fourth", calls[3].result, version);
    check_result("fifth", (long)calls[4].result, -XEN_ENOSYS);
    check_equal("first page", *(volatile uint64_t *)window, 0xaaaa);
    check_equal("second page", *(volatile uint64_t *)(window + PAGE_SIZE), 0xbbbb);
    check_equal("flags of its entry", *pte_of(window + PAGE_SIZE, 1) & PTE_WRITABLE, 0);
}

void guest_main(void)
{
    test_mapping();
    test_forbidden();
    test_machphys();
    test_pinning();
    test_emulated_writes();
    test_refused_stores();
    test_page_operations();
    test_multicall();
    test_root();
    test_descriptors();
    verdict("pagetables");
}
