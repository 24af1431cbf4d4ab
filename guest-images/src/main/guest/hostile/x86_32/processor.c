/* What goes wrong where a processor enters and leaves Xen, from ring 1: returns, debug exceptions, descriptor tables, segments. */
#include "hostile.h"

#define DR7_READ_WRITE_0_4 0x000f0002ul

/* The iret hypercall with this frame, to the instruction after it: as the frame says, or by the fault's handler. */
#define IRET_TO(cs_, flags_)                                                                                           \
    TRY("pushl %[flags]; pushl %[cs]; pushl $9f; pushl $0; movl $23, %%eax; int $0x82", [cs] "ri"(cs_),                \
        [flags] "ri"(flags_))

void make_kernel_context(struct trap_frame *frame) { frame->cs = FLAT_KERNEL_CS; }

void test_iret_in_list(struct multicall_entry *calls)
{
    TRY("pushl $0x202; pushl %[cs]; pushl $9f; pushl $0; movl $13, %%eax; movl %[list], %%ebx; movl $2, %%ecx; int $0x82; ud2",
        [cs] "i"(FLAT_KERNEL_CS), [list] "r"(calls));
    check(caught.count == 0, "iret in a list: %u traps, the last %s", caught.count, exception_name(caught.vector));
    check_equal("result of the call after it", calls[1].result, 99);
}

static uint32_t flags_now(void)
{
    uint32_t flags;

    __asm__ volatile("pushfl; popl %0" : "=r"(flags));
    return flags;
}

/* Selectors of Xen's own descriptors, of gates, of nothing. Those for ring 0 end the domain: see "case=ring0". */
static void test_return_selectors(void)
{
    static const uint32_t selectors[] = {1, 9, 0x11, 0xe009, 0xe011, 0xe021, 0xe041, 0xe051, 0xfff9, 0xfffd, 0xe029};

    section("returns to selectors of Xen's");
    for (unsigned i = 0; i < ARRAY_LENGTH(selectors); i++) {
        IRET_TO(selectors[i], 0x202);
        check(caught.count == 1, "return to CS 0x%x: %u traps", selectors[i], caught.count);
    }
    TRY("pushl $0x202; pushl %[cs]; pushl %[ip]; pushl $0; movl $23, %%eax; int $0x82", [cs] "i"(FLAT_KERNEL_CS),
        [ip] "i"(MACH2PHYS_VIRT_START));
    check(caught.count == 1 && caught.vector == 14, "return into Xen's range: %u traps", caught.count);
    IRET_TO(FLAT_KERNEL_CS, 0x202);
    check(caught.count == 0, "a good return: %u traps, the last %s", caught.count, exception_name(caught.vector));
}

/* Neither interrupts off nor I/O privileges are to be had by a return's flags. */
static void test_return_flags(void)
{
    uint32_t flags;

    section("flags of returns");
    IRET_TO(FLAT_KERNEL_CS, 0x3002 | 1 << 14);                  /* IF off, IOPL 3, NT */
    flags = flags_now();
    events_enable();
    check((flags & 0x200) != 0, "interrupts are off: EFLAGS 0x%x", flags);
    check((flags & 0x3000) == 0, "IOPL is not 0: EFLAGS 0x%x", flags);
    IRET_TO(FLAT_KERNEL_CS, 0x202 | 1 << 19 | 1 << 20);         /* VIF, VIP */
    check((flags_now() & 0x20000) == 0, "virtual-8086 mode: EFLAGS 0x%x", flags_now());
    IRET_TO(FLAT_KERNEL_CS, 0x202);
    TRY("pushl $0x3002; popfl; sti; cli; nop");
    check((flags_now() & 0x200) != 0, "POPF or CLI turned interrupts off: EFLAGS 0x%x", flags_now());
    TRY("movl $0x20, %%edx; xorl %%eax, %%eax; outb %%al, %%dx");
    check(caught.count == 0 || caught.vector == 13, "OUT: %s", exception_name(caught.vector));
}

/* A debug exception that is held back by MOV SS, and then comes at the first instruction of Xen's. */
static void test_debug_entry(void)
{
    static volatile uint32_t selector = FLAT_KERNEL_SS;

    section("debug exceptions on the way in");
    check_result("DR0", hypercall_set_debugreg(0, (unsigned long)&selector), 0);
    check_result("DR7", hypercall_set_debugreg(7, DR7_READ_WRITE_0_4), 0);
    TRY("movl $17, %%eax; xorl %%ebx, %%ebx; xorl %%ecx, %%ecx; movw (%[where]), %%ss; int $0x82", [where] "r"(&selector));
    check(caught.vector == 1 || caught.count == 0, "MOV SS and a hypercall: %s", exception_name(caught.vector));
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
    TRY("movl $17, %%eax; xorl %%ebx, %%ebx; xorl %%ecx, %%ecx; pushfl; orl $0x100, (%%esp); popfl; int $0x82; nop");
    check(caught.count >= 1 && caught.vector == 1, "single step over a hypercall: %u traps, the last %s", caught.count,
          exception_name(caught.vector));
    check(caught.ip >= VIRT_BASE, "it came at 0x%lx", caught.ip);
}

static void test_debug_registers(void)
{
    section("debug registers");
    check_result("DR0", hypercall_set_debugreg(0, VIRT_BASE), 0);
    check(hypercall_set_debugreg(7, 1ul << 13) < 0, "general detect");
    check(hypercall_set_debugreg(7, 0x00020001) < 0 || (hypercall_get_debugreg(7) & 0x30000) != 0x20000,
          "a breakpoint for I/O");
    check(hypercall_set_debugreg(~0ul, 0) < 0, "a debug register -1");
    hypercall_set_debugreg(7, 0);
    hypercall_set_debugreg(0, 0);
}

/* Tables end where they end, and start where the guest may read. */
static void test_descriptor_tables(void)
{
    unsigned long ldt = window_alloc(1);
    uint64_t *page = page_alloc();
    xen_pfn_t mfn = virt_to_mfn(page);
    static const xen_pfn_t frames[] = {0, ~0ul, NO_SUCH_MFN};

    section("descriptor tables");
    for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
        page[i] = 0x00cff2000000ffff;
    check_result("unmapping", hypercall_update_va_mapping((unsigned long)page, 0, UVMF_INVLPG | UVMF_ALL), 0);
    check_result("read-only mapping", map_page(ldt, mfn_to_pte(mfn, PTE_KERNEL_RO)), 0);
    check_result("LDT that is not aligned", mmuext(MMUEXT_SET_LDT, ldt + 8, 8), -XEN_EINVAL);
    check_result("LDT of too many entries", mmuext(MMUEXT_SET_LDT, ldt, 8193), -XEN_EINVAL);
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
    check_result("LDT of nothing", mmuext(MMUEXT_SET_LDT, 0, 0), 0);
    TRY("movl $7, %%ecx; movl %%ecx, %%es");
    check(caught.count == 1 && caught.vector == 13, "an entry of no LDT: %u traps", caught.count);
    /* Whether at once or when a selector is loaded: Xen's range holds no LDT of the guest's. */
    if (mmuext(MMUEXT_SET_LDT, MACH2PHYS_VIRT_START, 8) == 0) {
        TRY("movl $7, %%ecx; movl %%ecx, %%es");
        check(caught.count == 1, "an entry of the M2P table as an LDT: %u traps", caught.count);
        check_result("LDT of nothing", mmuext(MMUEXT_SET_LDT, 0, 0), 0);
    }
    for (unsigned i = 0; i < ARRAY_LENGTH(frames); i++)
        check(hypercall_set_gdt(&frames[i], 8) < 0, "a GDT in frame 0x%lx", frames[i]);
    check(hypercall_set_gdt((const xen_pfn_t *)HYPERVISOR_LAST_PAGE, 8) < 0, "a list of frames in Xen's range");
    check_result("unmapping", hypercall_update_va_mapping(ldt, 0, UVMF_INVLPG | UVMF_ALL), 0);
    check_result("mapping again", hypercall_update_va_mapping((unsigned long)page, mfn_to_pte(mfn, PTE_KERNEL), UVMF_INVLPG), 0);
    page_free(page);
}

/* Far branches are emulated for gates: not through tables' ends, not into Xen's segments nor from ring 1 to ring 3. */
static void test_far_branches(void)
{
    static const uint16_t selectors[] = {8, 0x10, 0xe008, 0xe02b, 0xe040, 0xe050, 0xfff8, 0xffff, 7, 0xfffc};
    static struct __attribute__((packed)) {
        uint32_t offset;
        uint16_t selector;
    } target;

    section("far branches");
    for (unsigned i = 0; i < ARRAY_LENGTH(selectors); i++) {
        target.selector = selectors[i];
        TRY("lcall *(%[where])", [where] "r"(&target));
        check(caught.count == 1 && caught.vector == 13, "far call to 0x%x: %u traps, the last %s", selectors[i],
              caught.count, exception_name(caught.vector));
        TRY("ljmp *(%[where])", [where] "r"(&target));
        check(caught.count == 1 && caught.vector == 13, "far jump to 0x%x: %u traps, the last %s", selectors[i],
              caught.count, exception_name(caught.vector));
    }
    TRY("ljmp %[cs], $8f; ud2; 8:", [cs] "i"(FLAT_KERNEL_CS));
    check(caught.count == 0, "far jump to the kernel's segment: %u traps, the last %s", caught.count,
          exception_name(caught.vector));
}

/* There are no bases to set. */
static void test_bases(void)
{
    section("segment bases");
    for (unsigned which = SEGBASE_FS; which <= SEGBASE_GS_USER_SEL; which++)
        check_result("set_segment_base", hypercall_set_segment_base(which, 0), -XEN_ENOSYS);
    for (uint32_t msr = 0xc0000100; msr <= 0xc0000102; msr++) {
        TRY("movl %[msr], %%ecx; xorl %%eax, %%eax; xorl %%edx, %%edx; wrmsr", [msr] "r"(msr));
        check(caught.count == 1 && caught.vector == 13, "WRMSR 0x%x: %u traps", msr, caught.count);
    }
}

void test_control_registers(void)
{
    TRY("movl %%cr4, %%ebx; movl %%ebx, %%eax; orl $0x100, %%eax; btrl $5, %%eax; movl %%eax, %%cr4; movl %%ebx, %%cr4");
    check(caught.count == 0 || caught.vector == 13, "MOV to CR4: %s", exception_name(caught.vector));
    TRY("movl %%cr0, %%ebx; movl %%ebx, %%eax; btrl $31, %%eax; btrl $16, %%eax; movl %%eax, %%cr0");
    check(caught.count == 0 || caught.vector == 13, "MOV to CR0: %s", exception_name(caught.vector));
    TRY("movl $-1, %%eax; movl %%eax, %%cr3");
    check(caught.count == 1, "MOV to CR3 of -1: %u traps", caught.count);
}

static void outs(unsigned long from, unsigned long count)
{
    caught.count = 0;
    __asm__ volatile("movl $9f, %[resume]; rep outsb; 9:"
                     : [resume] "=m"(caught.resume), "+S"(from), "+c"(count) : "d"(0x71) : "memory");
    caught.resume = 0;
}

static void ins(unsigned long to, unsigned long count)
{
    caught.count = 0;
    __asm__ volatile("movl $9f, %[resume]; rep insb; 9:"
                     : [resume] "=m"(caught.resume), "+D"(to), "+c"(count) : "d"(0x71) : "memory");
    caught.resume = 0;
}

/* Emulated port accesses that start on one page and end on another that is not there. */
static void test_string_io(void)
{
    unsigned long window = window_alloc(2);

    section("string I/O");
    map_page(window, mfn_to_pte(virt_to_mfn(page_alloc()), PTE_KERNEL));
    map_page(window + PAGE_SIZE, 0);
    outs(window + PAGE_SIZE - 2, 4);
    check(caught.count == 1, "OUTS over the end of a page: %u traps", caught.count);
    ins(window + PAGE_SIZE - 2, 4);
    check(caught.count == 1, "INS over the end of a page: %u traps", caught.count);
    ins(MACH2PHYS_VIRT_START, 64);
    check(caught.count == 1, "INS into Xen's range: %u traps", caught.count);
    outs(HYPERVISOR_LAST_PAGE, 64);
    check(caught.count == 1, "OUTS from Xen's range: %u traps", caught.count);
}

void test_processor(void)
{
    test_return_selectors();
    test_return_flags();
    test_debug_entry();
    test_debug_registers();
    test_descriptor_tables();
    test_far_branches();
    test_bases();
    test_msrs();
    test_string_io();
}
