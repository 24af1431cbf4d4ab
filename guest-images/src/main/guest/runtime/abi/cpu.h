/*
 * The Xen ABI of a virtual CPU: traps, callbacks, contexts, VCPUOP_*.
 * Source: xen/include/public/arch-x86/xen.h, callback.h, vcpu.h (4.17).
 */
#ifndef ABI_CPU_H
#define ABI_CPU_H

#include "abi/core.h"

/* trap_info.flags: bits 1:0 are the highest CPL that may raise the vector by INT n. */
#define TI_MASK_EVENTS 4

struct trap_info {
    uint8_t  vector;
    uint8_t  flags;
    uint16_t cs;
    xen_ulong_t address;         /* 0 ends the table */
};
ABI_SIZE(struct trap_info, 16, 8);

enum { CALLBACKOP_register = 0, CALLBACKOP_unregister = 1 };
enum { CALLBACKTYPE_event = 0, CALLBACKTYPE_failsafe = 1, CALLBACKTYPE_syscall = 2, CALLBACKTYPE_nmi = 4,
       CALLBACKTYPE_sysenter = 5, CALLBACKTYPE_syscall32 = 7 };
#define CALLBACKF_mask_events 1

struct callback_register {
    uint16_t type, flags;
    xen_callback_t address;
};
ABI_SIZE(struct callback_register, 16, 12);

enum { SEGBASE_FS = 0, SEGBASE_GS_USER = 1, SEGBASE_GS_KERNEL = 2, SEGBASE_GS_USER_SEL = 3 };

/* vcpu_guest_context.flags */
#define VGCF_i387_valid                (1 << 0)
#define VGCF_in_kernel                 (1 << 2)
#define VGCF_failsafe_disables_events  (1 << 3)
#define VGCF_syscall_disables_events   (1 << 4)
#define VGCF_online                    (1 << 5)

struct vcpu_guest_context {
    uint8_t  fpu_ctxt[512];
    xen_ulong_t flags;
    struct cpu_user_regs user_regs;
    struct trap_info trap_ctxt[256];
    xen_ulong_t ldt_base, ldt_ents;
    xen_ulong_t gdt_frames[16], gdt_ents;
    xen_ulong_t kernel_ss, kernel_sp;
    xen_ulong_t ctrlreg[8];      /* [1]: user-mode CR3 of a 64-bit guest, [3]: kernel CR3 */
    xen_ulong_t debugreg[8];
    struct arch_callbacks callbacks;
    xen_ulong_t vm_assist;
    struct arch_segment_bases bases;
};
ABI_SIZE(struct vcpu_guest_context, 5168, 2800);

enum { VCPUOP_initialise = 0, VCPUOP_up = 1, VCPUOP_down = 2, VCPUOP_is_up = 3, VCPUOP_get_runstate_info = 4,
       VCPUOP_register_runstate_memory_area = 5, VCPUOP_set_periodic_timer = 6, VCPUOP_stop_periodic_timer = 7,
       VCPUOP_set_singleshot_timer = 8, VCPUOP_stop_singleshot_timer = 9, VCPUOP_register_vcpu_info = 10,
       VCPUOP_send_nmi = 11, VCPUOP_get_physid = 12, VCPUOP_register_vcpu_time_memory_area = 13 };

enum { RUNSTATE_running = 0, RUNSTATE_runnable = 1, RUNSTATE_blocked = 2, RUNSTATE_offline = 3 };

struct vcpu_runstate_info {
    int32_t  state;
    uint64_t state_entry_time;
    uint64_t time[4];            /* ns spent in each RUNSTATE_* */
};
ABI_SIZE(struct vcpu_runstate_info, 48, 44);

#define VCPU_SSHOTTMR_future 1

struct vcpu_set_singleshot_timer {
    uint64_t timeout_abs_ns;
    uint32_t flags;
};
ABI_SIZE(struct vcpu_set_singleshot_timer, 16, 12);

struct vcpu_set_periodic_timer {
    uint64_t period_ns;
};

struct vcpu_register_vcpu_info {
    uint64_t mfn;
    uint32_t offset, rsvd;
};

/* vcpu_register_runstate_memory_area and vcpu_register_time_memory_area: one linear address. */
struct vcpu_register_area {
    uint64_t address;
};

#endif
