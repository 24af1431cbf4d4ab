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
    unsigned long sp;                   /* of the context that was interrupted */
    unsigned long end;                  /* of the frame, had it SP and SS as from user mode */
    unsigned long cr2;
    unsigned long resume;               /* where the handler continues */
    unsigned long at;                   /* address of the instruction under test */
    unsigned count;
    uint8_t mask_in_handler;
};

extern struct caught caught;
extern bool strict;

/* Runs instructions that are to trap in kernel mode; "1:" and "2:" are taken. Clobbers AX, CX, DX. */
#define TRY(instructions, ...)                                                                                         \
    do {                                                                                                               \
        caught.count = 0;                                                                                              \
        __asm__ volatile("mov%z[resume] $2f, %[resume]; mov%z[at] $1f, %[at]\n"                                        \
                         "1: " instructions "\n2:"                                                                     \
                         : [resume] "=m"(caught.resume), [at] "=m"(caught.at)                                          \
                         : __VA_ARGS__                                                                                 \
                         : "ax", "cx", "dx", "memory", "cc");                                                          \
    } while (0)

/* Checks what TRY caught: once, this vector and error code, the instruction pointer so many bytes behind the instruction's start. */
bool check_trap(const char *what, unsigned vector, unsigned long error_code, long offset);
bool check_no_trap(const char *what);
bool catch_trap(struct trap_frame *frame);   /* the handler that notes what comes */

uint64_t read_msr(uint32_t msr);
void write_msr(uint32_t msr, uint64_t value);

/* User mode. A piece of user_code is run with this in DI, and with this stack pointer. */
#define USER_CODE  0x00400000ul
#define USER_STACK 0x007ff000ul

extern const uint8_t user_code[], user_code_end[];

void user_run(const uint8_t *piece, unsigned long di, unsigned long sp);
void check_user_trap(const char *what, const uint8_t *piece, unsigned long di, unsigned vector, unsigned long error_code,
                     long offset);
extern unsigned long left_with;         /* what SYSCALL_LEAVE was given */
bool system_call(struct trap_frame *frame);

void test_user_mode(void);

/* What only guests of this width can get. */
void test_faults_of_width(void);
void test_frames_of_width(void);
void test_emulation_of_width(void);
void test_debug_of_width(void);
void test_alignment(void);
void test_user_mode_of_width(void);
void test_ldt_of_width(void);            /* while entry 0 of the LDT is a code segment */

#include "instructions.h"

#endif
#endif
