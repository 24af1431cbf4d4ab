/*
 * Hypercalls of a 32-bit PV guest, by INT 0x82 in place: number in EAX, arguments in EBX, ECX, EDX, ESI, EDI. A value of 64 bits is
 * two arguments, the low half first. No hypercall page is involved, so none has to be mapped executable and none can be rewritten.
 */
#ifndef CALLS_H
#define CALLS_H

#include "abi/core.h"

/* Xen may overwrite the argument registers. */
static inline long hypercall5(unsigned long number, unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
                              unsigned long a5)
{
    __asm__ volatile("int $0x82" : "+a"(number), "+b"(a1), "+c"(a2), "+d"(a3), "+S"(a4), "+D"(a5) : : "memory");
    return (long)number;
}

static inline long hypercall1(unsigned long number, unsigned long a1)
{
    __asm__ volatile("int $0x82" : "+a"(number), "+b"(a1) : : "memory");
    return (long)number;
}

static inline long hypercall2(unsigned long number, unsigned long a1, unsigned long a2)
{
    __asm__ volatile("int $0x82" : "+a"(number), "+b"(a1), "+c"(a2) : : "memory");
    return (long)number;
}

static inline long hypercall3(unsigned long number, unsigned long a1, unsigned long a2, unsigned long a3)
{
    __asm__ volatile("int $0x82" : "+a"(number), "+b"(a1), "+c"(a2), "+d"(a3) : : "memory");
    return (long)number;
}

static inline long hypercall4(unsigned long number, unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4)
{
    __asm__ volatile("int $0x82" : "+a"(number), "+b"(a1), "+c"(a2), "+d"(a3), "+S"(a4) : : "memory");
    return (long)number;
}

static inline long hypercall_update_va_mapping(unsigned long va, uint64_t pte, unsigned long flags)
{
    return hypercall4(HYPERCALL_update_va_mapping, va, (uint32_t)pte, pte >> 32, flags);
}

/* The same as an entry of a multicall. */
static inline void multicall_update_va_mapping(struct multicall_entry *call, unsigned long va, uint64_t pte, unsigned long flags)
{
    call->op = HYPERCALL_update_va_mapping;
    call->args[0] = va;
    call->args[1] = (uint32_t)pte;
    call->args[2] = pte >> 32;
    call->args[3] = flags;
}

static inline long hypercall_update_va_mapping_otherdomain(unsigned long va, uint64_t pte, unsigned long flags, domid_t domain)
{
    return hypercall5(HYPERCALL_update_va_mapping_otherdomain, va, (uint32_t)pte, pte >> 32, flags, domain);
}

static inline long hypercall_update_descriptor(uint64_t machine_address, uint64_t descriptor)
{
    return hypercall4(HYPERCALL_update_descriptor, (uint32_t)machine_address, machine_address >> 32, (uint32_t)descriptor,
                      descriptor >> 32);
}

static inline long hypercall_set_timer_op(uint64_t system_time_ns)
{
    return hypercall2(HYPERCALL_set_timer_op, (uint32_t)system_time_ns, system_time_ns >> 32);
}

#endif
