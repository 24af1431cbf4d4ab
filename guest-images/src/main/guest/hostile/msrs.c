/* Model-specific registers, and control registers. */
#include "hostile.h"

/* Registers that are Xen's: a guest reads what it may and changes nothing. */
void test_msrs(void)
{
    static const uint32_t msrs[] = {0x1a0, 0x1d9, 0x10a, 0x122, 0x3a, 0x174, 0x175, 0x176, 0xc0000080, 0xc0000081,
                                    0xc0000082, 0xc0000083, 0xc0000084, 0x1b, 0x277, 0x480, 0xc0011027, 0xc0011019,
                                    0xc0010117, 0x6e0, 0x38f, 0x570, 0xdeadbeef};
    uint32_t efer, after;

    section("MSRs");
    __asm__ volatile("rdmsr" : "=a"(efer) : "c"(0xc0000080) : "edx");
    for (unsigned i = 0; i < ARRAY_LENGTH(msrs); i++) {
        TRY("movl %[msr], %%ecx; rdmsr", [msr] "r"(msrs[i]));
        check(caught.count == 0 || caught.vector == 13, "RDMSR 0x%x: %s", msrs[i], exception_name(caught.vector));
        TRY("movl %[msr], %%ecx; movl $-1, %%eax; movl $-1, %%edx; wrmsr", [msr] "r"(msrs[i]));
        check(caught.count == 0 || caught.vector == 13, "WRMSR 0x%x: %s", msrs[i], exception_name(caught.vector));
    }
    __asm__ volatile("rdmsr" : "=a"(after) : "c"(0xc0000080) : "edx");
    check_equal("EFER afterwards", after, efer);
    test_control_registers();
}
