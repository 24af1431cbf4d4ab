/* Addresses that a 32-bit guest cannot have, and instructions that fault. */

/* Behind the last address that can be a guest's; nobody's; and where a list can be that is not the guest's. */
#define GUEST_END  HYPERVISOR_VIRT_START
#define NOWHERE    HYPERVISOR_LAST_PAGE
#define NOT_LISTS  {MACH2PHYS_VIRT_START, MACH2PHYS_VIRT_END, HYPERVISOR_LAST_PAGE, ~3ul}

/* Where a table that maps itself can be in the tables, and how it is pinned: the root has no room for itself. */
#define LINEAR_PIN   MMUEXT_PIN_L2_TABLE
#define LINEAR_TABLE ((const volatile pte_t *)((unsigned long)pte_of(WINDOW_BASE, 2) & ~(PAGE_SIZE - 1ul)))
#define LINEAR_SLOT  500

/* They may change EAX, EBX, ECX, EDX and ES. */
#define TRY(code, ...)                                                                                                 \
    do {                                                                                                               \
        caught.count = 0;                                                                                              \
        __asm__ volatile("movl $9f, %[resume]; " code "; 9: pushl %%ds; popl %%es"                                     \
                         : [resume] "=m"(caught.resume)                                                                \
                         : __VA_ARGS__                                                                                 \
                         : "eax", "ebx", "ecx", "edx", "memory", "cc");                                                \
        caught.resume = 0;                                                                                             \
    } while (0)
