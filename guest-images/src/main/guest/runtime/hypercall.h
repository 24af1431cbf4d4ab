/*
 * Hypercalls. How a call is made, and those with arguments of 64 bits, which a 32-bit guest passes in two halves, are in calls.h of
 * each width.
 */
#ifndef HYPERCALL_H
#define HYPERCALL_H

#include "abi/cpu.h"
#include "abi/event.h"
#include "abi/memory.h"
#include "calls.h"

static inline long hypercall_set_trap_table(const struct trap_info *table)
{
    return hypercall1(HYPERCALL_set_trap_table, (unsigned long)table);
}

static inline long hypercall_mmu_update(const struct mmu_update *updates, unsigned long count, uint32_t *done,
                                           domid_t domain)
{
    return hypercall4(HYPERCALL_mmu_update, (unsigned long)updates, count, (unsigned long)done, domain);
}

static inline long hypercall_mmuext_op(const struct mmuext_op *ops, unsigned long count, uint32_t *done, domid_t domain)
{
    return hypercall4(HYPERCALL_mmuext_op, (unsigned long)ops, count, (unsigned long)done, domain);
}

static inline long hypercall_set_gdt(const xen_pfn_t *frames, unsigned long entries)
{
    return hypercall2(HYPERCALL_set_gdt, (unsigned long)frames, entries);
}

static inline long hypercall_stack_switch(unsigned long ss, unsigned long sp)
{
    return hypercall2(HYPERCALL_stack_switch, ss, sp);
}

static inline long hypercall_fpu_taskswitch(unsigned long set)
{
    return hypercall1(HYPERCALL_fpu_taskswitch, set);
}

static inline long hypercall_set_debugreg(unsigned long reg, unsigned long value)
{
    return hypercall2(HYPERCALL_set_debugreg, reg, value);
}

static inline long hypercall_get_debugreg(unsigned long reg)
{
    return hypercall1(HYPERCALL_get_debugreg, reg);
}

static inline long hypercall_physdev_op(unsigned long op, void *arg)
{
    return hypercall2(HYPERCALL_physdev_op, op, (unsigned long)arg);
}

static inline long hypercall_memory_op(unsigned long op, void *arg)
{
    return hypercall2(HYPERCALL_memory_op, op, (unsigned long)arg);
}

static inline long hypercall_multicall(struct multicall_entry *calls, unsigned long count)
{
    return hypercall2(HYPERCALL_multicall, (unsigned long)calls, count);
}

static inline long hypercall_xen_version(unsigned long op, void *arg)
{
    return hypercall2(HYPERCALL_xen_version, op, (unsigned long)arg);
}

static inline long hypercall_console_io(unsigned long op, unsigned long count, const char *text)
{
    return hypercall3(HYPERCALL_console_io, op, count, (unsigned long)text);
}

static inline long hypercall_grant_table_op(unsigned long op, void *args, unsigned long count)
{
    return hypercall3(HYPERCALL_grant_table_op, op, (unsigned long)args, count);
}

static inline long hypercall_vm_assist(unsigned long cmd, unsigned long type)
{
    return hypercall2(HYPERCALL_vm_assist, cmd, type);
}

static inline long hypercall_vcpu_op(unsigned long op, unsigned long vcpu, void *arg)
{
    return hypercall3(HYPERCALL_vcpu_op, op, vcpu, (unsigned long)arg);
}

static inline long hypercall_set_segment_base(unsigned long which, unsigned long base)
{
    return hypercall2(HYPERCALL_set_segment_base, which, base);
}

static inline long hypercall_sched_op(unsigned long op, void *arg)
{
    return hypercall2(HYPERCALL_sched_op, op, (unsigned long)arg);
}

static inline long hypercall_callback_op(unsigned long op, const void *arg)
{
    return hypercall2(HYPERCALL_callback_op, op, (unsigned long)arg);
}

static inline long hypercall_event_channel_op(unsigned long op, void *arg)
{
    return hypercall2(HYPERCALL_event_channel_op, op, (unsigned long)arg);
}

#endif
