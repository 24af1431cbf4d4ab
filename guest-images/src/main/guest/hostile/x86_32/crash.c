/* Cases that end this domain, and nothing else: "case=NAME". The host that runs them goes on, and its audit finds nothing. */
#include "hostile.h"

void crash(const char *how)
{
    struct callback_register none = {CALLBACKTYPE_failsafe, 0, XEN_CALLBACK(HYPERVISOR_LAST_PAGE)};

    if (strcmp(how, "ring0") == 0) {
        /* A return to Xen's ring. */
        __asm__ volatile("pushl $0x202; pushl $0xe008; pushl $1f; pushl $0; movl $23, %%eax; int $0x82; 1:" : : : "eax", "memory");
    } else if (strcmp(how, "frame") == 0) {
        /* A return whose frame cannot be read. */
        __asm__ volatile("movl %[sp], %%esp; movl $23, %%eax; int $0x82" : : [sp] "i"(HYPERVISOR_LAST_PAGE) : "memory");
    } else if (strcmp(how, "stack") == 0) {
        /* A fault whose frame has no place: the stack is in Xen's range. */
        __asm__ volatile("movl %[sp], %%esp; ud2" : : [sp] "i"(MACH2PHYS_VIRT_START + PAGE_SIZE) : "memory");
    } else if (strcmp(how, "segment") == 0) {
        /* A stack segment that is none: the first push is a fault whose frame has no place either. */
        hypercall_stack_switch(0xfff9, MACH2PHYS_VIRT_START);
        __asm__ volatile("pushl %[ss]; pushl %[sp]; pushl $0x202; pushl %[cs]; pushl $0; pushl $0; movl $23, %%eax; int $0x82"
                         : : [cs] "i"(FLAT_USER_CS), [ss] "i"(FLAT_USER_SS), [sp] "i"(HYPERVISOR_LAST_PAGE) : "memory");
    } else if (strcmp(how, "failsafe") == 0) {
        /* A failsafe callback that leads nowhere, and a selector that makes Xen want it. */
        hypercall_callback_op(CALLBACKOP_register, &none);
        trap_set_gate(13, 0, (void (*)(void))HYPERVISOR_LAST_PAGE);
        __asm__ volatile("movl %0, %%ds" : : "r"(0xfffb) : "memory");
    } else if (strcmp(how, "gates") == 0) {
        /* No handlers at all. */
        hypercall_set_trap_table(NULL);
        __asm__ volatile("ud2");
    } else if (strcmp(how, "root") == 0) {
        /* The kernel takes its own code away. */
        pte_write(pte_of(VIRT_BASE, 2), 0);
        mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
    } else if (strcmp(how, "events") == 0) {
        /* An event whose upcall has no place to go. */
        struct callback_register nowhere = {CALLBACKTYPE_event, 0, XEN_CALLBACK(0x1000)};

        hypercall_callback_op(CALLBACKOP_register, &nowhere);
        trap_set_gate(14, 0, (void (*)(void))0x1000);
        timer_set(system_time() + NS_PER_MS);
        for (;;)
            hypercall_sched_op(SCHEDOP_block, NULL);
    }
    print("case %s is still here\n", how);
    domain_shutdown(SHUTDOWN_poweroff);
}
