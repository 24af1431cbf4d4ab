/* What the runtime knows about 32-bit guests: their address space, their trap frames. Usable from assembly down to the first #ifndef. */
#ifndef ARCH_H
#define ARCH_H

#define VIRT_BASE 0xc0000000

#define PAGING_LEVELS 3

/* Directive for what is as wide as a register. */
#define ASM_WORD .long

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stdint.h>

/* From VIRT_BASE to where Xen's range starts. */
#define MAX_LINEAR_PAGES ((0xf5800000ul - VIRT_BASE) >> 12)

/* Addresses for pages that are not in the linear mapping: foreign and shared frames. In a slot of the root of their own. */
#define WINDOW_BASE 0x80000000ul

static inline unsigned long stack_pointer(void)
{
    unsigned long sp;

    __asm__("movl %%esp, %0" : "=r"(sp));
    return sp;
}

static inline void memory_barrier(void) { __asm__ volatile("lock; addl $0, (%%esp)" : : : "memory", "cc"); }

/* Xen pushes SP and SS only when it changes the stack: for a trap from ring 1, they are not part of the frame. */
struct trap_frame {
    uint32_t bx, cx, dx, si, di, bp, ds, es, ax;
    uint32_t vector, error_code;
    uint32_t ip;
    uint16_t cs;
    uint8_t  saved_upcall_mask, pad;
    uint32_t flags, sp, ss;
};

static inline unsigned long trap_sp(const struct trap_frame *frame)
{
    return (frame->cs & 3) == 3 ? frame->sp : (unsigned long)&frame->sp;
}

#endif /* __ASSEMBLER__ */
#endif
