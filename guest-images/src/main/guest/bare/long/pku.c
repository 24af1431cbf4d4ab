/* Protection keys for user pages: PKRU's access-disable and write-disable bits (SDM 3A 4.6.2). */
#include "bare.h"

USER_DATA_SECTION static volatile uint64_t keyed[512] __attribute__((aligned(4096)));

static void write_pkru(uint32_t value) { asm volatile("wrpkru" ::"a"(value), "c"(0), "d"(0)); }

static int try_read(void) {
    uint64_t value;
    return TRY("mov %1, %0", "=r"(value), "m"(keyed[0]));
}

static int try_write(void) {
    return TRY("mov %1, %0", "=m"(keyed[0]), "r"(1ul));
}

void test(void) {
    uint32_t low, high;
    check_equal(TRY("rdpkru", "=a"(low) AND "=d"(high), "c"(0)), UD_VECTOR, "without CR4.PKE");
    write_cr4(read_cr4() | 1 << 22);
    check(cpuid(7, 0).c >> 4 & 1, "OSPKE");
    /* Key 5 in bits 62 to 59. */
    first_table[(word)keyed / PAGE_SIZE] |= 5ul << 59;
    write_cr3(read_cr3());
    write_pkru(0);
    check_equal(try_read(), NO_VECTOR, "nothing disabled");
    write_pkru(1 << 10);
    check_equal(try_read(), PF_VECTOR, "access disabled");
    check_equal(caught_error, 0x21, "error code of the read");
    write_pkru(1 << 11);
    check_equal(try_read(), NO_VECTOR, "a read, write disabled");
    check_equal(try_write(), PF_VECTOR, "a write, write disabled");
    check_equal(caught_error, 0x23, "error code of the write");
    write_cr0(read_cr0() & ~(1ul << 16));
    check_equal(try_write(), NO_VECTOR, "ring 0 without CR0.WP");
    write_cr0(read_cr0() | 1ul << 16);
    write_pkru(3 << 8);
    check_equal(try_write(), NO_VECTOR, "another key");
}
