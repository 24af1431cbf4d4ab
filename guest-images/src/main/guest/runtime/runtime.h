/*
 * The PV runtime that all bundled guests are linked with. A guest defines guest_main(); everything else is here:
 * start-up, traps, events, time, console, xenstore, memory, page tables, grants, further vCPUs and user mode.
 *
 * One thread of control per vCPU, events delivered by upcall. Nothing busy-waits: waiting is SCHEDOP_block.
 */
#ifndef RUNTIME_H
#define RUNTIME_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/io.h"
#include "hypercall.h"
#include "layout.h"

#define PRINTF_LIKE(text, arguments) __attribute__((format(printf, text, arguments)))
#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE_ALIGNED __attribute__((aligned(PAGE_SIZE), section(".bss.pages")))

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

static inline void compiler_barrier(void) { __asm__ volatile("" : : : "memory"); }
static inline void cpu_relax(void) { __asm__ volatile("pause" : : : "memory"); }

/* ---- the guest ------------------------------------------------------------------------------------------------ */

void guest_main(void);                         /* runs on vCPU 0; the domain powers off when it returns */

extern struct start_info *start_info;          /* as the builder left it */
extern struct shared_info *shared_info;
extern const uint8_t text_start[], text_end[]; /* code and constants, in pages of their own */

/* ---- vCPUs ---------------------------------------------------------------------------------------------------- */

struct cpu {
    struct vcpu_info *info;
    unsigned long user_return;                 /* stack pointer that user_leave() goes back to */
    uint32_t id;
    evtchn_port_t timer_port;
    uint32_t timer_fired;                      /* VIRQ_TIMER events seen */
    uint32_t upcalls;
};
_Static_assert(sizeof(struct cpu) <= CPU_AREA_SIZE, "struct cpu");

static inline struct cpu *this_cpu(void)
{
    return (struct cpu *)((stack_pointer() | (STACK_SIZE - 1)) + 1 - CPU_AREA_SIZE);
}

struct cpu *cpu_of(uint32_t vcpu);
uint32_t vcpu_count(void);                     /* possible vCPUs, as VCPUOP_is_up knows them; at most MAX_VCPUS */
long vcpu_start(uint32_t vcpu, void (*function)(void *), void *arg);
void vcpu_stop_self(void);                     /* VCPUOP_down; returns if another vCPU brings this one up again */
bool vcpu_is_up(uint32_t vcpu);

/* ---- traps ---------------------------------------------------------------------------------------------------- */

/* struct trap_frame is in arch.h of each width; both have ax to di, bp, ip, cs, flags, and the stack pointer by trap_sp(). */

/* A handler returns false if the trap is not its own; then the register dump is printed and the domain crashes. */
typedef bool (*trap_handler)(struct trap_frame *frame);

void trap_set_handler(unsigned vector, trap_handler handler);
void trap_set_gate(uint8_t vector, uint8_t flags, void (*entry)(void));
static inline bool trap_from_user(const struct trap_frame *frame) { return (frame->cs & 3) == 3; }
void trap_dump(const struct trap_frame *frame);
void trap_return(void);
void software_entry(void);                     /* entry for gates above vector 31: VECTOR_SOFTWARE */
extern void (*const exception_entries[32])(void);
const char *exception_name(unsigned vector);
void panic(const char *format, ...) PRINTF_LIKE(1, 2) __attribute__((noreturn));

/* ---- user mode: see user.c --------------------------------------------------------------------------------------- */

void user_init(void);
void *user_map_page(unsigned long va, bool writable);
void user_frame_init(struct trap_frame *frame, unsigned long ip, unsigned long sp);
unsigned long user_enter(struct trap_frame *frame);
void user_leave(unsigned long value) __attribute__((noreturn));   /* from a trap handler: user_enter() returns value */

/* ---- events --------------------------------------------------------------------------------------------------- */

typedef void (*event_handler)(evtchn_port_t port, void *arg);

/* Returns the previous upcall mask; events_restore() delivers what became pending meanwhile. */
bool events_disable(void);
void events_restore(bool previously_masked);
void events_enable(void);
void event_set_handler(evtchn_port_t port, event_handler handler, void *arg);
void event_set_vcpu(evtchn_port_t port, uint32_t vcpu);      /* which vCPU's upcalls scan the port */
void event_mask(evtchn_port_t port);
void event_unmask(evtchn_port_t port);
bool event_is_pending(evtchn_port_t port);
bool event_is_masked(evtchn_port_t port);
bool event_clear(evtchn_port_t port);                        /* returns whether it was pending */
long event_send(evtchn_port_t port);
long event_close(evtchn_port_t port);
long event_bind_virq(uint32_t virq, uint32_t vcpu, event_handler handler, void *arg);
long event_bind_ipi(uint32_t vcpu, event_handler handler, void *arg);
long event_alloc_unbound(domid_t remote, event_handler handler, void *arg);
long event_bind_interdomain(domid_t remote, evtchn_port_t remote_port, event_handler handler, void *arg);

/* ---- scheduling and time ---------------------------------------------------------------------------------------- */

uint64_t system_time(void);                    /* ns since the host started (pvclock) */
uint64_t wall_clock(void);                     /* ns since 1970-01-01 UTC */
void timer_set(uint64_t deadline);             /* VIRQ_TIMER on this vCPU at this system time; 0 stops the timer */
void sleep_until(uint64_t deadline);
void sched_yield(void);
void sched_block(void);
long sched_poll(const evtchn_port_t *ports, unsigned count, uint64_t timeout);
void domain_shutdown(enum shutdown_reason reason) __attribute__((noreturn));
long domain_suspend(void);                     /* 0: resumed elsewhere, 1: cancelled */

/* Blocks until condition(arg) holds, or until system time reaches the deadline (0: none); returns what holds. */
bool wait_until(bool (*condition)(void *arg), void *arg, uint64_t deadline);

/* ---- console ---------------------------------------------------------------------------------------------------- */

void console_write(const char *text, size_t length);
bool console_has_input(void);
int console_read(void);                        /* next byte, or -1: none there */
void console_flush(void);                      /* waits (2 s at most) until the backend has taken everything */
void print(const char *format, ...) PRINTF_LIKE(1, 2);
void vprint(const char *format, va_list args);
int format_string(char *buffer, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
int vformat_string(char *buffer, size_t size, const char *format, va_list args);

/* ---- xenstore: lengths, or negative XEN_E* ------------------------------------------------------------------------ */

int xenstore_request(enum xsd_type type, uint32_t tx, const void *payload, size_t length, char *reply, size_t size);
int xenstore_read(uint32_t tx, const char *path, char *value, size_t size);
int xenstore_write(uint32_t tx, const char *path, const char *value);
int xenstore_list(uint32_t tx, const char *path, char *names, size_t size);   /* NUL-terminated names, one by one */
int xenstore_remove(uint32_t tx, const char *path);
int xenstore_transaction_start(uint32_t *tx);
int xenstore_transaction_end(uint32_t tx, bool commit);
int xenstore_watch(const char *path, const char *token);
int xenstore_unwatch(const char *path, const char *token);
bool xenstore_has_event(void);
bool xenstore_next_event(char *path, size_t path_size, char *token, size_t token_size);

/* ---- memory and page tables --------------------------------------------------------------------------------------- */

typedef uint64_t pte_t;

#define PTE_PRESENT  UINT64_C(0x001)
#define PTE_WRITABLE UINT64_C(0x002)
#define PTE_USER     UINT64_C(0x004)
#define PTE_ACCESSED UINT64_C(0x020)
#define PTE_DIRTY    UINT64_C(0x040)
#define PTE_NX       UINT64_C(0x8000000000000000)
#define PTE_FRAME    UINT64_C(0x000ffffffffff000)
#define PTE_KERNEL   (PTE_PRESENT | PTE_WRITABLE | PTE_ACCESSED | PTE_DIRTY)
#define PTE_KERNEL_RO (PTE_PRESENT | PTE_ACCESSED)

#define INVALID_MFN  (~0ul)
#define MMUEXT_PIN_ROOT_TABLE BY_WIDTH(MMUEXT_PIN_L4_TABLE, MMUEXT_PIN_L3_TABLE)
#define NO_SUCH_MFN  ((xen_pfn_t)BY_WIDTH(1ul << 38, 1ul << 28))  /* of no machine that there is */

static inline unsigned long virt_to_pfn(const void *va) { return ((unsigned long)va - VIRT_BASE) >> PAGE_SHIFT; }
static inline void *pfn_to_virt(unsigned long pfn) { return (void *)(VIRT_BASE + (pfn << PAGE_SHIFT)); }
static inline xen_pfn_t pfn_to_mfn(unsigned long pfn) { return ((volatile xen_pfn_t *)start_info->mfn_list)[pfn]; }
static inline void set_p2m(unsigned long pfn, xen_pfn_t mfn) { ((volatile xen_pfn_t *)start_info->mfn_list)[pfn] = mfn; }
static inline unsigned long mfn_to_pfn(xen_pfn_t mfn) { return ((volatile xen_pfn_t *)MACH2PHYS_VIRT_START)[mfn]; }
static inline xen_pfn_t virt_to_mfn(const void *va) { return pfn_to_mfn(virt_to_pfn(va)); }
static inline pte_t mfn_to_pte(uint64_t mfn, pte_t flags) { return mfn << PAGE_SHIFT | flags; }
static inline xen_pfn_t pte_to_mfn(pte_t pte) { return (pte & PTE_FRAME) >> PAGE_SHIFT; }

void *page_alloc(void);                        /* a zeroed page, panics when there is none */
void *page_try_alloc(void);                    /* the same, or null */
void page_free(void *page);
unsigned long pages_free(void);
unsigned long pages_mapped(void);              /* frames in the linear mapping at VIRT_BASE */

/* The entry that maps va at the level (1 to PAGING_LEVELS), through the read-only mapping of the tables; null: no such table. */
const volatile pte_t *pte_of(unsigned long va, int level);
uint64_t pte_machine_address(const volatile pte_t *entry);
long pte_write(const volatile pte_t *entry, pte_t value);                 /* by mmu_update */
long map_page(unsigned long va, pte_t value);  /* builds the tables above it; flushes the page */
long page_set_flags(void *page, pte_t flags);                                /* remaps a page of the linear mapping */
long mmuext(uint32_t cmd, unsigned long arg1, unsigned long arg2);
unsigned long window_alloc(unsigned pages);    /* address space outside the linear mapping, not yet mapped */

/* ---- grants ------------------------------------------------------------------------------------------------------- */

long grant_init(void);
struct grant_entry_v1 *grant_entry(uint32_t ref);
long grant_access(domid_t domain, xen_pfn_t mfn, bool read_only);            /* reference */
bool grant_end(uint32_t ref);                  /* false: still in use */

/* ---- strings ------------------------------------------------------------------------------------------------------ */

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
size_t copy_string(char *to, const char *from, size_t size);                 /* always terminates; returns length */
bool parse_number(const char *s, uint64_t *value);                           /* decimal, or 0x and hexadecimal */
const char *cmdline_option(const char *name);  /* what follows "name=" in the command line, or null */
uint64_t cmdline_number(const char *name, uint64_t otherwise);
const char *xen_error_name(int64_t error);     /* "EINVAL" for -22; "?" for what has no name */

#endif
