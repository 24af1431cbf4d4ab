/* IRET to ring 3 makes a ring 0 segment in GS null and leaves its base, which 64-bit code goes on to use (SDM 2 IRET). */
#include "bare.h"

#define GS_BASE 0xc0000101

USER_DATA_SECTION static volatile uint64_t value = 0x123456789abcdef0;

USER static void read_gs(void) {
    word seen;
    asm volatile("mov %%gs:8, %0" : "=a"(seen));
    asm volatile("int $0x80" ::"a"(seen));
}

USER static void read_selector(void) {
    word selector;
    asm volatile("mov %%gs, %0" : "=a"(selector));
    asm volatile("int $0x80" ::"a"(selector));
}

void test(void) {
    asm volatile("mov %0, %%gs" ::"r"(KERNEL_DATA));
    wrmsr(GS_BASE, (word)&value - 8);
    check_equal(run_user(read_gs), value, "read through GS");
    check_equal(run_user(read_selector), 0, "selector");
    check_equal(rdmsr(GS_BASE), (word)&value - 8, "base");
}
