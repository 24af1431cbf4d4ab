/* crash: ways to end as only broken kernels do. */
#include "shell.h"

static volatile bool endless = true;

static uint64_t __attribute__((noinline)) overflow(uint64_t depth)
{
    volatile uint64_t here[32];

    here[0] = depth;
    return endless ? overflow(depth + 1) + here[0] : 0;
}

/* Xen answers each of these with an error; a kernel that takes the answers for granted goes on with garbage. */
static void hostile_hypercalls(void)
{
    static const struct trap_info no_handlers[2] = {{14, 0, FLAT_KERNEL_CS, 1}};

    print("hypercall 63: %s\n", xen_error_name(hypercall1(63, 0)));
    print("mmu_update at an invalid address: %s\n",
          xen_error_name(hypercall_mmu_update((void *)~0xffful, 1, NULL, DOMID_SELF)));
    print("set_trap_table with a handler at address 1, and a page fault: ");
    console_flush();
    hypercall_set_trap_table(no_handlers);
    *(volatile uint8_t *)0 = 0;
}

/* Xen ends a domain that does not set its watchdog anew. */
static void hang(void)
{
    struct {
        uint32_t id, timeout;
    } one_second = {0, 1};

    hypercall_sched_op(SCHEDOP_watchdog, &one_second);
    events_disable();
    while (endless)
        cpu_relax();
}

void command_crash(int words, char **word)
{
    (void)words;
    if (strcmp(word[1], "null") == 0)
        *(volatile uint8_t *)0 = 0;
    else if (strcmp(word[1], "ud") == 0)
        __asm__ volatile("ud2");
    else if (strcmp(word[1], "stack") == 0)
        overflow(0);
    else if (strcmp(word[1], "hypercall") == 0)
        hostile_hypercalls();
    else if (strcmp(word[1], "hang") == 0)
        hang();
    else
        print("crash: null, ud, stack, hypercall or hang, not \"%s\"\n", word[1]);
}
