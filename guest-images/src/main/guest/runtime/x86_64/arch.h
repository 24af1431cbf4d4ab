/* What the runtime knows about 64-bit guests: their address space, their trap frames. Usable from assembly down to the first #ifndef. */
#ifndef ARCH_H
#define ARCH_H

#define VIRT_BASE 0xffffffff80000000

#define PAGING_LEVELS 4

/* Directive for what is as wide as a register. */
#define ASM_WORD .quad

#ifndef __ASSEMBLER__

#include <stdint.h>

/* The two GB from VIRT_BASE to the end of the address space, without the last page. */
#define MAX_LINEAR_PAGES 0x7fffful

/* Addresses for pages that are not in the linear mapping: foreign and shared frames. */
#define WINDOW_BASE 0xffffff0000000000ul

static inline unsigned long stack_pointer(void)
{
    unsigned long sp;

    __asm__("movq %%rsp, %0" : "=r"(sp));
    return sp;
}

static inline void memory_barrier(void) { __asm__ volatile("lock; addl $0, (%%rsp)" : : : "memory", "cc"); }

struct trap_frame {
    uint64_t r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
    uint64_t vector, error_code;
    uint64_t ip;
    uint32_t cs;
    uint32_t saved_upcall_mask;
    uint64_t flags, sp, ss;
};

static inline unsigned long trap_sp(const struct trap_frame *frame) { return frame->sp; }

#endif /* __ASSEMBLER__ */
#endif
