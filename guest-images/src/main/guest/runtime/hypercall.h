/*
 * Hypercalls of a 64-bit PV guest, by SYSCALL in place: number in RAX, arguments in RDI, RSI, RDX, R10, R8.
 * No hypercall page is involved, so none has to be mapped executable and none can be rewritten.
 */
#ifndef HYPERCALL_H
#define HYPERCALL_H

#include "abi/cpu.h"
#include "abi/event.h"
#include "abi/memory.h"

/* Xen may overwrite the argument registers, SYSCALL itself overwrites RCX and R11. */
static inline int64_t hypercall5(uint64_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    register uint64_t r10 __asm__("r10") = a4;
    register uint64_t r8 __asm__("r8") = a5;

    __asm__ volatile("syscall"
                     : "+a"(number), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
                     :
                     : "rcx", "r11", "memory");
    return (int64_t)number;
}

static inline int64_t hypercall1(uint64_t number, uint64_t a1)
{
    __asm__ volatile("syscall" : "+a"(number), "+D"(a1) : : "rcx", "r11", "memory");
    return (int64_t)number;
}

static inline int64_t hypercall2(uint64_t number, uint64_t a1, uint64_t a2)
{
    __asm__ volatile("syscall" : "+a"(number), "+D"(a1), "+S"(a2) : : "rcx", "r11", "memory");
    return (int64_t)number;
}

static inline int64_t hypercall3(uint64_t number, uint64_t a1, uint64_t a2, uint64_t a3)
{
    __asm__ volatile("syscall" : "+a"(number), "+D"(a1), "+S"(a2), "+d"(a3) : : "rcx", "r11", "memory");
    return (int64_t)number;
}

static inline int64_t hypercall4(uint64_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
    register uint64_t r10 __asm__("r10") = a4;

    __asm__ volatile("syscall"
                     : "+a"(number), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10)
                     :
                     : "rcx", "r11", "memory");
    return (int64_t)number;
}

static inline int64_t hypercall_set_trap_table(const struct trap_info *table)
{
    return hypercall1(HYPERCALL_set_trap_table, (uint64_t)table);
}

static inline int64_t hypercall_mmu_update(const struct mmu_update *updates, uint64_t count, uint32_t *done,
                                           domid_t domain)
{
    return hypercall4(HYPERCALL_mmu_update, (uint64_t)updates, count, (uint64_t)done, domain);
}

static inline int64_t hypercall_mmuext_op(const struct mmuext_op *ops, uint64_t count, uint32_t *done, domid_t domain)
{
    return hypercall4(HYPERCALL_mmuext_op, (uint64_t)ops, count, (uint64_t)done, domain);
}

static inline int64_t hypercall_update_va_mapping(uint64_t va, uint64_t pte, uint64_t flags)
{
    return hypercall3(HYPERCALL_update_va_mapping, va, pte, flags);
}

static inline int64_t hypercall_set_gdt(const uint64_t *frames, uint64_t entries)
{
    return hypercall2(HYPERCALL_set_gdt, (uint64_t)frames, entries);
}

static inline int64_t hypercall_update_descriptor(uint64_t machine_address, uint64_t descriptor)
{
    return hypercall2(HYPERCALL_update_descriptor, machine_address, descriptor);
}

static inline int64_t hypercall_stack_switch(uint64_t ss, uint64_t sp)
{
    return hypercall2(HYPERCALL_stack_switch, ss, sp);
}

static inline int64_t hypercall_fpu_taskswitch(uint64_t set)
{
    return hypercall1(HYPERCALL_fpu_taskswitch, set);
}

static inline int64_t hypercall_set_debugreg(uint64_t reg, uint64_t value)
{
    return hypercall2(HYPERCALL_set_debugreg, reg, value);
}

static inline int64_t hypercall_get_debugreg(uint64_t reg)
{
    return hypercall1(HYPERCALL_get_debugreg, reg);
}

static inline int64_t hypercall_memory_op(uint64_t op, void *arg)
{
    return hypercall2(HYPERCALL_memory_op, op, (uint64_t)arg);
}

static inline int64_t hypercall_multicall(struct multicall_entry *calls, uint64_t count)
{
    return hypercall2(HYPERCALL_multicall, (uint64_t)calls, count);
}

static inline int64_t hypercall_set_timer_op(uint64_t system_time_ns)
{
    return hypercall1(HYPERCALL_set_timer_op, system_time_ns);
}

static inline int64_t hypercall_xen_version(uint64_t op, void *arg)
{
    return hypercall2(HYPERCALL_xen_version, op, (uint64_t)arg);
}

static inline int64_t hypercall_console_io(uint64_t op, uint64_t count, const char *text)
{
    return hypercall3(HYPERCALL_console_io, op, count, (uint64_t)text);
}

static inline int64_t hypercall_grant_table_op(uint64_t op, void *args, uint64_t count)
{
    return hypercall3(HYPERCALL_grant_table_op, op, (uint64_t)args, count);
}

static inline int64_t hypercall_vm_assist(uint64_t cmd, uint64_t type)
{
    return hypercall2(HYPERCALL_vm_assist, cmd, type);
}

static inline int64_t hypercall_vcpu_op(uint64_t op, uint64_t vcpu, void *arg)
{
    return hypercall3(HYPERCALL_vcpu_op, op, vcpu, (uint64_t)arg);
}

static inline int64_t hypercall_set_segment_base(uint64_t which, uint64_t base)
{
    return hypercall2(HYPERCALL_set_segment_base, which, base);
}

static inline int64_t hypercall_sched_op(uint64_t op, void *arg)
{
    return hypercall2(HYPERCALL_sched_op, op, (uint64_t)arg);
}

static inline int64_t hypercall_callback_op(uint64_t op, const void *arg)
{
    return hypercall2(HYPERCALL_callback_op, op, (uint64_t)arg);
}

static inline int64_t hypercall_event_channel_op(uint64_t op, void *arg)
{
    return hypercall2(HYPERCALL_event_channel_op, op, (uint64_t)arg);
}

#endif
