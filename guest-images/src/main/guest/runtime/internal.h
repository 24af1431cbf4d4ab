/* What the parts of the runtime share, and guests do not see. */
#ifndef INTERNAL_H
#define INTERNAL_H

#include "runtime.h"

extern uint8_t vcpu_stacks[MAX_VCPUS][STACK_SIZE];

void cpu_init(uint32_t vcpu);
void traps_init(void);
void register_callback(uint16_t type, void (*entry)(void));
void callbacks_init(void);
void traps_fill(struct trap_info table[256]);  /* for a further vCPU; sorted by vector, as vcpu_guest_context wants */
void events_init(void);
void event_upcall(void);
void memory_init(unsigned long boot_stack);
void tools_info_init(void);                    /* tells the tools that save a domain where its P2M is */
xen_pfn_t paging_root(void);                   /* MFN of the root table */
/* For a further vCPU: where its callbacks are, and that it starts with this call. */
void context_fill(struct vcpu_guest_context *context, unsigned long sp, void (*function)(void *), void *arg);
void registers_print(const struct trap_frame *frame);
void console_init(void);
void xenstore_init(void);

void event_entry(void);
void failsafe_entry(void);
void syscall_entry(void);
void sysenter_entry(void);
void syscall32_entry(void);
void vcpu_entry(void);
void user_leave_to(unsigned long value, unsigned long sp) __attribute__((noreturn));

#endif
