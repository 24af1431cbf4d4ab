/* SMAP: ring 0 reaches user pages only with RFLAGS.AC; SMEP: it never executes them (SDM 3A 4.6). */
#include "bare.h"

USER_DATA_SECTION static volatile uint64_t user_value = 7;

USER static void user_code(void) {}

static int try_read(void) {
    uint64_t value;
    return TRY("mov %1, %0", "=r"(value), "m"(user_value));
}

void test(void) {
    check_equal(try_read(), NO_VECTOR, "without SMAP");
    write_cr4(read_cr4() | 3 << 20);
    asm volatile("clac");
    check_equal(try_read(), PF_VECTOR, "with SMAP");
    check_equal(caught_error, 1, "error code of the read");
    check_equal(read_cr2(), (word)&user_value, "CR2");
    asm volatile("stac");
    check_equal(try_read(), NO_VECTOR, "with AC");
    check_equal(TRY("mov %1, %0", "=m"(user_value), "r"(8ul)), NO_VECTOR, "a write with AC");
    asm volatile("clac");
    check_equal(TRY("mov %1, %0", "=m"(user_value), "r"(9ul)), PF_VECTOR, "a write");
    check_equal(caught_error, 3, "error code of the write");
    check_equal(TRY("jmp *%0", , "r"(user_code)), PF_VECTOR, "SMEP");
    check_equal(caught_error, 17, "error code of the fetch");
    write_cr4(read_cr4() & ~(3ul << 20));
    check_equal(user_value, 8, "what was written");
}
