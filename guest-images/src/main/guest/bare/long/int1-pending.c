/* INT1 right after a MOV SS that has hit a data breakpoint is one #DB with both; INT 1 is two. */
#include "bare.h"

static volatile int traps;
static volatile word dr6;
static volatile uint16_t selector = KERNEL_DATA;

static void note(struct frame *frame) {
    (void)frame;
    dr6 |= read_dr6();
    traps++;
}

void test(void) {
    handlers[DB_VECTOR] = note;
    write_dr1((word)&selector);
    /* G1, reads and writes, two bytes. */
    write_dr7(8 | 3 << 20 | 1 << 22);
    write_dr6(0xffff0ff0);
    asm volatile("mov %0, %%ss; .byte 0xf1" ::"m"(selector));
    check_equal(traps, 1, "INT1");
    check_equal(dr6 & 15, 2, "DR6 of INT1");
    traps = 0;
    asm volatile("mov %0, %%ss; int $1" ::"m"(selector));
    check_equal(traps, 2, "INT 1");
    write_dr7(0);
}
