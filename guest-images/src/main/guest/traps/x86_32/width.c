/* Traps of 32-bit guests only: what ring 1 is, the instructions that 64-bit mode has not, the ways into the kernel. */
#include "traps.h"

void test_faults_of_width(void)
{
    static const int32_t bounds[2] = {0, 10};

    TRY("xorl %%eax, %%eax; .byte 0xce");
    check_no_trap("INTO without overflow");
    TRY("movb $0x7f, %%al; addb $1, %%al; .byte 0xce");
    check_trap("INTO", 4, 0, 5);
    TRY("movl $10, %%eax; boundl %%eax, %[bounds]", [bounds] "m"(bounds));
    check_no_trap("BOUND within bounds");
    TRY("movl $11, %%eax; boundl %%eax, %[bounds]", [bounds] "m"(bounds));
    check_trap("BOUND", 5, 0, 5);
    /* Ring 0 is Xen's. */
    TRY("movl $0xe010, %%eax; movl %%eax, %%es");
    check_trap("Xen's data segment in ES", 13, 0xe010, 5);
}

static unsigned handler_cs;

static bool note_cs(struct trap_frame *frame)
{
    uint32_t cs;

    __asm__ volatile("movl %%cs, %0" : "=r"(cs));
    handler_cs = cs;
    frame->ip = caught.resume;
    return true;
}

void test_frames_of_width(void)
{
    struct trap_info ring0[2] = {{6, TI_MASK_EVENTS, FLAT_KERNEL_CS & ~3, (unsigned long)exception_entries[6]}};
    unsigned long sp;

    /* No change of the stack, so neither ESP nor SS: the frame ends where the stack did. */
    TRY("movl %%esp, %[sp]; ud2", [sp] "m"(sp));
    check_equal("CS", caught.frame.cs, FLAT_KERNEL_CS);
    check_equal("end of a frame without ESP and SS", caught.sp, sp);

    /* A selector for ring 0 gets the kernel's ring. */
    check_result("set_trap_table with a selector of RPL 0", hypercall_set_trap_table(ring0), 0);
    handler_cs = 0;
    trap_set_handler(6, note_cs);
    TRY("ud2");
    check_equal("CS in the handler", handler_cs, FLAT_KERNEL_CS);
    trap_set_handler(6, catch_trap);
    trap_set_gate(6, TI_MASK_EVENTS, exception_entries[6]);
}

void test_emulation_of_width(void)
{
    uint64_t efer = read_msr(0xc0000080);

    check((efer & 0x500) == 0, "EFER shows long mode: 0x%llx", (unsigned long long)efer);
    check_result("set_segment_base of FS", hypercall_set_segment_base(SEGBASE_FS, 0), -XEN_ENOSYS);
    check_result("NEW_USER_BASEPTR", mmuext(MMUEXT_NEW_USER_BASEPTR, virt_to_mfn((const void *)start_info->pt_base), 0),
                 -XEN_EINVAL);
    TRY("movl $0xc0000100, %%ecx; rdmsr");
    check_trap("RDMSR of the base of FS", 13, 0, 5);
}

void test_debug_of_width(void) {}

/* Alignment is checked in ring 3 only. */
void test_alignment(void)
{
    static uint64_t pair[2];

    section("alignment check");
    TRY(SET_FLAGS("$0x40000") "movl 1(%[address]), %%eax; pushfl; andl $~0x40000, (%%esp); popfl", [address] "r"(pair));
    check_no_trap("misaligned read in ring 1 with AC set");
}

extern const uint8_t user_read[], user_misaligned[], user_selector[], user_hypercall[], user_syscall[], user_sysenter[],
    user_registers[];

static bool is_amd(void)
{
    uint32_t eax = 0, ebx, ecx, edx;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    return ecx == 0x444d4163;                  /* AuthenticAMD */
}

/* In compatibility mode Intel's processors have SYSENTER, and AMD's SYSCALL. The other is no instruction there. */
static void test_fast_system_calls(void)
{
    trap_set_handler(VECTOR_SYSCALL32, system_call);
    trap_set_handler(VECTOR_SYSENTER, system_call);
    if (is_amd()) {
        check_user_trap("SYSCALL", user_syscall, 0, VECTOR_SYSCALL32, 0, 7);
        check_equal("its EAX", caught.frame.ax, 17);
        check_user_trap("SYSENTER", user_sysenter, 0, 6, 0, 5);
        return;
    }
    check_user_trap("SYSCALL", user_syscall, 0, 6, 0, 5);
    /* It keeps neither the instruction pointer nor the stack. */
    user_run(user_sysenter, 0, USER_STACK + PAGE_SIZE);
    check(caught.count == 1 && caught.frame.vector == VECTOR_SYSENTER, "SYSENTER: %u traps, the last %s", caught.count,
          exception_name(caught.frame.vector));
    check_equal("its EAX", caught.frame.ax, 17);
    check(trap_from_user(&caught.frame), "SYSENTER from user mode has CS 0x%x", caught.frame.cs);
}

void test_user_mode_of_width(void)
{
    user_run(user_read, MACH2PHYS_VIRT_START, USER_STACK + PAGE_SIZE);
    check(caught.count == 1 && caught.frame.vector == 14 && (caught.frame.error_code & 6) == 4,
          "read of the M2P table from user mode: %u traps, the last %s(0x%x)", caught.count,
          exception_name(caught.frame.vector), caught.frame.error_code);
    check_user_trap("the kernel's data segment in ES", user_selector, FLAT_KERNEL_DS, 13, FLAT_KERNEL_DS & ~3, 0);
    check_user_trap("misaligned read with AC set", user_misaligned, USER_STACK, 17, 0, SET_FLAGS_LENGTH);
    check_user_trap("INT 0x82", user_hypercall, 0, 13, 0x82 * 8 + 2, 9);
    test_fast_system_calls();

    trap_set_gate(0x80, 3, software_entry);
    trap_set_handler(VECTOR_SOFTWARE, system_call);
    user_run(user_registers, 0, USER_STACK + PAGE_SIZE);
    check_equal("system calls made", caught.count, 2);
    check_equal("registers that a system call changed", left_with, 0);
    trap_set_handler(VECTOR_SOFTWARE, catch_trap);
}

void test_ldt_of_width(void) {}
