/*
 * The Xen ABI of 32-bit PV guests with PAE: selectors, Xen's range, frames, callbacks.
 * Source: xen/include/public/arch-x86/xen-x86_32.h (4.17).
 */
#ifndef ABI_ARCH_H
#define ABI_ARCH_H

#define BY_WIDTH(in_64_bits, in_32_bits) in_32_bits
#define WORD_BITS 32

/* A PV kernel runs in ring 1, its user mode in ring 3, on the flat segments of Xen's own GDT pages. */
#define FLAT_RING1_CS  0xe019
#define FLAT_RING1_DS  0xe021
#define FLAT_RING1_SS  0xe021
#define FLAT_RING3_CS  0xe02b
#define FLAT_RING3_DS  0xe033
#define FLAT_RING3_SS  0xe033
#define FLAT_KERNEL_CS FLAT_RING1_CS
#define FLAT_KERNEL_DS FLAT_RING1_DS
#define FLAT_KERNEL_SS FLAT_RING1_SS
#define FLAT_USER_CS   FLAT_RING3_CS
#define FLAT_USER_DS   FLAT_RING3_DS
#define FLAT_USER_SS   FLAT_RING3_SS

/* Xen's range goes to the end of the address space; it starts with the machine-to-physical table, which can be read. */
#define HYPERVISOR_VIRT_START 0xf5800000ul
#define MACH2PHYS_VIRT_START  0xf5800000ul
#define MACH2PHYS_VIRT_END    0xf6800000ul
#define HYPERVISOR_LAST_PAGE  0xfffff000ul

#ifndef __ASSEMBLER__

#include <stdint.h>

typedef struct {
    unsigned long cs, eip;
} xen_callback_t;
#define XEN_CALLBACK(entry) {FLAT_KERNEL_CS, (unsigned long)(entry)}

struct cpu_user_regs {
    uint32_t ebx, ecx, edx, esi, edi, ebp, eax;
    uint16_t error_code, entry_vector;
    uint32_t eip;
    uint16_t cs;
    uint8_t  saved_upcall_mask, pad0;
    uint32_t eflags, esp;
    uint16_t ss, pad1, es, pad2, ds, pad3, fs, pad4, gs, pad5;
};
_Static_assert(sizeof(struct cpu_user_regs) == 68, "cpu_user_regs");

/* Parts of vcpu_guest_context. */
struct arch_callbacks {
    uint32_t event_callback_cs, event_callback_eip, failsafe_callback_cs, failsafe_callback_eip;
};

struct arch_segment_bases {
};

/* CR3 as vcpu_guest_context and MOV have it: rotated, for the frame may be above 4 GB. */
static inline unsigned long xen_pfn_to_cr3(unsigned long pfn) { return pfn << 12 | pfn >> 20; }

#endif /* __ASSEMBLER__ */
#endif
