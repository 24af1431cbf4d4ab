/* The single-step trap of HLT ends it: nothing else would here (SDM 2 HLT). */
#include "bare.h"

extern const char after_hlt[];
static volatile word last;

static void note(struct frame *frame) {
    last = frame->ip;
    frame->flags &= ~TF;
}

void test(void) {
    handlers[DB_VECTOR] = note;
    asm volatile("cli; pushf; orl $0x100, (%rsp); popf; hlt; after_hlt: nop");
    check_equal(last, (word)after_hlt, "trap after HLT");
}
