/* A breakpoint on the instruction after MOV SS is held back by Intel's processors, not by AMD's (SDM 3A 6.8.3). */
#include "bare.h"

extern const char after_mov_ss[], later[];
static volatile int traps;

static void count(struct frame *frame) {
    traps++;
    frame->flags |= RF;
}

static void __attribute__((noinline)) load_ss(void) {
    asm volatile("mov %w0, %%ss\nafter_mov_ss: nop\nlater: nop" ::"r"(KERNEL_DATA));
}

void test(void) {
    handlers[DB_VECTOR] = count;
    write_dr0((word)after_mov_ss);
    write_dr1((word)later);
    write_dr7(1 << 1);
    load_ss();
    check_equal(traps, is_intel() ? 0 : 1, "right after MOV SS");
    traps = 0;
    write_dr7(1 << 3);
    load_ss();
    check_equal(traps, 1, "one instruction later");
    write_dr7(0);
}
