/* No single-step trap follows INT n into its handler; the next is after the IRET that brings TF back and one more instruction. */
#include "bare.h"

extern const char after_int[];
static volatile int traps;
static volatile word ip[4];

static void note(struct frame *frame) {
    if (traps < 4) {
        ip[traps] = frame->ip;
    }
    if (++traps == 1) {
        frame->flags &= ~TF;
    }
}

static void nothing(struct frame *frame) {
    (void)frame;
}

void test(void) {
    handlers[DB_VECTOR] = note;
    handlers[0x81] = nothing;
    asm volatile("pushf; orl $0x100, (%rsp); popf; int $0x81; after_int: nop; nop");
    check_equal(traps, 1, "traps");
    check_equal(ip[0], (word)after_int + 1, "where the trap is");
}
