/* Page tables, descriptors, and the memory management operations. */
#include "torture.h"

/* An entry to write to: of the sandbox, of a table that is not one, or of somebody else's frame. */
static uint64_t any_entry_address(void)
{
    switch (below(8)) {
    case 0: return any_pool_mfn() << PAGE_SHIFT | below(512) * 8;
    case 1: return foreign_mfn() << PAGE_SHIFT | below(512) * 8;
    case 2: return pte_machine_address(&((const volatile pte_t *)start_info->pt_base)[256 + below(16)]);
    case 3: return pte_machine_address(any_sandbox_entry(2 + below(2))) + 8 * (1 + below(8));
    }
    return pte_machine_address(any_sandbox_entry(1));
}

static void fill(struct mmu_update *update)
{
    update->ptr = any_entry_address() | (one_in(4) ? MMU_PT_UPDATE_PRESERVE_AD : MMU_NORMAL_PT_UPDATE);
    update->val = any_pte();
    if (one_in(16)) {
        /* Of a frame of the pool only: this guest finds its own tables through the M2P. */
        update->ptr = (one_in(2) ? any_pool_mfn() : foreign_mfn()) << PAGE_SHIFT | MMU_MACHPHYS_UPDATE;
        update->val = odd_number();
    } else if (one_in(16)) {
        update->ptr = (update->ptr & ~3ul) | MMU_PT_UPDATE_NO_TRANSLATE;
    }
}

static int64_t mmu_update(void)
{
    unsigned count = 1 + below(4);
    struct mmu_update *updates = argument(count * sizeof(*updates));
    uint32_t *done = argument(sizeof(*done));

    for (unsigned i = 0; i < count; i++)
        fill(&updates[i]);
    return hypercall_mmu_update(spoil(updates), count, one_in(2) ? NULL : spoil(done),
                                one_in(4) ? any_domain() : DOMID_SELF);
}

static int64_t update_va_mapping(void)
{
    uint64_t flags = below(8);

    if (one_in(4))
        flags |= (uint64_t)spoil(argument(8)) & ~7ul;
    return hypercall_update_va_mapping(any_va(), any_pte(), flags);
}

static int64_t update_va_mapping_otherdomain(void)
{
    return hypercall4(HYPERCALL_update_va_mapping_otherdomain, any_va(), any_pte(), below(8), any_domain());
}

static int64_t ext(uint32_t cmd, uint64_t arg1, uint64_t arg2)
{
    struct mmuext_op *op = argument(sizeof(*op));

    *op = (struct mmuext_op){cmd, arg1, arg2};
    return hypercall_mmuext_op(spoil(op), 1, one_in(2) ? NULL : spoil(argument(4)),
                               one_in(8) ? any_domain() : DOMID_SELF);
}

static int64_t pin_l1(void) { return ext(MMUEXT_PIN_L1_TABLE, any_mfn(), 0); }
static int64_t pin_l2(void) { return ext(MMUEXT_PIN_L2_TABLE, any_mfn(), 0); }
static int64_t pin_l3(void) { return ext(MMUEXT_PIN_L3_TABLE, any_mfn(), 0); }
static int64_t pin_l4(void) { return ext(MMUEXT_PIN_L4_TABLE, any_mfn(), 0); }
static int64_t unpin(void) { return ext(MMUEXT_UNPIN_TABLE, any_mfn(), 0); }

/* A table without this kernel in it would be the end: so the one in use, or frames that cannot be an L4 table. */
static int64_t new_baseptr(void)
{
    uint64_t root = virt_to_mfn((const void *)start_info->pt_base);

    return ext(MMUEXT_NEW_BASEPTR, one_in(2) ? root : one_in(2) ? virt_to_mfn(start_info) : surely_foreign_mfn(), 0);
}

static int64_t new_user_baseptr(void) { return ext(MMUEXT_NEW_USER_BASEPTR, one_in(8) ? 0 : any_mfn(), 0); }
static int64_t tlb_flush_local(void) { return ext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0); }
static int64_t invlpg_local(void) { return ext(MMUEXT_INVLPG_LOCAL, any_va(), 0); }
static int64_t tlb_flush_all(void) { return ext(MMUEXT_TLB_FLUSH_ALL, 0, 0); }
static int64_t invlpg_all(void) { return ext(MMUEXT_INVLPG_ALL, any_va(), 0); }
static int64_t flush_cache(void) { return ext(one_in(2) ? MMUEXT_FLUSH_CACHE : MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0); }

static uint64_t *vcpu_mask(void)
{
    uint64_t *mask = argument(8);

    *mask = one_in(2) ? 3 : odd_number();
    return spoil(mask);
}

static int64_t tlb_flush_multi(void) { return ext(MMUEXT_TLB_FLUSH_MULTI, 0, (uint64_t)vcpu_mask()); }
static int64_t invlpg_multi(void) { return ext(MMUEXT_INVLPG_MULTI, any_va(), (uint64_t)vcpu_mask()); }
static int64_t set_ldt(void) { return ext(MMUEXT_SET_LDT, any_va() & ~0xffful, one_in(4) ? odd_number() : below(512)); }

/* Targets of copies are frames of the pool, or such as must be refused. */
static uint64_t target_mfn(void) { return one_in(3) ? foreign_mfn() : any_pool_mfn(); }

static int64_t clear_page(void) { return ext(MMUEXT_CLEAR_PAGE, target_mfn(), 0); }
static int64_t copy_page(void) { return ext(MMUEXT_COPY_PAGE, target_mfn(), any_mfn()); }
static int64_t mmuext_unknown(void) { return ext(19 + below(40), any_mfn(), odd_number()); }

static int64_t mmuext_batch(void)
{
    unsigned count = 2 + below(6);
    struct mmuext_op *ops = argument_at_end(count * sizeof(*ops));
    static const uint32_t commands[] = {MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE, MMUEXT_UNPIN_TABLE,
                                        MMUEXT_TLB_FLUSH_LOCAL, MMUEXT_INVLPG_LOCAL, MMUEXT_CLEAR_PAGE};

    for (unsigned i = 0; i < count; i++)
        ops[i] = (struct mmuext_op){commands[below(ARRAY_LENGTH(commands))], target_mfn(), 0};
    return hypercall_mmuext_op(ops, one_in(16) ? odd_number() & 0xffff : count, spoil(argument(4)), DOMID_SELF);
}

/* A frame of the pool gets content through a writable mapping, if its type allows one. */
static int64_t fill_frame(void)
{
    uint64_t va = any_sandbox_va();
    uint64_t mfn = any_pool_mfn();
    int64_t error = hypercall_update_va_mapping(va, mfn_to_pte(mfn, PTE_KERNEL), UVMF_INVLPG);
    const volatile pte_t *entry = pte_of(va, 1);

    if (error != 0 || entry == NULL || (*entry & (PTE_FRAME | PTE_WRITABLE)) != mfn_to_pte(mfn, PTE_WRITABLE))
        return error;
    for (unsigned i = 0; i < 32; i++)
        ((volatile uint64_t *)va)[below(512)] = one_in(4) ? any_pte() : 0;
    return hypercall_update_va_mapping(va, 0, UVMF_INVLPG);
}

/* An empty page becomes a table: clear, pin, hook below one of the sandbox's tables, unpin. */
static int64_t build_table(void)
{
    uint64_t mfn = any_pool_mfn();
    int level = 1 + below(3);

    mmuext(MMUEXT_CLEAR_PAGE, mfn, 0);
    if (mmuext(MMUEXT_PIN_L1_TABLE + level - 1, mfn, 0) == 0 && one_in(2)) {
        const volatile pte_t *parent = pte_of(sandbox_va + (1ul << (12 + 9 * level)) * (1 + below(32)), level + 1);

        if (parent != NULL)
            pte_write(parent, one_in(3) ? 0 : mfn_to_pte(mfn, PTE_KERNEL | PTE_USER));
    }
    return ext(MMUEXT_UNPIN_TABLE, mfn, 0);
}

static int64_t set_gdt(void)
{
    return hypercall_set_gdt(spoil(list_of(any_mfn, 16)), one_in(8) ? odd_number() : below(1024));
}

static int64_t update_descriptor(void)
{
    return hypercall_update_descriptor(target_mfn() << PAGE_SHIFT | below(512) * (one_in(16) ? 7 : 8),
                                       one_in(2) ? 0x00cff2000000ffff : random_bits());
}

static int64_t vm_assist(void)
{
    return hypercall_vm_assist(one_in(8) ? odd_number() : below(2), one_in(8) ? odd_number() : 2 + below(4));
}

static const struct operation list[] = {
    {"mmu_update", mmu_update, 60},
    {"update_va_mapping", update_va_mapping, 60},
    {"update_va_mapping_otherdomain", update_va_mapping_otherdomain, 4},
    {"mmuext_op.PIN_L1_TABLE", pin_l1, 12},
    {"mmuext_op.PIN_L2_TABLE", pin_l2, 8},
    {"mmuext_op.PIN_L3_TABLE", pin_l3, 8},
    {"mmuext_op.PIN_L4_TABLE", pin_l4, 8},
    {"mmuext_op.UNPIN_TABLE", unpin, 30},
    {"mmuext_op.NEW_BASEPTR", new_baseptr, 4},
    {"mmuext_op.NEW_USER_BASEPTR", new_user_baseptr, 8},
    {"mmuext_op.TLB_FLUSH_LOCAL", tlb_flush_local, 2},
    {"mmuext_op.INVLPG_LOCAL", invlpg_local, 4},
    {"mmuext_op.TLB_FLUSH_MULTI", tlb_flush_multi, 3},
    {"mmuext_op.INVLPG_MULTI", invlpg_multi, 3},
    {"mmuext_op.TLB_FLUSH_ALL", tlb_flush_all, 2},
    {"mmuext_op.INVLPG_ALL", invlpg_all, 3},
    {"mmuext_op.FLUSH_CACHE", flush_cache, 2},
    {"mmuext_op.SET_LDT", set_ldt, 6},
    {"mmuext_op.CLEAR_PAGE", clear_page, 12},
    {"mmuext_op.COPY_PAGE", copy_page, 8},
    {"mmuext_op (unknown)", mmuext_unknown, 2},
    {"mmuext_op (several)", mmuext_batch, 8},
    {"update_va_mapping and stores", fill_frame, 20},
    {"mmuext_op.UNPIN_TABLE of a new table", build_table, 20},
    {"set_gdt", set_gdt, 6},
    {"update_descriptor", update_descriptor, 8},
    {"vm_assist", vm_assist, 3},
};
const struct operations paging_operations = OPERATIONS(list);
