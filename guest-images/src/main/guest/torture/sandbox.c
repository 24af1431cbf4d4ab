/* Frames, addresses and numbers to call with. */
#include "torture.h"

#define ARENA_PAGES 4
#define LAST_PAGES  8                          /* each followed by an unmapped page */
#define KNOWN_PORTS 64
#define GHOSTS      128

struct pool_frame pool[POOL_FRAMES];
uint64_t sandbox_va, max_mfn;

static uint64_t arena, last_pages, read_only_page, vanished_page;
static size_t arena_used;
static unsigned last_page;
static evtchn_port_t known_ports[KNOWN_PORTS];

/* Frames given away. A pin or a mapping may keep one of them from leaving. */
static uint64_t ghosts[GHOSTS];
static unsigned ghost_count;

void sandbox_init(void)
{
    max_mfn = hypercall_memory_op(XENMEM_maximum_ram_page, NULL) - 1;   /* Xen returns one more */

    for (unsigned i = 0; i < POOL_FRAMES; i++) {
        void *page = page_alloc();

        pool[i].pfn = virt_to_pfn(page);
        pool[i].mfn = virt_to_mfn(page);
        hypercall_update_va_mapping((uint64_t)page, 0, UVMF_INVLPG);
    }

    /* In an L4 slot of their own: pages, and room for references to frames to come and go. */
    sandbox_va = 0x0000700000000000ul;
    for (unsigned i = 0; i < SANDBOX_PAGES; i++)
        map_page(sandbox_va + i * PAGE_SIZE, 0);

    last_pages = window_alloc(2 * LAST_PAGES);
    for (unsigned i = 0; i < LAST_PAGES; i++)
        map_page(last_pages + 2 * i * PAGE_SIZE, mfn_to_pte(virt_to_mfn(page_alloc()), PTE_KERNEL));
    arena = window_alloc(ARENA_PAGES + 3);
    for (unsigned i = 0; i < ARENA_PAGES; i++)
        map_page(arena + i * PAGE_SIZE, mfn_to_pte(virt_to_mfn(page_alloc()), PTE_KERNEL));
    vanished_page = arena + ARENA_PAGES * PAGE_SIZE;
    read_only_page = vanished_page + PAGE_SIZE;
    map_page(read_only_page, mfn_to_pte(virt_to_mfn(page_alloc()), PTE_KERNEL_RO));
}

void forget_frame(struct pool_frame *frame)
{
    ghosts[ghost_count++ % GHOSTS] = frame->mfn;
    frame->mfn = INVALID_MFN;
}

uint64_t stale_mfn(void)
{
    unsigned known = ghost_count < GHOSTS ? ghost_count : GHOSTS;

    return known == 0 ? INVALID_MFN : ghosts[below(known)];
}

/* With a few frames left, the frames given away are asked for again, so that the calls that follow find some. */
void sandbox_repair(void)
{
    unsigned missing = 0;

    mmuext(MMUEXT_UNPIN_TABLE, stale_mfn(), 0);
    for (unsigned i = 0; i < POOL_FRAMES; i++)
        missing += pool[i].mfn == INVALID_MFN;
    if (missing < POOL_FRAMES / 2)
        return;
    for (unsigned i = 0; i < POOL_FRAMES; i++) {
        uint64_t frame = pool[i].pfn;
        struct xen_memory_reservation reservation = {&frame, 1, 0, 0, DOMID_SELF};

        if (pool[i].mfn == INVALID_MFN && hypercall_memory_op(XENMEM_populate_physmap, &reservation) == 1) {
            pool[i].mfn = frame;
            set_p2m(pool[i].pfn, frame);
        }
    }
}

struct pool_frame *any_pool_frame(void)
{
    for (unsigned tries = 0; tries < 4 * POOL_FRAMES; tries++) {
        struct pool_frame *frame = &pool[below(POOL_FRAMES)];

        if (frame->mfn != INVALID_MFN)
            return frame;
    }
    return &pool[0];
}

uint64_t any_pool_mfn(void) { return any_pool_frame()->mfn; }

static bool is_own(uint64_t mfn)
{
    uint64_t pfn = mfn_to_pfn(mfn);

    /* The M2P may say anything about frames of others, and about those of the pool. */
    if ((pfn < start_info->nr_pages && pfn_to_mfn(pfn) == mfn) || mfn == start_info->shared_info >> PAGE_SHIFT)
        return true;
    for (unsigned i = 0; i < POOL_FRAMES; i++) {
        if (pool[i].mfn == mfn)
            return true;
    }
    return false;
}

uint64_t foreign_mfn(void)
{
    uint64_t mfn;

    switch (below(16)) {
    case 0: return odd_number() | 1ul << 45;
    case 1: return max_mfn + below(3);
    }
    do {
        mfn = below(max_mfn + 1);
    } while (is_own(mfn));
    return mfn;
}

/* Frames that were transferred or given away may have come back without this guest's knowing; Xen maps only those. */
uint64_t surely_foreign_mfn(void)
{
    uint64_t mfn = foreign_mfn();

    return hypercall_update_va_mapping(any_sandbox_va(), mfn_to_pte(mfn, PTE_KERNEL_RO), UVMF_INVLPG) == 0
               ? INVALID_MFN : mfn;
}

/*
 * Of this guest, but not of its code: a read-only frame can become a page of descriptors, and Xen corrects the DPL of
 * those that come before one it refuses.
 */
static uint64_t own_mfn(void)
{
    uint64_t pfn = below(start_info->nr_pages), text = virt_to_pfn(text_start);

    return pfn_to_mfn(pfn >= text && pfn < virt_to_pfn(text_end) ? 0 : pfn);
}

uint64_t any_mfn(void)
{
    switch (below(12)) {
    case 0: return foreign_mfn();
    case 1: return own_mfn();
    case 2: return start_info->shared_info >> PAGE_SHIFT;
    case 3: return pfn_to_mfn(virt_to_pfn((void *)start_info->pt_base) + below(start_info->nr_pt_frames));
    case 4: return odd_number();
    case 5: return stale_mfn();
    }
    return any_pool_mfn();
}

uint64_t any_sandbox_va(void) { return sandbox_va + below(SANDBOX_PAGES) * PAGE_SIZE; }

uint64_t any_va(void)
{
    switch (below(8)) {
    case 0: return MACH2PHYS_VIRT_START + below(max_mfn + 1) * 8;
    case 1: return HYPERVISOR_VIRT_END - (below(1ul << 40) & ~0xffful);
    case 2: return odd_number() | 1ul << 47;   /* mostly not canonical */
    case 3: return sandbox_va + (1ul << 30) * below(512);
    }
    return any_sandbox_va() + (one_in(8) ? below(PAGE_SIZE) : 0);
}

static bool is_pool_pfn(uint64_t pfn)
{
    for (unsigned i = 0; i < POOL_FRAMES; i++) {
        if (pool[i].pfn == pfn)
            return true;
    }
    return false;
}

pte_t any_pte(void)
{
    static const pte_t flags[] = {PTE_PRESENT, PTE_KERNEL, PTE_KERNEL | PTE_USER, PTE_KERNEL_RO, PTE_KERNEL_RO | PTE_NX,
                                  PTE_KERNEL | PTE_USER | PTE_NX, PTE_PRESENT | PTE_USER, PTE_KERNEL | 0x80,
                                  PTE_KERNEL | 0x100, PTE_PRESENT | PTE_WRITABLE | 0x18, 0};
    uint64_t mfn = any_mfn() & PTE_FRAME >> PAGE_SHIFT;
    pte_t value = mfn_to_pte(mfn, flags[below(ARRAY_LENGTH(flags))]);

    if (one_in(8))
        value ^= 1ul << below(64);
    /* Writable mappings only of what may be written: Xen writes to areas registered in the sandbox. */
    mfn = (value & PTE_FRAME) >> PAGE_SHIFT;
    if (mfn == start_info->shared_info >> PAGE_SHIFT)
        value &= ~PTE_WRITABLE;
    if (mfn <= max_mfn && mfn_to_pfn(mfn) < start_info->nr_pages && pfn_to_mfn(mfn_to_pfn(mfn)) == mfn &&
        !is_pool_pfn(mfn_to_pfn(mfn)))
        value &= ~PTE_WRITABLE;
    return one_in(8) ? 0 : value;
}

const volatile pte_t *any_sandbox_entry(int level)
{
    const volatile pte_t *entry = pte_of(any_sandbox_va(), level);

    return entry == NULL ? pte_of(sandbox_va, 4) : entry;
}

domid_t any_domain(void)
{
    switch (below(6)) {
    case 0: return 0;
    case 1: return below(8);
    case 2: return DOMID_IO + below(6);
    case 3: return odd_number();
    }
    return DOMID_SELF;
}

void remember_port(evtchn_port_t port) { known_ports[below(KNOWN_PORTS)] = port; }

evtchn_port_t any_port(void)
{
    switch (below(8)) {
    case 0: return below(EVTCHN_2L_PORTS + 8);
    case 1: return odd_number();
    case 2: return start_info->console_evtchn;
    }
    return known_ports[below(KNOWN_PORTS)];
}

bool is_expendable(evtchn_port_t port)
{
    return port != start_info->console_evtchn && port != start_info->store_evtchn && port != this_cpu()->timer_port;
}

evtchn_port_t expendable_port(void)
{
    evtchn_port_t port = any_port();

    return is_expendable(port) ? port : 0;
}

void *argument(size_t size)
{
    size_t rounded = (size + 7) & ~7ul;
    uint8_t *start;

    if (one_in(4))
        return argument_at_end(size);
    if (arena_used + rounded > ARENA_PAGES * PAGE_SIZE)
        arena_used = 0;
    start = (uint8_t *)(arena + arena_used);
    arena_used += rounded;
    memset(start, 0, size);
    return start;
}

void *argument_at_end(size_t size)
{
    /* In turn, so that the blocks of one call do not overlap. */
    last_page = (last_page + 1) % LAST_PAGES;
    return memset((uint8_t *)(last_pages + (2 * last_page + 1) * PAGE_SIZE - size), 0, size);
}

void *spoil_early(void *pointer)
{
    if (!one_in(24))
        return pointer;
    return (void *)(one_in(2) ? MACH2PHYS_VIRT_START + below(1ul << 30) : 1ul << 47 | below(1ul << 46));
}

void *spoil(void *pointer)
{
    if (!one_in(24))
        return pointer;
    switch (below(6)) {
    case 0: return NULL;
    case 1: return (void *)vanished_page;
    case 2: return (void *)(read_only_page + PAGE_SIZE - below(64));
    case 3: return (void *)(MACH2PHYS_VIRT_START + below(1ul << 30));
    case 4: return (void *)(HYPERVISOR_VIRT_END - below(1ul << 20));
    }
    return (void *)(1ul << 47 | below(1ul << 46));
}

uint64_t *list_of(uint64_t (*pick)(void), unsigned count)
{
    uint64_t *list = argument(count * sizeof(uint64_t));

    for (unsigned i = 0; i < count; i++)
        list[i] = pick();
    return list;
}
