/* UMIP: SGDT, SIDT, SLDT, STR and SMSW raise #GP outside ring 0 (SDM 3A 2.5). */
#include "bare.h"

USER static void smsw(void) { asm volatile("mov $0, %%eax; smsw %%eax; int $0x80" ::: "rax"); }
USER static void sldt(void) { asm volatile("mov $0, %%eax; sldt %%eax; int $0x80" ::: "rax"); }
USER static void str(void) { asm volatile("mov $0, %%eax; str %%eax; int $0x80" ::: "rax"); }
USER static void sgdt(void) { asm volatile("sgdt -64(%%rsp); mov $1, %%eax; int $0x80" ::: "rax"); }
USER static void sidt(void) { asm volatile("sidt -64(%%rsp); mov $1, %%eax; int $0x80" ::: "rax"); }
USER static void give_up(void) { asm volatile("mov $0x1234, %eax; int $0x80"); }

static volatile word error;

static void refused(struct frame *frame) {
    error = frame->error;
    frame->ip = (word)give_up;
}

void test(void) {
    void (*const code[])(void) = {smsw, sldt, str, sgdt, sidt};
    handlers[GP_VECTOR] = refused;
    for (int i = 0; i < 5; i++) {
        check(run_user(code[i]) != 0x1234, "without UMIP");
    }
    write_cr4(read_cr4() | 1 << 11);
    for (int i = 0; i < 5; i++) {
        error = 1;
        check_equal(run_user(code[i]), 0x1234, "with UMIP");
        check_equal(error, 0, "error code");
    }
    word msw;
    asm volatile("smsw %0" : "=r"(msw));
    check(msw & 1, "ring 0");
}
