/* Addresses that a 64-bit guest cannot have, and instructions that fault. */
#define NONCANONICAL 0x800000000000ul

/* Behind the last address that can be a guest's; nobody's; and where a list can be that is not the guest's. */
#define GUEST_END  NONCANONICAL
#define NOWHERE    NONCANONICAL
#define NOT_LISTS  {MACH2PHYS_VIRT_START, HYPERVISOR_LAST_PAGE, 0xffff820000000000ul, NONCANONICAL, ~7ul}

/* Where a table that maps itself can be in the tables, and how it is pinned. */
#define LINEAR_PIN   MMUEXT_PIN_L4_TABLE
#define LINEAR_TABLE ((const volatile pte_t *)start_info->pt_base)
#define LINEAR_SLOT  300

/* They may change RAX, RBX, RCX, RDX, RDI, RSI, R8 to R11. */
#define TRY(code, ...)                                                                                                 \
    do {                                                                                                               \
        caught.count = 0;                                                                                              \
        __asm__ volatile("leaq 9f(%%rip), %%rax; movq %%rax, %[resume]; " code "; 9:"                                  \
                         : [resume] "=m"(caught.resume)                                                                \
                         : __VA_ARGS__                                                                                 \
                         : "rax", "rbx", "rcx", "rdx", "rdi", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");        \
        caught.resume = 0;                                                                                             \
    } while (0)
