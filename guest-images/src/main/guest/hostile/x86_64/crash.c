/* Cases that end this domain, and nothing else: "case=NAME". The host that runs them goes on, and its audit finds nothing. */
#include "hostile.h"

#define PUSH_FRAME                                                                                                     \
    "pushq %%rbx; pushq %%rbx; pushq $0x202; pushq %[cs]; pushq %%rbx; pushq $0; pushq $0; pushq $0; pushq $0; "

void crash(const char *how)
{
    struct callback_register none = {CALLBACKTYPE_failsafe, 0, NONCANONICAL};
    struct trap_info nothing[1] = {{0, 0, 0, 0}};

    if (strcmp(how, "user") == 0) {
        /* A return to user mode without page tables for it. */
        __asm__ volatile("movq %%rsp, %%rbx; " PUSH_FRAME "movl $23, %%eax; syscall"
                         : : [cs] "r"((uint64_t)FLAT_RING3_CS64) : "rax", "rbx", "rcx", "r11", "memory");
    } else if (strcmp(how, "frame") == 0) {
        /* A return whose frame cannot be read. */
        __asm__ volatile("movq %[sp], %%rsp; movl $23, %%eax; syscall" : : [sp] "r"(MACH2PHYS_VIRT_START - 8) : "memory");
    } else if (strcmp(how, "stack") == 0) {
        /* A fault whose frame has no place: the stack is in Xen's range. */
        __asm__ volatile("movq %[sp], %%rsp; ud2" : : [sp] "r"(MACH2PHYS_VIRT_START + 4096) : "memory");
    } else if (strcmp(how, "noncanonical") == 0) {
        __asm__ volatile("movq %[sp], %%rsp; ud2" : : [sp] "r"(NONCANONICAL) : "memory");
    } else if (strcmp(how, "failsafe") == 0) {
        /* A failsafe callback that leads nowhere, and a selector that makes Xen want it. */
        hypercall_callback_op(CALLBACKOP_register, &none);
        trap_set_gate(13, 0, (void (*)(void))NONCANONICAL);
        __asm__ volatile("movl %0, %%ds" : : "r"(0xfffb) : "memory");
    } else if (strcmp(how, "gates") == 0) {
        /* No handlers at all. */
        hypercall_set_trap_table(NULL);
        (void)nothing;
        __asm__ volatile("ud2");
    } else if (strcmp(how, "root") == 0) {
        /* The kernel takes its own code away. */
        pte_write(pte_of(VIRT_BASE, 4), 0);
        mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
    } else if (strcmp(how, "events") == 0) {
        /* An event whose upcall has no place to go. */
        struct callback_register nowhere = {CALLBACKTYPE_event, 0, 0x1000};
        hypercall_callback_op(CALLBACKOP_register, &nowhere);
        trap_set_gate(14, 0, (void (*)(void))0x1000);
        timer_set(system_time() + NS_PER_MS);
        for (;;)
            hypercall_sched_op(SCHEDOP_block, NULL);
    }
    print("case %s is still here\n", how);
    domain_shutdown(SHUTDOWN_poweroff);
}
