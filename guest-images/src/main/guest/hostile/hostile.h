/*
 * hostile: one after another, what guests have once done to Xen that they should not have been able to do, and what must come
 * of it. docs/security-classes.md says which advisories each case stands for.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include "verdict.h"

/* The traps since the last TRY; handlers resume after it. */
struct caught {
    unsigned count, vector;
    unsigned long error_code, ip, resume;
};
extern struct caught caught;

void catch_traps(void);

/* Of each width: TRY(), which runs instructions that may fault and leaves in `caught` what was caught, and addresses. */
#include "width.h"

extern domid_t self;

/* After a fault: what the context to return to has to be, to go on in the kernel. */
void make_kernel_context(struct trap_frame *frame);

long pte_write_as(const volatile pte_t *entry, pte_t value, unsigned command);

void test_tables(void);
void test_memory(void);
void test_msrs(void);
void test_grants(void);
void test_calls(void);
void test_disk(void);
void crash(const char *how);

/* Each width's own. */
void test_processor(void);
void test_control_registers(void);
void test_iret_in_list(struct multicall_entry *calls);

#endif
