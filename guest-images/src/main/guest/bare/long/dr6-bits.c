/* B0 to B3 of DR6 are set and cleared by each #DB; the other bits stay until software clears them (SDM 3B 18.2.3). */
#include "bare.h"

extern const char watched_code[];
static volatile word dr6;

static void note(struct frame *frame) {
    dr6 = read_dr6();
    frame->flags = (frame->flags & ~TF) | RF;
}

void test(void) {
    handlers[DB_VECTOR] = note;
    write_dr6(0xffff0ff0 | 1 << 14 | 2);
    write_dr2((word)watched_code);
    write_dr7(1 << 5);
    asm volatile("watched_code: nop");
    check_equal(dr6, 0xffff0ff0 | 1 << 14 | 4, "a breakpoint, after a single step that nobody has cleared");
    write_dr7(0);
    write_dr6(0xffff0ff0 | 8);
    asm volatile("pushf; orl $0x100, (%rsp); popf; nop");
    check_equal(dr6, 0xffff0ff0 | 1 << 14, "a single step, after a breakpoint");
}
