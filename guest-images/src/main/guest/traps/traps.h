/* What the C and the assembly part of the trap test agree on. */
#ifndef TRAPS_H
#define TRAPS_H

#define USER_VECTOR    0x85             /* a gate that user mode may enter */
#define KERNEL_VECTOR  0x86             /* a gate that only the kernel may enter */
#define NO_VECTOR      0x87             /* no gate */

#define SYSCALL_RETURN 1                /* returns 0 */
#define SYSCALL_LEAVE  2                /* ends the excursion */

#ifndef __ASSEMBLER__

#include "verdict.h"

struct caught {
    struct trap_frame frame;
    uint64_t cr2;
    uint64_t resume;                    /* where the handler continues */
    uint64_t at;                        /* address of the instruction under test */
    unsigned count;
    uint8_t mask_in_handler;
};

extern struct caught caught;
extern bool strict;

/* Runs instructions that are to trap in kernel mode; "1:" and "2:" are taken. Clobbers RAX, RCX, RDX. */
#define TRY(instructions, ...)                                                                                         \
    do {                                                                                                               \
        caught.count = 0;                                                                                              \
        __asm__ volatile("leaq 2f(%%rip), %%rax; movq %%rax, %[resume]; leaq 1f(%%rip), %%rax; movq %%rax, %[at]\n"    \
                         "1: " instructions "\n2:"                                                                     \
                         : [resume] "=m"(caught.resume), [at] "=m"(caught.at)                                          \
                         : __VA_ARGS__                                                                                 \
                         : "rax", "rcx", "rdx", "memory", "cc");                                                       \
    } while (0)

/* Checks what TRY caught: once, this vector and error code, RIP so many bytes behind the instruction's start. */
bool check_trap(const char *what, unsigned vector, uint64_t error_code, int64_t rip_offset);
bool check_no_trap(const char *what);

void test_user_mode(void);

#endif
#endif
