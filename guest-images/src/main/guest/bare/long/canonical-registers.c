/*
 * Registers take addresses that are canonical for as many levels of paging as the processor has, with CR4.LA57 clear
 * (SDM 1 3.3.7.1). Addresses that software uses must be canonical for the levels that are on. Breakpoints may be anywhere.
 */
#include "bare.h"

#define WIDE 0xff55555555555555ul
#define NONE 0x5555555555555555ul

struct table {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static int expected;

static void registers(uint64_t address, int vector) {
    expected = vector;
    static const uint32_t msrs[] = {0xc0000100, 0xc0000101, 0xc0000102, 0xc0000082, 0xc0000083};
    for (unsigned i = 0; i < sizeof(msrs) / sizeof(*msrs); i++) {
        check_equal(try_wrmsr(msrs[i], address), expected, "WRMSR");
    }
    struct table old, table;
    asm volatile("sgdt %0" : "=m"(old));
    table = old;
    table.base = address;
    check_equal(TRY("lgdt %0\nlgdt %1", , "m"(table) AND "m"(old)), expected, "LGDT");
    asm volatile("sidt %0" : "=m"(old));
    table = old;
    table.base = address;
    check_equal(TRY("lidt %0\nlidt %1", , "m"(table) AND "m"(old)), expected, "LIDT");
    /* A local descriptor table: type 2, present; bits 63 to 32 of its base are in the second half. */
    gdt[FREE_SELECTOR / 8] = 0xffff | (address & 0xffffff) << 16 | 0x82ull << 40 | (address >> 24 & 0xff) << 56;
    gdt[FREE_SELECTOR / 8 + 1] = address >> 32;
    check_equal(TRY("lldt %w0\nlldt %w1", , "r"(FREE_SELECTOR) AND "r"(0)), expected, "LLDT");
    write_cr4(read_cr4() | 1 << 16);
    check_equal(TRY("wrfsbase %0", , "r"(address)), expected, "WRFSBASE");
    struct {
        uint64_t pcid, address;
    } descriptor = {0, address};
    check_equal(TRY("invpcid %0, %1", , "m"(descriptor) AND "r"(0ul)), expected, "INVPCID");
}

void test(void) {
    check(cpuid(7, 0).c >> 16 & 1, "LA57");
    registers(WIDE, NO_VECTOR);
    registers(NONE, GP_VECTOR);
    check_equal(TRY("mov (%0), %%al", , "a"(WIDE)), GP_VECTOR, "access to what is not canonical here");
    check_equal(TRY("mov %0, %%dr3", , "r"(NONE)), NO_VECTOR, "DR3");
    asm volatile("mov %0, %%fs; mov %0, %%gs" ::"r"(KERNEL_DATA));
}
