/* IA32_MISC_ENABLE takes MONITOR, CPUID leaves and execute-disable away (SDM 4, table 2-2); AMD's processors have no such register. */
#include "bare.h"

#define MISC_ENABLE 0x1a0
#define EFER 0xc0000080

static uint8_t line[64] __attribute__((aligned(64)));

static int try_monitor(void) {
    return TRY("monitor", , "a"(line) AND "c"(0) AND "d"(0));
}

void test(void) {
    if (!is_intel()) {
        check_equal(try_rdmsr(MISC_ENABLE), GP_VECTOR, "RDMSR");
        check_equal(try_wrmsr(MISC_ENABLE, 1), GP_VECTOR, "WRMSR");
        return;
    }
    uint64_t usual = rdmsr(MISC_ENABLE);
    check(usual >> 18 & 1 && cpuid(1, 0).c >> 3 & 1, "MONITOR is there");
    wrmsr(MISC_ENABLE, usual & ~(1ul << 18));
    check(!(cpuid(1, 0).c >> 3 & 1), "CPUID without MONITOR");
    check_equal(try_monitor(), UD_VECTOR, "MONITOR");
    wrmsr(MISC_ENABLE, usual | 1ul << 22);
    check_equal(cpuid(0, 0).a, 2, "CPUID limited");
    wrmsr(EFER, rdmsr(EFER) & ~(1ul << 11));
    wrmsr(MISC_ENABLE, usual | 1ul << 34);
    check(!(cpuid(0x80000001, 0).d >> 20 & 1), "CPUID without NX");
    check_equal(try_wrmsr(EFER, rdmsr(EFER) | 1ul << 11), GP_VECTOR, "EFER.NXE");
    wrmsr(MISC_ENABLE, usual);
    check_equal(try_monitor(), NO_VECTOR, "MONITOR again");
    check_equal(try_wrmsr(EFER, rdmsr(EFER) | 1ul << 11), NO_VECTOR, "EFER.NXE again");
    check_equal(try_wrmsr(MISC_ENABLE, usual | 2), GP_VECTOR, "a reserved bit");
}
