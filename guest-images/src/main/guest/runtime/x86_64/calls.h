/*
 * Hypercalls of a 64-bit PV guest, by SYSCALL in place: number in RAX, arguments in RDI, RSI, RDX, R10, R8.
 * No hypercall page is involved, so none has to be mapped executable and none can be rewritten.
 */
#ifndef CALLS_H
#define CALLS_H

#include "abi/core.h"

/* Xen may overwrite the argument registers, SYSCALL itself overwrites RCX and R11. */
static inline long hypercall5(unsigned long number, unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5)
{
    register unsigned long r10 __asm__("r10") = a4;
    register unsigned long r8 __asm__("r8") = a5;

    __asm__ volatile("syscall"
                     : "+a"(number), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
                     :
                     : "rcx", "r11", "memory");
    return (long)number;
}

static inline long hypercall1(unsigned long number, unsigned long a1)
{
    __asm__ volatile("syscall" : "+a"(number), "+D"(a1) : : "rcx", "r11", "memory");
    return (long)number;
}

static inline long hypercall2(unsigned long number, unsigned long a1, unsigned long a2)
{
    __asm__ volatile("syscall" : "+a"(number), "+D"(a1), "+S"(a2) : : "rcx", "r11", "memory");
    return (long)number;
}

static inline long hypercall3(unsigned long number, unsigned long a1, unsigned long a2, unsigned long a3)
{
    __asm__ volatile("syscall" : "+a"(number), "+D"(a1), "+S"(a2), "+d"(a3) : : "rcx", "r11", "memory");
    return (long)number;
}

static inline long hypercall4(unsigned long number, unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4)
{
    register unsigned long r10 __asm__("r10") = a4;

    __asm__ volatile("syscall"
                     : "+a"(number), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10)
                     :
                     : "rcx", "r11", "memory");
    return (long)number;
}

static inline long hypercall_update_va_mapping(unsigned long va, uint64_t pte, unsigned long flags)
{
    return hypercall3(HYPERCALL_update_va_mapping, va, pte, flags);
}

/* The same as an entry of a multicall. */
static inline void multicall_update_va_mapping(struct multicall_entry *call, unsigned long va, uint64_t pte, unsigned long flags)
{
    call->op = HYPERCALL_update_va_mapping;
    call->args[0] = va;
    call->args[1] = pte;
    call->args[2] = flags;
}

static inline long hypercall_update_va_mapping_otherdomain(unsigned long va, uint64_t pte, unsigned long flags, domid_t domain)
{
    return hypercall4(HYPERCALL_update_va_mapping_otherdomain, va, pte, flags, domain);
}

static inline long hypercall_update_descriptor(uint64_t machine_address, uint64_t descriptor)
{
    return hypercall2(HYPERCALL_update_descriptor, machine_address, descriptor);
}

static inline long hypercall_set_timer_op(uint64_t system_time_ns)
{
    return hypercall1(HYPERCALL_set_timer_op, system_time_ns);
}

#endif
