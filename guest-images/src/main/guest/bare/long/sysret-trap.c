/*
 * SYSCALL and SYSRET look at TF as it is at their end: SYSCALL that clears it does not trap, SYSRET that sets it does, before the
 * next instruction. INT n does not trap into its handler either.
 */
#include "bare.h"

#define STAR 0xc0000081
#define LSTAR 0xc0000082
#define FMASK 0xc0000084
#define EFER 0xc0000080

extern const char after_syscall[], entry[], user_end_of_int[];
static volatile int traps;
static volatile word first_ip;

static void note(struct frame *frame) {
    if (traps++ == 0) {
        first_ip = frame->ip;
    }
    frame->flags &= ~TF;
}

asm("entry: sysretq");

USER static void stepped(void) {
    asm volatile("pushfq; orl $0x100, (%%rsp); popfq; syscall; after_syscall: nop" ::: "rcx", "r11", "memory");
    USER_RETURN();
}

void test(void) {
    handlers[DB_VECTOR] = note;
    wrmsr(EFER, rdmsr(EFER) | 1);
    wrmsr(STAR, (uint64_t)USER_CODE_32 << 48 | (uint64_t)KERNEL_CODE << 32);
    wrmsr(LSTAR, (word)entry);
    wrmsr(FMASK, TF | IF);
    run_user(stepped);
    check_equal(traps, 1, "traps of SYSCALL and SYSRET");
    check_equal(first_ip, (word)after_syscall, "where the trap of SYSRET is");
}
