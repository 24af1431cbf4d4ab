/* What the parts of the runtime share, and guests do not see. */
#ifndef INTERNAL_H
#define INTERNAL_H

#include "runtime.h"

extern uint8_t vcpu_stacks[MAX_VCPUS][STACK_SIZE];

void cpu_init(uint32_t vcpu);
void traps_init(void);
void traps_fill(struct trap_info table[256]);  /* for a further vCPU; sorted by vector, as vcpu_guest_context wants */
void events_init(void);
void event_upcall(void);
void memory_init(uint64_t boot_stack);
void tools_info_init(void);                    /* tells the tools that save a domain where its P2M is */
uint64_t paging_root(void);                    /* MFN of the L4 table */
void console_init(void);
void xenstore_init(void);

void event_entry(void);
void failsafe_entry(void);
void syscall_entry(void);
void sysenter_entry(void);
void syscall32_entry(void);
void vcpu_entry(void);
void user_leave_to(uint64_t value, uint64_t sp) __attribute__((noreturn));

#endif
