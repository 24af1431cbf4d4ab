/* Four levels of tables, and the descriptors of 64-bit guests. */
#include "pagetables.h"

void store_entry(volatile pte_t *entry, pte_t value) { *entry = value; }

pte_t exchange_entry(volatile pte_t *entry, pte_t value) { return __atomic_exchange_n(entry, value, __ATOMIC_SEQ_CST); }

void test_stores_of_width(volatile pte_t *entry, void *data, unsigned long window)
{
    (void)entry;
    (void)data;
    (void)window;
}

void test_root(void)
{
    const volatile pte_t *slot = &((const volatile pte_t *)start_info->pt_base)[256];
    void *page = page_alloc();
    xen_pfn_t mfn = virt_to_mfn(page);

    section("the root");
    check_result("write to Xen's first L4 slot", update(slot, 0), -XEN_EINVAL);
    check_result("write to Xen's last L4 slot", update(slot + 15, map(page, PTE_KERNEL_RO)), -XEN_EINVAL);
    check_result("data page as an L3 table, mapped writable elsewhere",
                 update(&((const volatile pte_t *)start_info->pt_base)[1], map(page, TABLE_FLAGS)), -XEN_EINVAL);
    check_result("read-only", page_set_flags(page, PTE_KERNEL_RO), 0);
    check_result("pin of an empty L4", mmuext(MMUEXT_PIN_L4_TABLE, mfn, 0), 0);
    check_result("writable mapping of it", page_set_flags(page, PTE_KERNEL), -XEN_EBUSY);
    check_result("unpin of it", mmuext(MMUEXT_UNPIN_TABLE, mfn, 0), 0);
    check_result("writable again", page_set_flags(page, PTE_KERNEL), 0);
    page_free(page);
}

void test_descriptors(void)
{
    static const uint64_t flat_data = 0x00cff2000000ffff;      /* DPL 3, writable */
    static const uint64_t ring0_code = 0x00af9a000000ffff;     /* DPL 0, 64-bit code */
    static const uint64_t call_gate = 0x0000ec000008ffff, available_tss = 0x000089000000ffff;
    uint64_t *table = page_alloc(), mfn = virt_to_mfn(table), value = 0, start;

    section("descriptor tables");
    table[5] = flat_data;
    check_result("set_gdt of a page mapped writable", hypercall_set_gdt(&mfn, 512), -XEN_EINVAL);
    page_set_flags(table, PTE_KERNEL_RO);
    check_result("set_gdt", hypercall_set_gdt(&mfn, 512), 0);
    check_result("writable mapping of a GDT page", page_set_flags(table, PTE_KERNEL), -XEN_EBUSY);
    __asm__ volatile("movl %1, %%es; movq %%es:(%2), %0; movl %3, %%es"
                     : "=r"(value) : "r"(5 * 8 + 3), "r"(table + 5), "r"(0));
    check_equal("load through ES", value | 1ul << 40, flat_data | 1ul << 40);
    start = (mfn << PAGE_SHIFT) + 6 * 8;
    check_result("update_descriptor", hypercall_update_descriptor(start, flat_data), 0);
    check_equal("descriptor written", table[6] | 1ul << 40, flat_data | 1ul << 40);
    check_result("update_descriptor with a ring 0 segment", hypercall_update_descriptor(start, ring0_code), 0);
    check_equal("its DPL", table[6] >> 45 & 3, 3);
    /* A call gate is kept, but closed: DPL 0, so that its use faults and Xen can emulate it. */
    check_result("update_descriptor with a call gate", hypercall_update_descriptor(start, call_gate), 0);
    check_equal("call gate written", table[6], 0x00008c00000bffff);
    check_result("update_descriptor with a TSS", hypercall_update_descriptor(start, available_tss), -XEN_EINVAL);
    check_result("set_gdt with too many entries", hypercall_set_gdt(&mfn, 8192), -XEN_EINVAL);
    check_result("set_gdt of nothing", hypercall_set_gdt(&mfn, 0), 0);
    check_result("writable again", page_set_flags(table, PTE_KERNEL), 0);
    page_free(table);
}
