/* Three levels of tables, of which Xen has a part, and the descriptors of 32-bit guests. */
#include "pagetables.h"

/* In the upper half first: with the lower half the entry is there. */
void store_entry(volatile pte_t *entry, pte_t value)
{
    volatile uint32_t *half = (volatile uint32_t *)entry;

    half[1] = value >> 32;
    half[0] = value;
}

/* By CMPXCHG8B. */
pte_t exchange_entry(volatile pte_t *entry, pte_t value)
{
    pte_t old;

    do {
        old = *entry;
    } while (!__sync_bool_compare_and_swap(entry, old, value));
    return old;
}

/* Halves of entries, stored and exchanged. */
void test_stores_of_width(volatile pte_t *entry, void *data, unsigned long window)
{
    volatile uint32_t *half = (volatile uint32_t *)entry;
    pte_t value = map(data, PTE_KERNEL);

    half[1] = PTE_NX >> 32;
    check_equal("an entry with its upper half", *entry, PTE_NX);
    half[1] = value >> 32;
    check(__sync_bool_compare_and_swap(&half[0], 0, (uint32_t)value), "CMPXCHG of half an entry failed");
    check_equal("value through it", *(volatile uint64_t *)window, *(volatile uint64_t *)data);
    check(!__sync_bool_compare_and_swap(&half[0], 0, 0), "CMPXCHG with the wrong value succeeded");
    check_equal("half of it exchanged", __atomic_exchange_n(&half[0], 0, __ATOMIC_SEQ_CST) & PTE_PRESENT, PTE_PRESENT);
    check_equal("the entry then", *entry & PTE_PRESENT, 0);
    store_entry(entry, 0);
}

#define ROOT_SLOTS 4
#define XEN_L2_SLOT (HYPERVISOR_VIRT_START >> 21 & 511)

static const volatile pte_t *root(void) { return (const volatile pte_t *)start_info->pt_base; }

static pte_t *table_page(void) { return page_alloc(); }

static void read_only(pte_t *table) { check_result("read-only", page_set_flags(table, PTE_KERNEL_RO), 0); }

static void give_back(pte_t *table)
{
    check_result("writable again", page_set_flags(table, PTE_KERNEL), 0);
    page_free(table);
}

/* The last slot's L2 table has Xen's entries from the M2P table on. */
static void test_slots_of_xen(void)
{
    const volatile pte_t *last = &root()[ROOT_SLOTS - 1], *entry = pte_of(HYPERVISOR_VIRT_START, 2);
    pte_t root_entry = *last, xen_entry = *entry;
    unsigned long below = HYPERVISOR_VIRT_START - PAGE_SIZE;
    void *page = page_alloc();

    section("slots of Xen's");
    check_result("write to the last slot of the root", update(last, 0), -XEN_EINVAL);
    check_result("the same entry again", update(last, root_entry), -XEN_EINVAL);
    check_equal("the last slot", *last, root_entry);
    check(update(entry, 0) < 0, "Xen's first L2 entry was written");
    check(update(entry + 511 - XEN_L2_SLOT, map(page, TABLE_FLAGS)) < 0, "Xen's last L2 entry was written");
    check_equal("Xen's first L2 entry", *entry, xen_entry);
    check_result("mapping right below", map_page(below, map(page, PTE_KERNEL)), 0);
    *(volatile uint32_t *)below = 0x1234;
    check_equal("value in the page", *(volatile uint32_t *)page, 0x1234);
    check_result("unmapping", hypercall_update_va_mapping(below, 0, UVMF_INVLPG), 0);
    page_free(page);
}

/* An L2 table is for the last slot of one root, or for others. */
static void test_second_level(void)
{
    pte_t *plain = table_page(), *table = table_page(), *last = table_page();
    xen_pfn_t used = pte_to_mfn(root()[ROOT_SLOTS - 1]);

    section("L2 tables for the last slot, and others");
    check(mmuext(MMUEXT_PIN_L2_TABLE, used, 0) < 0, "the last slot's table was pinned as an L2 table like others");
    check(update(&root()[1], mfn_to_pte(used, PTE_PRESENT)) < 0, "the last slot's table is in another slot too");
    check_equal("that slot", root()[1], 0);

    read_only(plain);
    check_result("pin as L2", mmuext(MMUEXT_PIN_L2_TABLE, virt_to_mfn(plain), 0), 0);
    table[ROOT_SLOTS - 1] = map(plain, PTE_PRESENT);
    read_only(table);
    check(mmuext(MMUEXT_PIN_L3_TABLE, virt_to_mfn(table), 0) < 0, "a root with a pinned L2 table in its last slot");
    page_set_flags(table, PTE_KERNEL);
    table[ROOT_SLOTS - 1] = mfn_to_pte(used, PTE_PRESENT);
    read_only(table);
    check(mmuext(MMUEXT_PIN_L3_TABLE, virt_to_mfn(table), 0) < 0, "a root with the last slot's table of another");
    page_set_flags(table, PTE_KERNEL);
    table[ROOT_SLOTS - 1] = 0;
    read_only(table);
    check(mmuext(MMUEXT_PIN_L3_TABLE, virt_to_mfn(table), 0) < 0, "a root without its last slot");
    check_result("an L4 table", mmuext(MMUEXT_PIN_L4_TABLE, virt_to_mfn(table), 0), -XEN_EINVAL);

    page_set_flags(table, PTE_KERNEL);
    table[ROOT_SLOTS - 1] = map(last, PTE_PRESENT);
    read_only(last);
    read_only(table);
    check_result("pin of a root", mmuext(MMUEXT_PIN_L3_TABLE, virt_to_mfn(table), 0), 0);
    check((last[XEN_L2_SLOT] & PTE_PRESENT) != 0, "Xen's first entry is not there");
    check_result("an L2 table in the first slot", update(&table[0], map(plain, PTE_PRESENT)), 0);
    check(update(&table[1], map(plain, PTE_PRESENT | PTE_LARGE)) < 0, "a large page of 1 GB");
    check(update(&table[1], map(plain, PTE_PRESENT | PTE_NX)) < 0, "NX in the root");
    check_result("the slot empty again", update(&table[0], 0), 0);
    check_result("unpin of the root", mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn(table), 0), 0);
    check_result("unpin of the L2 table", mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn(plain), 0), 0);
    give_back(table);
    give_back(last);
    give_back(plain);
}

static unsigned long read_cr3(void)
{
    unsigned long value;

    __asm__ volatile("movl %%cr3, %0" : "=r"(value));
    return value;
}

/* Another address space: the same tables, but for the root and its last L2 table. */
static void test_other_root(void)
{
    pte_t *other = table_page(), *last = table_page();
    unsigned long window = window_alloc(1), first = read_cr3();
    volatile uint32_t *page = page_alloc();
    const volatile pte_t *current = pte_of(VIRT_BASE, 2);
    xen_pfn_t mfn = virt_to_mfn(other);

    section("another root");
    page[0] = 0x7e57;
    check_result("map_page", map_page(window, map((void *)page, PTE_KERNEL)), 0);
    for (unsigned slot = 0; slot < XEN_L2_SLOT; slot++)
        last[slot] = current[slot];
    for (unsigned slot = 0; slot < ROOT_SLOTS - 1; slot++)
        other[slot] = root()[slot] & (PTE_FRAME | PTE_PRESENT);
    other[ROOT_SLOTS - 1] = map(last, PTE_PRESENT);
    read_only(last);
    read_only(other);
    check_result("pin", mmuext(MMUEXT_PIN_L3_TABLE, mfn, 0), 0);
    check_result("NEW_BASEPTR", mmuext(MMUEXT_NEW_BASEPTR, mfn, 0), 0);
    check_equal("CR3", read_cr3(), xen_pfn_to_cr3(mfn));
    check_equal("value", *(volatile uint32_t *)window, 0x7e57);
    check_result("a slot emptied", update(&other[WINDOW_BASE >> 30], 0), 0);
    mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
    trap_set_handler(14, resume_after_fault);
    check(faults((volatile void *)window, 0), "what the slot mapped is still there");
    trap_set_handler(14, NULL);
    __asm__ volatile("movl %0, %%cr3" : : "r"(first) : "memory");
    check_equal("CR3 as before", read_cr3(), first);
    check_equal("value", *(volatile uint32_t *)window, 0x7e57);
    check_result("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn, 0), 0);
    give_back(other);
    give_back(last);
    hypercall_update_va_mapping(window, 0, UVMF_INVLPG);
    page_free((void *)page);
}

void test_root(void)
{
    test_slots_of_xen();
    test_second_level();
    test_other_root();
}

static unsigned long after_fault;
static struct trap_frame caught;

static bool general_protection(struct trap_frame *frame)
{
    caught = *frame;
    frame->ip = after_fault;
    return true;
}

/* Loads ES and reads a word by it. */
static bool read_by_es(unsigned long selector, unsigned long offset, uint32_t *value)
{
    caught.vector = 0;
    __asm__ volatile("movl %%es, %%edx; movl $1f, %[after]; movl %[selector], %%es; movl %%es:(%[offset]), %[value]\n"
                     "1: movl %%edx, %%es"
                     : [after] "=m"(after_fault), [value] "=&r"(*value)
                     : [selector] "r"(selector), [offset] "r"(offset)
                     : "edx", "memory");
    return caught.vector == 0;
}

static uint64_t descriptor(uint32_t base, uint32_t limit, uint64_t flags)
{
    return flags | (limit & 0xffff) | (uint64_t)(limit & 0xf0000) << 32 | (uint64_t)(base & 0xffffff) << 16 |
           (uint64_t)(base >> 24) << 56;
}

#define DATA_BYTES UINT64_C(0x0040b20000000000)    /* DPL 1, writable, limit in bytes */
#define DATA_PAGES UINT64_C(0x00c0b20000000000)    /* the same, limit in pages */
#define ACCESSED   (UINT64_C(1) << 40)

void test_descriptors(void)
{
    static const uint64_t ring0_code = 0x00cf9a000000ffff;     /* DPL 0, 32-bit code */
    static const uint64_t long_code = 0x00affa000000ffff;      /* 64-bit code */
    static const uint64_t call_gate = 0x0000ec000008ffff, available_tss = 0x000089000000ffff;
    uint64_t *table = page_alloc(), *data = page_alloc(), start;
    xen_pfn_t mfn = virt_to_mfn(table);
    uint32_t value;

    section("descriptor tables");
    data[1] = 0x0123456789abcdef;
    table[5] = descriptor((uint32_t)data, 15, DATA_BYTES);
    check_result("set_gdt of a page mapped writable", hypercall_set_gdt(&mfn, 512), -XEN_EINVAL);
    page_set_flags(table, PTE_KERNEL_RO);
    check_result("set_gdt", hypercall_set_gdt(&mfn, 512), 0);
    check_result("writable mapping of a GDT page", page_set_flags(table, PTE_KERNEL), -XEN_EBUSY);

    trap_set_handler(13, general_protection);
    check(read_by_es(5 * 8 + 1, 8, &value), "a read by ES faulted: 0x%x", caught.error_code);
    check_equal("value at the segment's offset 8", value, 0x89abcdef);
    check(read_by_es(5 * 8 + 1, 12, &value), "a read up to the segment's end faulted: 0x%x", caught.error_code);
    check_equal("value at its offset 12", value, 0x01234567);
    check(!read_by_es(5 * 8 + 1, 13, &value) && caught.error_code == 0, "a read over the segment's end: 0x%x",
          caught.error_code);
    check(!read_by_es(7 * 8 + 1, 0, &value) && caught.error_code == 7 * 8, "a selector of no segment: 0x%x",
          caught.error_code);

    start = mfn_to_pte(mfn, 0) + 6 * 8;
    check_result("update_descriptor", hypercall_update_descriptor(start, descriptor((uint32_t)&data[1], 3, DATA_BYTES)), 0);
    check(read_by_es(6 * 8 + 1, 0, &value), "a read by the new segment faulted: 0x%x", caught.error_code);
    check_equal("value at its start", value, 0x89abcdef);
    check(!read_by_es(6 * 8 + 1, 4, &value), "a read over its end");
    trap_set_handler(13, NULL);

    check_result("update_descriptor with a ring 0 segment", hypercall_update_descriptor(start, ring0_code), 0);
    check_equal("its DPL", table[6] >> 45 & 3, 1);
    check_result("update_descriptor with 64-bit code", hypercall_update_descriptor(start, long_code), -XEN_EINVAL);
    /* Older kernels end their segments before Xen's range; they need to read the M2P table, which is behind. */
    check_result("update_descriptor with a limit", hypercall_update_descriptor(start, descriptor(0, 0xf67ff, DATA_PAGES)), 0);
    check_equal("its limit", table[6] & ~ACCESSED, descriptor(0, 0xfffff, DATA_PAGES));
    /* A call gate is kept, but closed: DPL 0, so that its use faults and Xen can emulate it. */
    check_result("update_descriptor with a call gate", hypercall_update_descriptor(start, call_gate), 0);
    check_equal("call gate written", table[6], 0x00008c00000bffff);
    check_result("update_descriptor with a TSS", hypercall_update_descriptor(start, available_tss), -XEN_EINVAL);
    check_result("set_gdt with too many entries", hypercall_set_gdt(&mfn, 8192), -XEN_EINVAL);
    check_result("set_gdt of nothing", hypercall_set_gdt(&mfn, 0), 0);
    check_result("writable again", page_set_flags(table, PTE_KERNEL), 0);
    page_free(data);
    page_free(table);
}
