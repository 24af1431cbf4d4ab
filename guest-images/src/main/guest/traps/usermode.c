/* User mode: traps out of it, system calls, the separation from the kernel, and what iret refuses. */
#include "traps.h"

extern const uint8_t user_ud[], user_divide[], user_read[], user_write[], user_jump[], user_push[], user_breakpoint[],
    user_int_allowed[], user_int_forbidden[], user_int_80[], user_privileged[], user_read_cr3[], user_step[], user_cpuid[],
    user_forced_cpuid[];

unsigned long left_with;

bool system_call(struct trap_frame *frame)
{
    if (!trap_from_user(frame))
        return false;
    caught.frame = *frame;
    caught.count++;
    switch (frame->ax) {
    case SYSCALL_RETURN:
        frame->ax = 0;
        return true;
    case SYSCALL_LEAVE:
        left_with = frame->di;
        user_leave(frame->vector);
    }
    user_leave(frame->vector);
}

void user_run(const uint8_t *piece, unsigned long di, unsigned long sp)
{
    struct trap_frame frame;

    user_frame_init(&frame, USER_CODE + (piece - user_code), sp);
    frame.di = di;
    caught.count = 0;
    caught.at = frame.ip;
    user_enter(&frame);
    events_enable();
}

void check_user_trap(const char *what, const uint8_t *piece, unsigned long di, unsigned vector, unsigned long error_code,
                     long offset)
{
    user_run(piece, di, USER_STACK + PAGE_SIZE);
    if (check_trap(what, vector, error_code, offset)) {
        check_equal("CS from user mode", caught.frame.cs & 0xffff, FLAT_USER_CS);
        check_equal("SS from user mode", caught.frame.ss & 0xffff, FLAT_USER_SS);
        check_equal("stack pointer from user mode", caught.sp & ~0x1ful, (USER_STACK + PAGE_SIZE) & ~0x1ful);
        /* Xen starts a frame for 64 bits at a multiple of 16. */
        check_equal("end of the frame", caught.end, this_cpu()->user_return & BY_WIDTH(~15ul, ~0ul));
        check((caught.frame.flags & 0x200) != 0, "flags from user mode 0x%lx", (unsigned long)caught.frame.flags);
    }
}

/* Xen reports the fault of its own IRETQ as a fault of the context that it was to return to. */
static void test_bad_iret(void)
{
    struct trap_frame frame;

    user_frame_init(&frame, USER_CODE, USER_STACK);
    frame.cs = 0x53;                           /* a null descriptor */
    caught.count = 0;
    caught.at = USER_CODE;
    user_enter(&frame);
    events_enable();
    if (check_trap("iret to a null descriptor in CS", 13, 0x50, 0))
        check_equal("its CS", caught.frame.cs & 0xffff, 0x53);
}

#define MSR_PLATFORM_INFO          0xce
#define PLATFORM_INFO_CPUID_FAULTING 0x80000000
#define MSR_MISC_FEATURES_ENABLES  0x140

/* Where there is CPUID faulting, it is for CPUID behind Xen's prefix too. */
static void test_cpuid_faulting(void)
{
    TRY("movl %[msr], %%ecx; rdmsr", [msr] "i"(MSR_PLATFORM_INFO));
    if (caught.count || !(read_msr(MSR_PLATFORM_INFO) & PLATFORM_INFO_CPUID_FAULTING))
        return;
    check_user_trap("UD2 behind CPUID", user_cpuid, 0, 6, 0, 2);
    check_user_trap("UD2 behind forced CPUID", user_forced_cpuid, 0, 6, 0, 7);
    write_msr(MSR_MISC_FEATURES_ENABLES, 1);
    check_user_trap("CPUID that faults", user_cpuid, 0, 13, 0, 0);
    check_user_trap("forced CPUID that faults", user_forced_cpuid, 0, 13, 0, 5);
    write_msr(MSR_MISC_FEATURES_ENABLES, 0);
}

/* A page of the LDT is mapped when it is first used, which may be by an iret. */
static void test_ldt(void)
{
    uint64_t *ldt = page_alloc();
    struct trap_frame frame;

    ldt[0] = USER_CODE_DESCRIPTOR;
    check_result("descriptors read-only", page_set_flags(ldt, PTE_KERNEL_RO), 0);
    check_result("set_ldt", mmuext(MMUEXT_SET_LDT, (unsigned long)ldt, 1), 0);
    user_frame_init(&frame, USER_CODE + (user_ud - user_code), USER_STACK);
    frame.cs = 7;
    caught.count = 0;
    caught.at = frame.ip;
    user_enter(&frame);
    events_enable();
    if (check_trap("UD2 in a segment of the LDT", 6, 0, 0))
        check_equal("its CS", caught.frame.cs & 0xffff, 7);
    test_ldt_of_width();
    check_result("no LDT", mmuext(MMUEXT_SET_LDT, 0, 0), 0);
    check_result("a page of data again", page_set_flags(ldt, PTE_KERNEL), 0);
}

void test_user_mode(void)
{
    unsigned long kernel_page = window_alloc(1);
    uint8_t *code;

    section("user mode");
    user_init();
    code = user_map_page(USER_CODE, false);
    user_map_page(USER_STACK, true);
    memcpy(code, user_code, user_code_end - user_code);
    map_page(kernel_page, mfn_to_pte(virt_to_mfn(page_alloc()), PTE_KERNEL));
    *(volatile uint64_t *)kernel_page = 1;     /* leaves a TLB entry that user mode must not profit from */

    check_user_trap("UD2", user_ud, 0, 6, 0, 0);
    check_user_trap("division by zero", user_divide, 0, 0, 0, 4);
    check_user_trap("read of an unmapped page", user_read, 0x1000, 14, 4, 0);
    check_equal("CR2", caught.cr2, 0x1000);
    check_user_trap("write to a read-only page", user_write, USER_CODE, 14, 7, 0);
    check_equal("CR2", caught.cr2, USER_CODE);
    /* In 64 bits it is not in the tables for user mode, in 32 bits it is there, for the kernel. */
    check_user_trap("read of a kernel page", user_read, kernel_page, 14, BY_WIDTH(4, 5), 0);
    check_user_trap("write to a kernel page", user_write, kernel_page, 14, BY_WIDTH(6, 7), 0);
    check_user_trap("INT3", user_breakpoint, 0, 3, 0, 1);
    if (strict) {
        check_user_trap("INT through a gate for user mode", user_int_allowed, 0, VECTOR_SOFTWARE, 0, 2);
        check_user_trap("INT through a gate for the kernel", user_int_forbidden, 0, 13, KERNEL_VECTOR * 8 + 2, 0);
    }
    check_user_trap("INT 0x80 without a gate", user_int_80, 0, 13, 0x80 * 8 + 2, 0);
    check_user_trap("HLT", user_privileged, 0, 13, 0, 0);
    check_user_trap("read of CR3", user_read_cr3, 0, 13, 0, 0);
    check_user_trap("single step", user_step, 0, 1, 0, SET_FLAGS_LENGTH + 1);

    user_run(user_push, 0, 0x2000);
    check_trap("push to an unmapped stack", 14, 6, 0);
    check_equal("CR2", caught.cr2, 0x2000 - sizeof(unsigned long));

    test_user_mode_of_width();
    test_bad_iret();
    if (strict) {
        test_cpuid_faulting();
        test_ldt();
    }
}
