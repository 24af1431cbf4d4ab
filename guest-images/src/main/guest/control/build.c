/*
 * The domain builder: an ELF kernel, a P2M list, start_info, the rings' pages and page tables in a new domain's memory, as
 * xen/include/public/xen.h ("start of day") promises them; then the registers of its first vCPU.
 */
#include "toolstack.h"

struct elf_header {
    uint8_t  ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct elf_header) == 64, "elf_header");

struct program_header {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct program_header) == 56, "program_header");

enum { PT_LOAD = 1, PT_NOTE = 4 };
enum { XEN_ELFNOTE_ENTRY = 1, XEN_ELFNOTE_VIRT_BASE = 3 };
enum { TABLES_ABOVE_L1 = 3, GRANT_CONSOLE = 0, GRANT_XENSTORE = 1 };

struct layout {
    uint64_t virt_base, entry, pages;
    uint64_t p2m_pfn, start_info_pfn, table_pfn, tables, stack_pfn;
};

static uint64_t pages_of(uint64_t bytes) { return (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT; }

static void *map(const struct child *child, uint64_t pfn, unsigned count)
{
    int64_t error;
    void *address = map_foreign(child->domid, &child->frames[pfn], count, &error);

    check_result("mapping frames of the new domain", error, 0);
    return address;
}

/* Finds a number among the kernel's notes of the name "Xen". */
static bool find_note(const uint8_t *image, const struct program_header *segment, uint32_t wanted, uint64_t *value)
{
    uint64_t at = segment->offset, end = segment->offset + segment->filesz;

    while (at + 12 <= end) {
        const uint32_t *note = (const uint32_t *)(image + at);
        uint64_t descriptor = at + 12 + ((note[0] + 3) & ~3u);

        if (note[2] == wanted && note[0] == 4 && note[1] == 8 && memcmp(image + at + 12, "Xen", 4) == 0) {
            memcpy(value, image + descriptor, sizeof(*value));
            return true;
        }
        at = descriptor + ((note[1] + 3) & ~3u);
    }
    return false;
}

/* Copies the kernel into the domain; the first PFN behind it, or 0. */
static uint64_t load_kernel(struct child *child, const uint8_t *image, uint64_t length, struct layout *layout)
{
    const struct elf_header *elf = (const struct elf_header *)image;
    uint64_t end = 0;

    if (!check(length > sizeof(*elf) && memcmp(elf->ident, "\177ELF\2", 5) == 0, "the RAM disk is no ELF64 image"))
        return 0;
    layout->entry = elf->entry;
    for (unsigned i = 0; i < elf->phnum; i++) {
        const struct program_header *segment = (const struct program_header *)(image + elf->phoff) + i;
        uint64_t first = segment->paddr >> PAGE_SHIFT, count;
        uint8_t *to;

        if (segment->type == PT_NOTE) {
            find_note(image, segment, XEN_ELFNOTE_ENTRY, &layout->entry);
            check(find_note(image, segment, XEN_ELFNOTE_VIRT_BASE, &layout->virt_base), "no note with VIRT_BASE");
        }
        if (segment->type != PT_LOAD || segment->memsz == 0)
            continue;
        count = pages_of(segment->paddr + segment->memsz) - first;
        if (!check(first + count < layout->pages, "the kernel does not fit"))
            return 0;
        to = map(child, first, count);
        if (to == NULL)
            return 0;
        memcpy(to + (segment->paddr & (PAGE_SIZE - 1)), image + segment->offset, segment->filesz);
        unmap_foreign(to, count);
        if (first + count > end)
            end = first + count;
    }
    return end;
}

static void write_p2m(const struct child *child, const struct layout *layout)
{
    unsigned count = pages_of(layout->pages * sizeof(uint64_t));
    void *list = map(child, layout->p2m_pfn, count);

    if (list != NULL) {
        memcpy(list, child->frames, layout->pages * sizeof(uint64_t));
        unmap_foreign(list, count);
    }
}

/* L4, L3, L2, and an L1 table for each 2 MiB; all memory is mapped at VIRT_BASE, tables read-only. */
static void write_tables(const struct child *child, const struct layout *layout)
{
    pte_t (*tables)[512] = map(child, layout->table_pfn, layout->tables);

    if (tables == NULL)
        return;
    for (unsigned level = 4; level > 2; level--) {
        unsigned slot = layout->virt_base >> (PAGE_SHIFT + 9 * (level - 1)) & 511;

        tables[4 - level][slot] = mfn_to_pte(child->frames[layout->table_pfn + 5 - level], PTE_KERNEL | PTE_USER);
    }
    for (uint64_t pfn = 0; pfn < layout->pages; pfn++) {
        uint64_t va = layout->virt_base + (pfn << PAGE_SHIFT), l1 = TABLES_ABOVE_L1 + pfn / 512;
        bool table = pfn >= layout->table_pfn && pfn < layout->table_pfn + layout->tables;

        tables[2][va >> (PAGE_SHIFT + 9) & 511] =
            mfn_to_pte(child->frames[layout->table_pfn + l1], PTE_KERNEL | PTE_USER);
        tables[l1][va >> PAGE_SHIFT & 511] =
            mfn_to_pte(child->frames[pfn], (table ? PTE_KERNEL_RO : PTE_KERNEL) | PTE_USER);
    }
    unmap_foreign(tables, layout->tables);
}

static void write_start_info(const struct child *child, const struct layout *layout)
{
    struct xen_domctl_getdomaininfo info;
    struct start_info *start = map(child, layout->start_info_pfn, 1);

    check_result("getdomaininfo", domain_info(child->domid, &info), 0);
    if (start == NULL)
        return;
    copy_string(start->magic, "xen-3.0-x86_64", sizeof(start->magic));
    start->nr_pages = layout->pages;
    start->shared_info = info.shared_info_frame << PAGE_SHIFT;
    start->store_mfn = child->frames[child->store_pfn];
    start->store_evtchn = child->store_port;
    start->console_mfn = child->frames[child->console_pfn];
    start->console_evtchn = child->console_port;
    start->pt_base = layout->virt_base + (layout->table_pfn << PAGE_SHIFT);
    start->nr_pt_frames = layout->tables;
    start->mfn_list = layout->virt_base + (layout->p2m_pfn << PAGE_SHIFT);
    copy_string(start->cmd_line, "made by another guest", sizeof(start->cmd_line));
    unmap_foreign(start, 1);
}

static void set_m2p(const struct child *child, uint64_t pages)
{
    for (uint64_t pfn = 0; pfn < pages; pfn++) {
        struct mmu_update update = {child->frames[pfn] << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, pfn};

        if (!check_result("MMU_MACHPHYS_UPDATE", hypercall_mmu_update(&update, 1, NULL, child->domid), 0))
            return;
    }
    check_equal("the M2P entry of a frame of the new domain", mfn_to_pfn(child->frames[pages - 1]), pages - 1);
}

static evtchn_port_t port_for(domid_t domain)
{
    struct evtchn_alloc_unbound op = {domain, self, 0};

    check_result("alloc_unbound for the new domain", hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &op), 0);
    return op.port;
}

/* The grants that every guest expects in its first entries: of the console's and xenstore's page to who serves them. */
static void seed_grants(const struct child *child)
{
    uint64_t frame = 0;
    struct xen_mem_acquire_resource resource = {child->domid, XENMEM_resource_grant_table, 0, 1, 0, 0, &frame};
    struct grant_entry_v1 *table;
    int64_t error;

    if (!check_result("acquire_resource", hypercall_memory_op(XENMEM_acquire_resource, &resource), 0))
        return;
    table = map_foreign(child->domid, &frame, 1, &error);
    check_result("mapping the new domain's grant table", error, 0);
    if (table == NULL)
        return;
    table[GRANT_CONSOLE] = (struct grant_entry_v1){GTF_permit_access, self, child->frames[child->console_pfn]};
    table[GRANT_XENSTORE] = (struct grant_entry_v1){GTF_permit_access, self, child->frames[child->store_pfn]};
    unmap_foreign(table, 1);
}

static void set_context(const struct child *child, const struct layout *layout)
{
    static struct vcpu_guest_context context, read_back;
    struct xen_domctl op = {0};
    uint64_t stack = layout->virt_base + ((layout->stack_pfn + 1) << PAGE_SHIFT);

    memset(&context, 0, sizeof(context));
    context.flags = VGCF_in_kernel | VGCF_online;
    context.user_regs.rip = layout->entry;
    context.user_regs.rsp = stack;
    context.user_regs.rsi = layout->virt_base + (layout->start_info_pfn << PAGE_SHIFT);
    context.user_regs.rflags = 0x200;
    context.user_regs.cs = FLAT_RING3_CS64;
    context.user_regs.ss = FLAT_RING3_SS64;
    context.kernel_ss = FLAT_RING3_SS64;
    context.kernel_sp = stack;
    context.ctrlreg[3] = child->frames[layout->table_pfn] << PAGE_SHIFT;
    op.u.vcpucontext = (struct xen_domctl_vcpucontext){0, &context};
    check_result("setvcpucontext", domctl(&op, XEN_DOMCTL_setvcpucontext, child->domid), 0);
    op.u.vcpucontext = (struct xen_domctl_vcpucontext){0, &read_back};
    check_result("getvcpucontext", domctl(&op, XEN_DOMCTL_getvcpucontext, child->domid), 0);
    check_equal("RIP", read_back.user_regs.rip, context.user_regs.rip);
    check_equal("CR3", read_back.ctrlreg[3], context.ctrlreg[3]);
}

static void set_limits(const struct child *child, uint64_t pages)
{
    struct xen_domctl op = {0};
    struct xen_e820_entry ram = {0, pages << PAGE_SHIFT, 1};
    struct xen_foreign_memory_map map = {child->domid, 1, &ram};

    op.u.max_vcpus = 1;
    check_result("max_vcpus", domctl(&op, XEN_DOMCTL_max_vcpus, child->domid), 0);
    op.u.max_memkb = pages * 4;
    check_result("max_mem", domctl(&op, XEN_DOMCTL_max_mem, child->domid), 0);
    check_result("set_memory_map", hypercall_memory_op(XENMEM_set_memory_map, &map), 0);
    op.u.tsc_info = (struct xen_domctl_tsc_info){0};
    check_result("settscinfo", domctl(&op, XEN_DOMCTL_settscinfo, child->domid), 0);
    op.u.address_size = 64;
    check_result("set_address_size", domctl(&op, XEN_DOMCTL_set_address_size, child->domid), 0);
}

bool build_child(struct child *child, const void *image, uint64_t length, uint64_t pages)
{
    struct layout layout = {.pages = pages};
    struct mmuext_op pin = {MMUEXT_PIN_L4_TABLE, 0, 0};
    uint64_t next;

    set_limits(child, pages);
    for (uint64_t pfn = 0; pfn < pages; pfn++)
        child->frames[pfn] = pfn;
    if (!check_result("populate_physmap", populate(child->domid, child->frames, pages), pages))
        return false;
    next = load_kernel(child, image, length, &layout);
    if (next == 0)
        return false;
    layout.p2m_pfn = next;
    layout.start_info_pfn = layout.p2m_pfn + pages_of(pages * sizeof(uint64_t));
    child->store_pfn = layout.start_info_pfn + 1;
    child->console_pfn = child->store_pfn + 1;
    layout.table_pfn = child->console_pfn + 1;
    layout.tables = TABLES_ABOVE_L1 + (pages + 511) / 512;
    layout.stack_pfn = layout.table_pfn + layout.tables;
    if (!check(layout.stack_pfn < pages, "the kernel leaves no room for its start"))
        return false;
    write_p2m(child, &layout);
    write_tables(child, &layout);
    set_m2p(child, pages);
    child->store_port = port_for(child->domid);
    child->console_port = port_for(child->domid);
    write_start_info(child, &layout);
    seed_grants(child);
    pin.arg1 = child->frames[layout.table_pfn];
    check_result("pinning the new domain's L4 table", hypercall_mmuext_op(&pin, 1, NULL, child->domid), 0);
    set_context(child, &layout);
    return true;
}
