/* Traps of 64-bit guests only: addresses that are not canonical, bases of segments, SYSCALL. */
#include "traps.h"

#define NONCANONICAL 0x8000000000000000ul

void test_faults_of_width(void)
{
    TRY(".byte 0xce");
    check_trap("INTO", 6, 0, 0);
    TRY("movabsq $0x8000000000000000, %%rax; movq (%%rax), %%rax");
    check_trap("non-canonical load", 13, 0, 10);
    if (strict) {
        TRY("pushq %%rbp; movabsq $0x8000000000000000, %%rbp; movq (%%rbp), %%rax; 2: popq %%rbp; jmp 3f; 2:; 3:");
        check_trap("non-canonical load by RBP", 12, 0, 11);
    }
}

void test_frames_of_width(void)
{
    struct trap_info bad[2] = {{0x90, 0, FLAT_RING3_CS64, NONCANONICAL}};

    TRY("ud2");
    check_equal("CS", caught.frame.cs, FLAT_RING3_CS64 & ~3);
    check_equal("SS", caught.frame.ss, FLAT_RING3_SS64);
    check_result("trap handler at a non-canonical address", hypercall_set_trap_table(bad), -XEN_EINVAL);
}

void test_emulation_of_width(void)
{
    uint64_t value;
    volatile uint64_t variable = 0x1234567890abcdef;

    value = read_msr(0xc0000080);
    check((value & 0x501) == 0x501, "EFER is 0x%lx", value);
    check_result("set_segment_base of FS", hypercall_set_segment_base(SEGBASE_FS, (uint64_t)&variable), 0);
    __asm__ volatile("movq %%fs:0, %0" : "=r"(value));
    check_equal("load through FS", value, variable);
    write_msr(0xc0000101, (uint64_t)&variable);
    __asm__ volatile("movq %%gs:0, %0" : "=r"(value));
    check_equal("load through GS", value, variable);
    check_result("non-canonical segment base", hypercall_set_segment_base(SEGBASE_FS, NONCANONICAL), -XEN_EINVAL);
}

void test_debug_of_width(void)
{
    check_result("DR0 in Xen's range", hypercall_set_debugreg(0, MACH2PHYS_VIRT_START), -XEN_EPERM);
}

void test_alignment(void)
{
    static uint64_t pair[2];

    section("alignment check");
    TRY("pushfq; orq $0x40000, (%%rsp); popfq; movq 1(%[address]), %%rax; pushfq; andq $~0x40000, (%%rsp); popfq",
        [address] "r"(pair));
    check(caught.count == 1 && caught.frame.vector == 17 && caught.frame.error_code == 0,
          "misaligned read with AC set raised %u traps, the last %s", caught.count,
          exception_name(caught.frame.vector));
}

extern const uint8_t user_read[], user_gs[], user_hypercall[], user_registers[];

void test_user_mode_of_width(void)
{
    trap_set_handler(VECTOR_SYSCALL, system_call);
    check_user_trap("non-canonical read", user_read, NONCANONICAL, 13, 0, 0);
    check_user_trap("hypercall from user mode", user_hypercall, 0, VECTOR_SYSCALL, 0, 11);
    check_equal("its RAX", caught.frame.ax, 17);

    hypercall_set_segment_base(SEGBASE_GS_USER, USER_CODE);
    user_run(user_gs, 0, USER_STACK + PAGE_SIZE);
    check_equal("load through GS in user mode", caught.frame.ax, *(const uint64_t *)user_code);

    user_run(user_registers, 0, USER_STACK + PAGE_SIZE);
    check_equal("system calls made", caught.count, 2);
    check_equal("registers that a system call changed", left_with, 0);
}

/* SYSCALL does not save CS: a hypercall returns on Xen's, wherever it was made. */
void test_ldt_of_width(void)
{
    uint64_t number = HYPERCALL_xen_version, before, after;

    __asm__ volatile("pushq $7; leaq 1f(%%rip), %%rcx; pushq %%rcx; lretq\n1: mov %%cs, %[before]; syscall; mov %%cs, %[after]"
                     : "+a"(number), [before] "=&b"(before), [after] "=&r"(after)
                     : "D"(0), "S"(0)
                     : "rcx", "r11", "memory");
    check_equal("CS before a hypercall", before, 7);
    check_equal("CS after a hypercall", after, FLAT_RING3_CS64);
}
