/*
 * hostile: one after another, what guests have once done to Xen that they should not have been able to do, and what must come
 * of it. docs/security-classes.md says which advisories each case stands for.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include "verdict.h"

#define NONCANONICAL 0x800000000000ul

/* The traps since the last TRY; handlers resume after it. */
struct caught {
    unsigned count, vector;
    uint64_t error_code, rip, rflags, resume;
};
extern struct caught caught;

void catch_traps(void);

/* Runs instructions that may fault; what was caught is in `caught`. They may change RAX, RBX, RCX, RDX, RDI, RSI, R8 to R11. */
#define TRY(code, ...)                                                                                                 \
    do {                                                                                                               \
        caught.count = 0;                                                                                              \
        __asm__ volatile("leaq 9f(%%rip), %%rax; movq %%rax, %[resume]; " code "; 9:"                                  \
                         : [resume] "=m"(caught.resume)                                                                \
                         : __VA_ARGS__                                                                                 \
                         : "rax", "rbx", "rcx", "rdx", "rdi", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");        \
        caught.resume = 0;                                                                                             \
    } while (0)

extern domid_t self;

int64_t pte_write_as(const volatile pte_t *entry, pte_t value, unsigned command);

void test_tables(void);
void test_memory(void);
void test_grants(void);
void test_processor(void);
void test_calls(void);
void test_disk(void);
void crash(const char *how);

#endif
