/*
 * torture: a hostile guest. Each operation below builds arguments that are mostly plausible (live frames, ports,
 * references, handles and addresses), spoils some of them, calls Xen and counts what came back.
 *
 * The guest must outlive its own successes. So what it would die of is confined: page tables, frames given away and
 * output pointers come from a sandbox, and of operations whose every success is the end only failing forms are made.
 */
#ifndef TORTURE_H
#define TORTURE_H

#include "runtime.h"

/* ---- chance --------------------------------------------------------------------------------------------------- */

uint64_t random_bits(void);
static inline uint64_t below(uint64_t limit) { return (uint64_t)((unsigned __int128)random_bits() * limit >> 64); }
static inline bool one_in(uint64_t n) { return below(n) == 0; }
uint64_t odd_number(void);                     /* zero, ones, powers of two and their neighbours, noise */

/* ---- the sandbox ---------------------------------------------------------------------------------------------- */

#define POOL_FRAMES   48                       /* frames that may change type, be granted, exchanged, given away */
#define SANDBOX_PAGES 64                       /* addresses with an L1 table each entry of which is free to change */

struct pool_frame {
    uint64_t pfn, mfn;                         /* INVALID_MFN: given away at present */
};

extern struct pool_frame pool[POOL_FRAMES];
extern uint64_t sandbox_va;
extern uint64_t max_mfn;

void sandbox_init(void);
void sandbox_repair(void);                     /* fetches frames that were given away, now and then */

struct pool_frame *any_pool_frame(void);       /* that has a frame; there is always one */
uint64_t any_mfn(void);                        /* own, foreign, special, or nonsense */
uint64_t any_pool_mfn(void);
uint64_t stale_mfn(void);                      /* once the pool's, given away since */
void forget_frame(struct pool_frame *frame);   /* it was given away */
uint64_t foreign_mfn(void);                    /* nothing of this guest outside the pool: safe as the target of writes */
uint64_t surely_foreign_mfn(void);             /* nothing of this guest, the pool and forgotten frames included */
uint64_t any_sandbox_va(void);
uint64_t any_va(void);                         /* also addresses that nothing may be done with */
pte_t any_pte(void);
const volatile pte_t *any_sandbox_entry(int level);
domid_t any_domain(void);
evtchn_port_t any_port(void);
evtchn_port_t expendable_port(void);           /* not one that this guest needs for its console or xenstore */
bool is_expendable(evtchn_port_t port);
void remember_port(evtchn_port_t port);

/* Memory for arguments, zeroed. Behind the end of what argument_at_end() returns is an unmapped page. */
void *argument(size_t size);
void *argument_at_end(size_t size);
/* The pointer itself, or at times one that Xen must refuse. Never one through which Xen could hurt the guest. */
void *spoil(void *pointer);
/*
 * The same where Xen must notice before it does anything: for lists that it fills with what it gives away, and for
 * arguments that would be the guest's end if they were all zero, as the read-only page among the others is.
 */
void *spoil_early(void *pointer);
uint64_t *list_of(uint64_t (*pick)(void), unsigned count);

/* ---- operations and their outcomes ------------------------------------------------------------------------------ */

struct operation {
    const char *name;
    int64_t (*run)(void);
    unsigned weight;
};

struct operations {
    const struct operation *list;
    unsigned count;
};

/* Counts a code that is not the hypercall's result, such as the status of a grant operation. */
void count_status(const char *name, int64_t code);

extern const struct operations memory_operations, paging_operations, event_operations, cpu_operations,
    grant_operations, control_operations;

#define OPERATIONS(list) {list, ARRAY_LENGTH(list)}

#endif
