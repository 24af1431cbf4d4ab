/*
 * The Xen ABI of 64-bit PV guests: selectors, Xen's range, frames, callbacks. Source: xen/include/public/arch-x86/xen-x86_64.h (4.17).
 */
#ifndef ABI_ARCH_H
#define ABI_ARCH_H

#define BY_WIDTH(in_64_bits, in_32_bits) in_64_bits
#define WORD_BITS 64

/* A PV kernel and its user mode both run in ring 3, on the flat segments of Xen's own GDT pages. */
#define FLAT_RING3_CS64 0xe033
#define FLAT_RING3_SS64 0xe02b
#define FLAT_KERNEL_CS  FLAT_RING3_CS64
#define FLAT_KERNEL_SS  FLAT_RING3_SS64
#define FLAT_USER_CS    FLAT_RING3_CS64
#define FLAT_USER_SS    FLAT_RING3_SS64

/* Machine-to-physical table: read-only, mapped by Xen into each PV address space. */
#define MACH2PHYS_VIRT_START 0xffff800000000000ul
#define HYPERVISOR_VIRT_END  0xffff880000000000ul
#define HYPERVISOR_LAST_PAGE (HYPERVISOR_VIRT_END - 4096)

#ifndef __ASSEMBLER__

#include <stdint.h>

typedef unsigned long xen_callback_t;
#define XEN_CALLBACK(entry) ((unsigned long)(entry))

/* iret_context.flags: leave by SYSRET, RCX and R11 of the frame are not restored. */
#define VGCF_in_syscall (1 << 8)

struct iret_context {
    uint64_t rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct iret_context) == 72, "iret_context");

struct cpu_user_regs {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint32_t error_code, entry_vector;
    uint64_t rip;
    uint16_t cs, pad0;
    uint8_t  saved_upcall_mask, pad1[3];
    uint64_t rflags, rsp;
    uint64_t ss, es, ds, fs, gs;
};
_Static_assert(sizeof(struct cpu_user_regs) == 200, "cpu_user_regs");

/* Parts of vcpu_guest_context. */
struct arch_callbacks {
    uint64_t event_callback_eip, failsafe_callback_eip, syscall_callback_eip;
};

struct arch_segment_bases {
    uint64_t fs_base, gs_base_kernel, gs_base_user;
};

/* CR3 as vcpu_guest_context and MOV have it. */
static inline unsigned long xen_pfn_to_cr3(unsigned long pfn) { return pfn << 12; }

#endif /* __ASSEMBLER__ */
#endif
