/* IA32_PRED_CMD can only be written; AMD's legacy performance counters are there whatever CPUID says, and hold zero here. */
#include "bare.h"

#define PRED_CMD 0x49
#define PERF_LEGACY_CTL0 0xc0010000

void test(void) {
    check_equal(try_rdmsr(PRED_CMD), GP_VECTOR, "RDMSR of PRED_CMD");
    check_equal(try_wrmsr(PRED_CMD, 1), NO_VECTOR, "IBPB");
    check_equal(try_wrmsr(PRED_CMD, 1 << 4), GP_VECTOR, "a reserved command");
    for (int i = 0; i < 8; i++) {
        int vector = is_intel() ? GP_VECTOR : NO_VECTOR;
        check_equal(try_wrmsr(PERF_LEGACY_CTL0 + i, 0), vector, "WRMSR of a performance counter");
        check_equal(try_rdmsr(PERF_LEGACY_CTL0 + i), vector, "RDMSR of a performance counter");
    }
}
