/* traps: each exception a PV kernel can get, in kernel mode; usermode.c does the same for user mode. */
#include "traps.h"

struct caught caught;

/*
 * "strict=0" on the command line leaves out what real processors do and QEMU's TCG does not, to compare with real Xen
 * on it: #AC, #SS for non-canonical addresses, and the error code of an INT n that the IDT refuses.
 */
bool strict;

bool catch_trap(struct trap_frame *frame)
{
    caught.mask_in_handler = this_cpu()->info->evtchn_upcall_mask;
    caught.frame = *frame;
    caught.sp = trap_sp(frame);
    caught.end = (unsigned long)(frame + 1);
    caught.cr2 = this_cpu()->info->cr2;
    if (caught.count++ > 100)
        return false;
    if (trap_from_user(frame))
        user_leave(frame->vector);
    frame->ip = caught.resume;
    frame->flags &= ~0x40100u;               /* TF, AC */
    return true;
}

bool check_no_trap(const char *what)
{
    return check(caught.count == 0, "%s raised %s(0x%lx)", what, exception_name(caught.frame.vector),
                 (unsigned long)caught.frame.error_code);
}

bool check_trap(const char *what, unsigned vector, unsigned long error_code, long offset)
{
    if (!check(caught.count == 1, "%s raised %u traps, the last %s", what, caught.count,
               exception_name(caught.frame.vector)))
        return false;
    return check(caught.frame.vector == vector && caught.frame.error_code == error_code &&
                     caught.frame.ip == caught.at + offset,
                 "%s raised %s(0x%lx) at +%ld instead of %s(0x%lx) at +%ld", what,
                 exception_name(caught.frame.vector), (unsigned long)caught.frame.error_code,
                 (long)(caught.frame.ip - caught.at), exception_name(vector), error_code, offset);
}

static void test_faults(void)
{
    section("faults");
    TRY("xorl %%edx, %%edx; xorl %%ecx, %%ecx; divl %%ecx");
    check_trap("division by zero", 0, 0, 4);
    TRY("ud2");
    check_trap("UD2", 6, 0, 0);
    TRY("hlt");
    check_trap("HLT", 13, 0, 0);
    TRY("movl $0x50, %%eax; movl %%eax, %%ds");
    check_trap("null descriptor in DS", 13, 0x50, 5);
    TRY("movl $0x4001, %%ecx; rdmsr");
    check_trap("RDMSR of an unknown register", 13, 0, 5);
    test_faults_of_width();
}

static void test_software_interrupts(void)
{
    section("software interrupts");
    TRY("int3");
    check_trap("INT3", 3, 0, 1);
    TRY(".byte 0xcd, 3");                        /* gas would make INT3 of "int $3" */
    check_trap("INT 3", 3, 0, 2);
    TRY("int $4");
    check_trap("INT 4", 4, 0, 2);
    if (!strict)
        return;
    TRY("int $0x85");
    check_trap("INT through a gate for user mode", VECTOR_SOFTWARE, 0, 2);
    TRY("int $0x86");
    check_trap("INT through a gate for the kernel", VECTOR_SOFTWARE, 0, 2);
    TRY("int $0x87");
    check_trap("INT without a gate", 13, NO_VECTOR * 8 + 2, 0);
    TRY("int $6");
    check_trap("INT 6", 13, 6 * 8 + 2, 0);
}

static void test_page_faults(void)
{
    unsigned long window = window_alloc(3);
    uint8_t *page = page_alloc();
    const volatile uint8_t *text = (const volatile uint8_t *)exception_entries[0];
    uint8_t first = text[0];

    section("page faults");
    map_page(window, mfn_to_pte(virt_to_mfn(page), PTE_KERNEL_RO | PTE_NX));

    TRY("movl (%[address]), %%eax", [address] "r"(window + PAGE_SIZE));
    if (check_trap("read of an unmapped page", 14, 0, 0))
        check_equal("CR2", caught.cr2, window + PAGE_SIZE);
    TRY("movb %%al, 5(%[address])", [address] "r"(window + PAGE_SIZE));
    if (check_trap("write to an unmapped page", 14, 2, 0))
        check_equal("CR2", caught.cr2, window + PAGE_SIZE + 5);
    TRY("movl (%[address]), %%eax", [address] "r"(window));
    check_no_trap("read of a read-only page");
    TRY("movl %%eax, (%[address])", [address] "r"(window));
    if (check_trap("write to a read-only page", 14, 3, 0))
        check_equal("CR2", caught.cr2, window);
    TRY("lock; incl 8(%[address])", [address] "r"(window));
    check_trap("locked increment in a read-only page", 14, 3, 0);
    TRY("movl (%[address]), %%eax", [address] "r"(window + PAGE_SIZE - 2));
    if (check_trap("read across into an unmapped page", 14, 0, 0))
        check_equal("CR2", caught.cr2, window + PAGE_SIZE);

    caught.at = window;
    caught.count = 0;
    __asm__ volatile("mov%z[resume] $1f, %[resume]; jmp *%[address]; 1:"
                     : [resume] "=m"(caught.resume) : [address] "r"(window) : "memory");
    check_trap("fetch from a no-execute page", 14, 0x11, 0);
    caught.at = window + PAGE_SIZE;
    caught.count = 0;
    __asm__ volatile("mov%z[resume] $1f, %[resume]; jmp *%[address]; 1:"
                     : [resume] "=m"(caught.resume) : [address] "r"(window + PAGE_SIZE) : "memory");
    check_trap("fetch from an unmapped page", 14, 0x10, 0);

    TRY("movb %%al, (%[address])", [address] "r"(MACH2PHYS_VIRT_START));
    check_trap("write to the M2P table", 14, 3, 0);
    TRY("movb (%[address]), %%al", [address] "r"(HYPERVISOR_LAST_PAGE));
    if (check(caught.count == 1, "read of hypervisor memory raised %u traps", caught.count))
        check(caught.frame.vector == 14 && (caught.frame.error_code & ~1u) == 0, "read of hypervisor memory: %s(0x%lx)",
              exception_name(caught.frame.vector), (unsigned long)caught.frame.error_code);
    check(text[0] == first, "the first instruction of an entry point changed");
}

/* MOV SS holds #DB back until the next instruction; if that enters Xen, it is raised there, and Xen does not hand it on. */
static void test_debug_behind_mov_ss(void)
{
    static uint32_t ss;
    unsigned long number = HYPERCALL_xen_version;

    ss = FLAT_KERNEL_SS;
    hypercall_set_debugreg(0, (unsigned long)&ss);
    hypercall_set_debugreg(7, 0x000f0002);     /* 4 bytes, read or written */
    TRY("mov (%[address]), %%ss; nop", [address] "D"(&ss));
    check_trap("data breakpoint of MOV SS", 1, 0, 3);
    TRY("mov (%[address]), %%ss; int3", [address] "D"(&ss));
    check_trap("INT3 behind MOV SS with a data breakpoint", 3, 0, 3);
    caught.count = 0;
    __asm__ volatile("mov (%[address]), %%ss; " HYPERCALL_INSTRUCTION
                     : "+a"(number)
                     : [address] "D"(&ss)
                     : "bx", "cx", "dx", "si", "memory", "cc" HYPERCALL_CLOBBERS);
    check_no_trap("hypercall behind MOV SS with a data breakpoint");
    hypercall_set_debugreg(7, 0);
}

static void test_debug(void)
{
    static volatile unsigned long watched;
    unsigned long dr6;

    section("debug");
    hypercall_set_debugreg(6, 0);
    TRY(SET_FLAGS("$0x100") "nop; nop");
    check_trap("single step", 1, 0, SET_FLAGS_LENGTH + 1);
    dr6 = hypercall_get_debugreg(6);
    check((dr6 & 0x4000) != 0, "DR6 after a single step is 0x%lx", dr6);

    check_result("set_debugreg of DR0", hypercall_set_debugreg(0, (unsigned long)&watched), 0);
    check_result("set_debugreg of DR7", hypercall_set_debugreg(7, 0x000d0002), 0);
    hypercall_set_debugreg(6, 0);
    TRY("movl $1, (%[address]); nop", [address] "D"(&watched));
    check_trap("data breakpoint", 1, 0, 6);
    dr6 = hypercall_get_debugreg(6);
    check((dr6 & 1) != 0, "DR6 after a data breakpoint is 0x%lx", dr6);
    hypercall_set_debugreg(7, 0);
    TRY("movl $2, (%[address]); nop", [address] "D"(&watched));
    check_no_trap("write after the breakpoint was taken out");
    check_result("DR8", hypercall_set_debugreg(8, 0), -XEN_ENODEV);
    if (strict)
        test_debug_behind_mov_ss();
    test_debug_of_width();
}

static bool has_fpu(void)
{
    uint32_t eax = 1, ebx, ecx = 0, edx;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return edx & 1;
}

static void test_fpu(void)
{
    static const uint16_t unmasked = 0x037b;   /* zero divide not masked */

    section("FPU");
    if (!has_fpu()) {
        print("  skipped: CPUID says there is none\n");
        return;
    }
    hypercall_fpu_taskswitch(1);
    TRY("fld1");
    check_trap("x87 after fpu_taskswitch(1)", 7, 0, 0);
    TRY("fld1; fstp %%st");
    check_no_trap("x87 after #NM cleared TS");
    hypercall_fpu_taskswitch(1);
    hypercall_fpu_taskswitch(0);
    TRY("fninit");
    check_no_trap("x87 after fpu_taskswitch(0)");
    TRY("fldcw %[control]; fld1; fldz; fdivrp; fwait", [control] "m"(unmasked));
    check(caught.count == 1 && caught.frame.vector == 16, "zero divide raised %u traps, the last %s", caught.count,
          exception_name(caught.frame.vector));
    TRY("fninit");
}

uint64_t read_msr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

void write_msr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static void test_emulation(void)
{
    unsigned long value;
    uint32_t eax = 0x40000000, ebx, ecx, edx;

    section("privileged instructions that Xen emulates");
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    check((value & 0x80000001) == 0x80000001, "CR0 is 0x%lx", value);
    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    check_equal("CR3", value, xen_pfn_to_cr3(virt_to_mfn((const void *)start_info->pt_base)));
    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    check_equal("CR2", value, this_cpu()->info->cr2);
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    check((value & 0x20) != 0, "CR4 has no PAE: 0x%lx", value);
    __asm__ volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; cpuid"
                     : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    check(ebx == 0x566e6558 && ecx == 0x65584d4d && edx == 0x4d4d566e, "CPUID leaf 0x40000000: %08x %08x %08x", ebx,
          ecx, edx);
    check(eax >= 0x40000002, "highest hypervisor leaf 0x%x", eax);
    test_emulation_of_width();
}

/* CLI is nothing to a kernel that may: at 0 by the older rule kernels may not, with the assist they may. */
static void test_iopl(void)
{
    struct physdev_set_iopl level = {1};

    section("I/O privilege level");
    check_result("set_iopl 1", hypercall_physdev_op(PHYSDEVOP_set_iopl, &level), 0);
    TRY("cli");
    check_no_trap("CLI at IOPL 1");
    level.iopl = 0;
    check_result("set_iopl 0", hypercall_physdev_op(PHYSDEVOP_set_iopl, &level), 0);
    TRY("cli");
    check_trap("CLI at IOPL 0", 13, 0, 0);
    TRY("movw $0x80, %%dx; outb %%al, %%dx");
    check_trap("OUT at IOPL 0", 13, 0, 4);
    check_result("architectural_iopl", hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_architectural_iopl), 0);
    TRY("cli");
    check_no_trap("CLI at IOPL 0, as the architecture has it");
    hypercall_vm_assist(VMASST_CMD_disable, VMASST_TYPE_architectural_iopl);
    level.iopl = 4;
    check_result("set_iopl 4", hypercall_physdev_op(PHYSDEVOP_set_iopl, &level), -XEN_EINVAL);
}

static uint32_t leaf_1_ecx(bool forced)
{
    uint32_t eax = 1, ebx, ecx = 0, edx;

    if (forced)
        __asm__ volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    else
        __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return ecx;
}

/* What kernels ask before they use a feature. */
static void test_features(void)
{
    const uint32_t xsave = 1u << 26, osxsave = 1u << 27;
    uint32_t eax = 7, ebx, ecx = 0, edx;
    unsigned long cr4;

    section("features");
    /* By the prefix a kernel sees Xen's own OSXSAVE: only then it takes XSAVE for usable. */
    check(!(leaf_1_ecx(true) & xsave) || (leaf_1_ecx(true) & osxsave), "forced CPUID hides OSXSAVE: %08x",
          leaf_1_ecx(true));
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    if (!(cr4 & 1u << 18))
        check(!(leaf_1_ecx(false) & osxsave), "CPUID shows OSXSAVE while CR4 has none");
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    if (edx & 1u << 26) {
        write_msr(0x48, 1);
        check_equal("SPEC_CTRL after IBRS was set", read_msr(0x48), 1);
        write_msr(0x48, 0);
        write_msr(0x49, 1);
        TRY("movl $0x48, %%ecx; xorl %%eax, %%eax; movl $1, %%edx; wrmsr");
        check_trap("reserved bit of SPEC_CTRL", 13, 0, 12);
        TRY("movl $0x49, %%ecx; rdmsr");
        check_trap("RDMSR of PRED_CMD", 13, 0, 5);
    }
    if (edx & 1u << 29)
        check((int64_t)read_msr(0x10a) != 0, "IA32_ARCH_CAPABILITIES says nothing");
    check(read_msr(0x8b) != 0, "no microcode revision");
    write_msr(0xc0000103, 5);
    check_equal("TSC_AUX", read_msr(0xc0000103), 5);
    write_msr(0xc0000103, 0);
}

static void test_frames(void)
{
    section("trap frames");
    events_enable();
    TRY("ud2");
    check(caught.frame.saved_upcall_mask == 0 && (caught.frame.flags & 0x200) != 0,
          "with events enabled: mask %u, flags 0x%lx", caught.frame.saved_upcall_mask,
          (unsigned long)caught.frame.flags);
    check_equal("mask in a handler that wants events masked", caught.mask_in_handler, 1);
    check_equal("mask after it", this_cpu()->info->evtchn_upcall_mask, 0);

    events_disable();
    TRY("ud2");
    check(caught.frame.saved_upcall_mask == 1 && (caught.frame.flags & 0x200) == 0,
          "with events disabled: mask %u, flags 0x%lx", caught.frame.saved_upcall_mask,
          (unsigned long)caught.frame.flags);
    check_equal("mask after it", this_cpu()->info->evtchn_upcall_mask, 1);
    events_enable();
    trap_set_gate(6, 0, exception_entries[6]);
    TRY("ud2");
    check_equal("mask in a handler that leaves it alone", caught.mask_in_handler, 0);
    trap_set_gate(6, TI_MASK_EVENTS, exception_entries[6]);

    test_frames_of_width();

    caught.count = 0;
    hypercall_vcpu_op(VCPUOP_send_nmi, 0, NULL);
    hypercall_xen_version(XENVER_version, NULL);
    check(caught.count == 1 && caught.frame.vector == 2, "VCPUOP_send_nmi: %u traps", caught.count);
}

static bool catch_nmi(struct trap_frame *frame)
{
    caught.frame = *frame;
    caught.count++;
    return true;
}

void guest_main(void)
{
    strict = cmdline_number("strict", 1);
    for (unsigned vector = 0; vector < 32; vector++)
        trap_set_handler(vector, catch_trap);
    trap_set_handler(2, catch_nmi);
    trap_set_handler(VECTOR_SOFTWARE, catch_trap);
    trap_set_gate(USER_VECTOR, 3, software_entry);
    trap_set_gate(KERNEL_VECTOR, 1, software_entry);

    test_frames();
    test_faults();
    test_software_interrupts();
    test_page_faults();
    test_emulation();
    if (strict)
        test_iopl();
    test_features();
    test_debug();
    test_fpu();
    if (strict)
        test_alignment();
    test_user_mode();
    verdict("traps");
}
