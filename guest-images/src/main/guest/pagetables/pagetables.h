/* What the parts of the page-table test share. */
#ifndef PAGETABLES_H
#define PAGETABLES_H

#include "verdict.h"

#define TABLE_FLAGS (PTE_KERNEL | PTE_USER)
#define PTE_LARGE   UINT64_C(0x80)

/* An address without tables below the root. */
#define NO_TABLE_THERE BY_WIDTH(0x7f0000000000ul, 0x40000000ul)

long update(const volatile pte_t *entry, pte_t value);
pte_t map(const void *page, pte_t flags);

/* Stores a word, and tells whether that faulted, by a handler that goes on after it. */
bool faults(volatile void *address, unsigned long value);
bool resume_after_fault(struct trap_frame *frame);

/* Each width's own: how an entry is stored and exchanged, the tables at the top, the descriptors. */
void store_entry(volatile pte_t *entry, pte_t value);
pte_t exchange_entry(volatile pte_t *entry, pte_t value);
void test_stores_of_width(volatile pte_t *entry, void *data, unsigned long window);
void test_root(void);
void test_descriptors(void);

#endif
