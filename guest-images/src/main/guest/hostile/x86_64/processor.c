/* What goes wrong where a processor enters and leaves Xen: returns, debug exceptions, descriptor tables, bases, MSRs. */
#include "hostile.h"

#define KERNEL_CS (FLAT_RING3_CS64 & ~3ul)
#define KERNEL_SS (FLAT_RING3_SS64 & ~3ul)
#define DR7_WRITE_0 0x00010002ul
#define DR7_READ_WRITE_0_4 0x000f0002ul

/* The iret hypercall with this frame; falls through to what follows, as the frame says or by the fault's handler. */
#define IRET_TO(rip_, cs_, rflags_, ss_, flags_)                                                                       \
    TRY("movq %%rsp, %%rbx; pushq %[ss]; pushq %%rbx; pushq %[rflags]; pushq %[cs]; "                                  \
        "testq %[rip], %[rip]; jnz 1f; pushq %%rax; jmp 2f; 1: pushq %[rip]; 2: pushq %[flags]; "                      \
        "pushq $0; pushq $0; pushq $0; movl $23, %%eax; syscall",                                                      \
        [rip] "r"((uint64_t)(rip_)), [cs] "r"((uint64_t)(cs_)), [rflags] "r"((uint64_t)(rflags_)),                     \
        [ss] "r"((uint64_t)(ss_)), [flags] "r"((uint64_t)(flags_)))

void make_kernel_context(struct trap_frame *frame)
{
    frame->cs = KERNEL_CS;
    frame->ss = KERNEL_SS;
}

static uint64_t flags_now(void)
{
    uint64_t flags;

    __asm__ volatile("pushfq; popq %0" : "=r"(flags));
    return flags;
}

/* SYSRET to an address that is not canonical faults in ring 0 on some processors: the fault is to be the guest's. */
static void test_return_addresses(void)
{
    static const uint64_t addresses[] = {NONCANONICAL, 0xffff7ffffffffffful, 0x7ffffffffffful + 1, 1ul << 63};

    section("returns to non-canonical addresses");
    for (unsigned i = 0; i < ARRAY_LENGTH(addresses); i++) {
        IRET_TO(addresses[i], KERNEL_CS, 0x202, KERNEL_SS, VGCF_in_syscall);
        check(caught.count == 1 && caught.vector == 13, "SYSRET to 0x%lx: %u traps, the last %s", addresses[i],
              caught.count, exception_name(caught.vector));
        IRET_TO(addresses[i], KERNEL_CS, 0x202, KERNEL_SS, 0);
        check(caught.count == 1 && caught.vector == 13, "IRET to 0x%lx: %u traps, the last %s", addresses[i],
              caught.count, exception_name(caught.vector));
    }
    IRET_TO(MACH2PHYS_VIRT_START, KERNEL_CS, 0x202, KERNEL_SS, VGCF_in_syscall);
    check(caught.count == 1, "return into Xen's range: %u traps", caught.count);
}

/* Selectors of Xen's own descriptors, of gates, of nothing. */
static void test_return_selectors(void)
{
    static const uint64_t selectors[] = {0, 8, 0x10, 0xe008, 0xe010, 0xe02b, 0xe040, 0xe050, 0xfff8, 0xffff, 0xe064};

    section("returns to selectors of Xen's");
    for (unsigned i = 0; i < ARRAY_LENGTH(selectors); i++) {
        if ((selectors[i] & 3) == 3)
            continue;                          /* user mode: see "case=user" */
        IRET_TO(0, selectors[i], 0x202, KERNEL_SS, 0);
        check(caught.count == 1, "return to CS 0x%lx: %u traps", selectors[i], caught.count);
    }
    IRET_TO(0, KERNEL_CS, 0x202, 0xe008, 0);
    check(caught.count == 1, "return to SS 0xe008: %u traps", caught.count);
    IRET_TO(0, KERNEL_CS, 0x202, KERNEL_SS, 0);
    check(caught.count == 0, "a good return: %u traps, the last %s", caught.count, exception_name(caught.vector));
}

/* Neither interrupts off nor I/O privileges are to be had by a return's flags. */
static void test_return_flags(void)
{
    uint64_t flags;

    section("flags of returns");
    IRET_TO(0, KERNEL_CS, 0x3002 | 1ul << 14, KERNEL_SS, 0);   /* IF off, IOPL 3, NT */
    flags = flags_now();
    events_enable();
    check((flags & 0x200) != 0, "interrupts are off: RFLAGS 0x%lx", flags);
    check((flags & 0x3000) == 0, "IOPL is 3: RFLAGS 0x%lx", flags);
    IRET_TO(0, KERNEL_CS, 0x202 | 1ul << 17 | 1ul << 19 | 1ul << 20, KERNEL_SS, 0);   /* VM, VIF, VIP */
    check((flags_now() & 1ul << 17) == 0, "virtual-8086 mode: RFLAGS 0x%lx", flags_now());
    IRET_TO(0, KERNEL_CS, 0x202, KERNEL_SS, 0);
    TRY("pushq $0x3002; popfq; sti; cli; nop");
    check((flags_now() & 0x200) != 0, "POPF or CLI turned interrupts off: RFLAGS 0x%lx", flags_now());
    TRY("movl $0x20, %%edx; xorl %%eax, %%eax; outb %%al, %%dx");
    check(caught.count == 0 || caught.vector == 13, "OUT: %s", exception_name(caught.vector));
}

/* A debug exception that is held back by MOV SS, and then comes at the first instruction of Xen's. */
static void test_debug_entry(void)
{
    static volatile uint64_t selector = FLAT_RING3_SS64;

    section("debug exceptions on the way in");
    check_result("DR0", hypercall_set_debugreg(0, (uint64_t)&selector), 0);
    check_result("DR7", hypercall_set_debugreg(7, DR7_READ_WRITE_0_4), 0);
    TRY("movl $17, %%eax; xorl %%edi, %%edi; xorl %%esi, %%esi; movw (%[where]), %%ss; syscall", [where] "r"(&selector));
    check(caught.vector == 1 || caught.count == 0, "MOV SS and SYSCALL: %s", exception_name(caught.vector));
    TRY("movw (%[where]), %%ss; int3", [where] "r"(&selector));
    check(caught.count >= 1, "MOV SS and INT3: %u traps", caught.count);
    TRY("movw (%[where]), %%ss; int $0x80", [where] "r"(&selector));
    check(caught.count >= 1, "MOV SS and INT 0x80: %u traps", caught.count);
    TRY("movw (%[where]), %%ss; ud2", [where] "r"(&selector));
    check(caught.count >= 1, "MOV SS and UD2: %u traps", caught.count);
    TRY("movw (%[where]), %%ss; .byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; cpuid", [where] "r"(&selector));
    check(caught.count <= 2, "MOV SS and emulated CPUID: %u traps", caught.count);
    hypercall_set_debugreg(7, 0);
    hypercall_set_debugreg(6, 0);
    TRY("movl $17, %%eax; xorl %%edi, %%edi; xorl %%esi, %%esi; pushfq; orq $0x100, (%%rsp); popfq; syscall; nop");
    check(caught.count >= 1 && caught.vector == 1, "single step over a hypercall: %u traps, the last %s", caught.count,
          exception_name(caught.vector));
    check(caught.ip >= VIRT_BASE, "it came at 0x%lx", caught.ip);
}

static unsigned sysenters;

static bool sysenter(struct trap_frame *frame)
{
    sysenters++;
    /* SYSENTER keeps neither where it was nor the stack. */
    frame->ip = caught.resume;
    frame->sp = frame->bx;
    frame->flags = 0x202;
    frame->cs = FLAT_RING3_CS64 & ~3;
    frame->ss = FLAT_RING3_SS64 & ~3;
    return true;
}

/* With NT, TF and DF, with a stack that is none: whatever comes of it comes to the guest. */
static void test_sysenter(void)
{
    section("SYSENTER");
    trap_set_handler(VECTOR_SYSENTER, sysenter);
    TRY("movq %%rsp, %%rbx; sysenter");
    check(caught.count + sysenters == 1, "SYSENTER: %u traps, %u entries", caught.count, sysenters);
    sysenters = 0;
    TRY("movq %%rsp, %%rbx; pushfq; orq $0x4400, (%%rsp); popfq; sysenter");
    check(caught.count + sysenters >= 1, "SYSENTER with NT: %u traps, %u entries", caught.count, sysenters);
    trap_set_handler(VECTOR_SYSENTER, NULL);
    events_enable();
}

static void test_debug_registers(void)
{
    static const uint64_t mine = VIRT_BASE;

    section("debug registers");
    for (unsigned i = 0; i < 4; i++) {
        check_result("breakpoint in Xen's range", hypercall_set_debugreg(i, 0xffff82d040200000ul), -XEN_EPERM);
        check(hypercall_set_debugreg(i, NONCANONICAL) < 0, "a breakpoint at a non-canonical address");
    }
    check_result("DR0", hypercall_set_debugreg(0, mine), 0);
    check(hypercall_set_debugreg(7, 1ul << 13) < 0, "general detect");
    check(hypercall_set_debugreg(7, 0x00020001) < 0 || (hypercall_get_debugreg(7) & 0x30000) != 0x20000,
          "a breakpoint for I/O");
    hypercall_set_debugreg(7, 0xffffffff00000000ul);
    check((uint64_t)hypercall_get_debugreg(7) >> 32 == 0, "upper half of DR7 is 0x%lx", hypercall_get_debugreg(7));
    hypercall_set_debugreg(6, ~0ul);
    check((uint64_t)hypercall_get_debugreg(6) >> 32 == 0, "upper half of DR6 is 0x%lx", hypercall_get_debugreg(6));
    check(hypercall_set_debugreg(~0ul, 0) < 0, "a debug register -1");
    hypercall_set_debugreg(7, 0);
    hypercall_set_debugreg(0, 0);
}

/* Tables end where they end, and start where the guest may read. */
static void test_descriptor_tables(void)
{
    uint64_t ldt = window_alloc(1);
    uint64_t *page = page_alloc(), mfn = virt_to_mfn(page);
    static const uint64_t frames[] = {0, ~0ul, 1ul << 40};

    section("descriptor tables");
    for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
        page[i] = 0x00cff2000000ffff;
    check_result("unmapping", hypercall_update_va_mapping((uint64_t)page, 0, UVMF_INVLPG | UVMF_ALL), 0);
    check_result("read-only mapping", map_page(ldt, mfn_to_pte(mfn, PTE_KERNEL_RO)), 0);
    check_result("LDT that is not aligned", mmuext(MMUEXT_SET_LDT, ldt + 8, 8), -XEN_EINVAL);
    check_result("LDT of too many entries", mmuext(MMUEXT_SET_LDT, ldt, 8193), -XEN_EINVAL);
    check_result("LDT in Xen's range", mmuext(MMUEXT_SET_LDT, MACH2PHYS_VIRT_START, 8), -XEN_EINVAL);
    check_result("LDT at a non-canonical address", mmuext(MMUEXT_SET_LDT, NONCANONICAL, 8), -XEN_EINVAL);
    check_result("LDT of 8", mmuext(MMUEXT_SET_LDT, ldt, 8), 0);
    TRY("movl $7 * 8 + 7, %%ecx; movl %%ecx, %%es");
    check(caught.count == 0, "the last of 8 entries: %u traps, %s(0x%lx)", caught.count, exception_name(caught.vector),
          caught.error_code);
    TRY("movl $8 * 8 + 7, %%ecx; movl %%ecx, %%es");
    check(caught.count == 1 && caught.vector == 13, "an entry beyond the limit: %u traps", caught.count);
    TRY("movl $8191 * 8 + 7, %%ecx; movl %%ecx, %%es");
    check(caught.count == 1 && caught.vector == 13, "the last entry that there can be: %u traps", caught.count);
    check_result("LDT of 8192 over memory that is not there", mmuext(MMUEXT_SET_LDT, ldt, 8192), 0);
    TRY("movl $8191 * 8 + 7, %%ecx; movl %%ecx, %%es");
    check(caught.count == 1, "an entry on an unmapped page: %u traps", caught.count);
    TRY("xorl %%ecx, %%ecx; movl %%ecx, %%es");
    check_result("LDT of nothing", mmuext(MMUEXT_SET_LDT, 0, 0), 0);
    TRY("movl $7, %%ecx; movl %%ecx, %%es");
    check(caught.count == 1 && caught.vector == 13, "an entry of no LDT: %u traps", caught.count);
    for (unsigned i = 0; i < ARRAY_LENGTH(frames); i++)
        check(hypercall_set_gdt(&frames[i], 8) < 0, "a GDT in frame 0x%lx", frames[i]);
    check(hypercall_set_gdt((const uint64_t *)MACH2PHYS_VIRT_START, 8) < 0, "a list of frames in Xen's range");
    check_result("unmapping", hypercall_update_va_mapping(ldt, 0, UVMF_INVLPG | UVMF_ALL), 0);
    check_result("mapping again", hypercall_update_va_mapping((uint64_t)page, mfn_to_pte(mfn, PTE_KERNEL), UVMF_INVLPG), 0);
    page_free(page);
}

/* Far branches are emulated for gates: not through tables' ends, not into Xen's segments. */
static void test_far_branches(void)
{
    static const uint16_t selectors[] = {8, 0x10, 0xe008, 0xe040, 0xe050, 0xfff8, 0xffff, 7, 0xfffc};
    static struct __attribute__((packed)) {
        uint32_t offset;
        uint16_t selector;
    } target;

    section("far branches");
    for (unsigned i = 0; i < ARRAY_LENGTH(selectors); i++) {
        target.selector = selectors[i];
        TRY("movq %%rsp, %%rbx; lcall *(%[where])", [where] "r"(&target));
        check(caught.count == 1 && caught.vector == 13, "far call to 0x%x: %u traps, the last %s", selectors[i],
              caught.count, exception_name(caught.vector));
        TRY("ljmp *(%[where])", [where] "r"(&target));
        check(caught.count == 1 && caught.vector == 13, "far jump to 0x%x: %u traps, the last %s", selectors[i],
              caught.count, exception_name(caught.vector));
    }
}

static void test_bases(void)
{
    static const uint64_t bad[] = {NONCANONICAL, 1ul << 63, 0xffff7ffffffff000ul};

    section("segment bases");
    for (unsigned i = 0; i < ARRAY_LENGTH(bad); i++) {
        for (unsigned which = SEGBASE_FS; which <= SEGBASE_GS_KERNEL; which++)
            check_result("a non-canonical base", hypercall_set_segment_base(which, bad[i]), -XEN_EINVAL);
        for (uint32_t msr = 0xc0000100; msr <= 0xc0000102; msr++) {
            TRY("movl %[msr], %%ecx; movq %[base], %%rax; movq %%rax, %%rdx; shrq $32, %%rdx; wrmsr", [msr] "r"(msr),
                [base] "r"(bad[i]));
            check(caught.count == 1 && caught.vector == 13, "WRMSR 0x%x: %u traps", msr, caught.count);
        }
    }
    check(hypercall_set_segment_base(99, 0) < 0, "base number 99");
    check(hypercall_set_segment_base(SEGBASE_GS_USER_SEL, 0xfffc) <= 0, "a GS beyond the tables");
    hypercall_set_segment_base(SEGBASE_GS_USER_SEL, 0);
}

/* Bases stay those of the vCPU that set them, whoever runs in between. */
static void test_bases_kept(void)
{
    static const uint64_t bases[] = {0x123456789000, VIRT_BASE, 0x7fffffff0000};
    uint64_t value;

    section("segment bases over switches");
    for (unsigned i = 0; i < ARRAY_LENGTH(bases); i++) {
        for (unsigned which = SEGBASE_FS; which <= SEGBASE_GS_KERNEL; which++)
            hypercall_set_segment_base(which, bases[(which + i) % ARRAY_LENGTH(bases)]);
        sleep_until(system_time() + 20 * NS_PER_MS);
        __asm__ volatile("rdmsr; shlq $32, %%rdx; orq %%rdx, %%rax" : "=a"(value) : "c"(0xc0000100) : "rdx");
        check_equal("base of FS", value, bases[(SEGBASE_FS + i) % ARRAY_LENGTH(bases)]);
        __asm__ volatile("rdmsr; shlq $32, %%rdx; orq %%rdx, %%rax" : "=a"(value) : "c"(0xc0000101) : "rdx");
        check_equal("base of GS", value, bases[(SEGBASE_GS_KERNEL + i) % ARRAY_LENGTH(bases)]);
    }
    for (unsigned which = SEGBASE_FS; which <= SEGBASE_GS_KERNEL; which++)
        hypercall_set_segment_base(which, 0);
}

/* What Xen takes of control registers, and what not. */
void test_control_registers(void)
{
    TRY("movq %%cr4, %%rbx; movq %%rbx, %%rax; orq $0x100, %%rax; btrq $5, %%rax; movq %%rax, %%cr4; movq %%rbx, %%cr4");
    check(caught.count == 0 || caught.vector == 13, "MOV to CR4: %s", exception_name(caught.vector));
    TRY("movq %%cr0, %%rbx; movq %%rbx, %%rax; btrq $31, %%rax; btrq $16, %%rax; movq %%rax, %%cr0");
    check(caught.count == 0 || caught.vector == 13, "MOV to CR0: %s", exception_name(caught.vector));
    TRY("movq $-1, %%rax; movq %%rax, %%cr3");
    check(caught.count == 1, "MOV to CR3 of -1: %u traps", caught.count);
}

/* Emulated port accesses that start on one page and end on another that is not there. */
static void test_string_io(void)
{
    uint64_t window = window_alloc(2);

    section("string I/O");
    map_page(window, mfn_to_pte(virt_to_mfn(page_alloc()), PTE_KERNEL));
    map_page(window + PAGE_SIZE, 0);
    TRY("movl $0x71, %%edx; movq %[at], %%rsi; outsl", [at] "r"(window + PAGE_SIZE - 2));
    check(caught.count == 1, "OUTS over the end of a page: %u traps", caught.count);
    TRY("movl $0x71, %%edx; movq %[at], %%rdi; insl", [at] "r"(window + PAGE_SIZE - 2));
    check(caught.count == 1, "INS over the end of a page: %u traps", caught.count);
    TRY("movl $0x71, %%edx; movq %[at], %%rdi; movl $64, %%ecx; rep insl", [at] "r"(MACH2PHYS_VIRT_START));
    check(caught.count == 1, "INS into Xen's range: %u traps", caught.count);
    TRY("movl $0x71, %%edx; movq %[at], %%rsi; movl $64, %%ecx; rep outsb", [at] "r"(0xffff82d040200000ul));
    check(caught.count == 1, "OUTS from Xen's range: %u traps", caught.count);
}

void test_iret_in_list(struct multicall_entry *calls)
{
    TRY("movq %%rsp, %%rbx; pushq $0xe028; pushq %%rbx; pushq $0x202; pushq $0xe030; pushq %%rax; pushq $0; "
        "pushq $0; pushq $0; pushq $0; movl $13, %%eax; movq %[list], %%rdi; movl $2, %%esi; syscall; ud2",
        [list] "r"(calls));
    check(caught.count == 0, "iret in a list: %u traps, the last %s", caught.count, exception_name(caught.vector));
    check_equal("result of the call after it", calls[1].result, 99);
}

void test_processor(void)
{
    test_return_addresses();
    test_return_selectors();
    test_return_flags();
    test_debug_entry();
    test_sysenter();
    test_debug_registers();
    test_descriptor_tables();
    test_far_branches();
    test_bases();
    test_bases_kept();
    test_msrs();
    test_string_io();
}
