/*
 * The Xen ABI for PV guests: hypercall numbers, errors, start_info, shared_info.
 *
 * Layouts follow xen/include/public/xen.h and arch-x86/xen*.h of Xen 4.17; only what these guests use is here. They are those of
 * 64-bit guests when compiled for 64 bits, of 32-bit guests when compiled for 32; what is not the same by its types alone is in
 * abi/arch.h of each width. The sizes asserted below are the contract with the hypervisor.
 */
#ifndef ABI_CORE_H
#define ABI_CORE_H

#define HYPERCALL_set_trap_table        0
#define HYPERCALL_mmu_update            1
#define HYPERCALL_set_gdt               2
#define HYPERCALL_stack_switch          3
#define HYPERCALL_set_callbacks         4
#define HYPERCALL_fpu_taskswitch        5
#define HYPERCALL_platform_op           7
#define HYPERCALL_set_debugreg          8
#define HYPERCALL_get_debugreg          9
#define HYPERCALL_update_descriptor    10
#define HYPERCALL_memory_op            12
#define HYPERCALL_multicall            13
#define HYPERCALL_update_va_mapping    14
#define HYPERCALL_set_timer_op         15
#define HYPERCALL_xen_version          17
#define HYPERCALL_console_io           18
#define HYPERCALL_grant_table_op       20
#define HYPERCALL_vm_assist            21
#define HYPERCALL_update_va_mapping_otherdomain 22
#define HYPERCALL_iret                 23
#define HYPERCALL_vcpu_op              24
#define HYPERCALL_set_segment_base     25
#define HYPERCALL_mmuext_op            26
#define HYPERCALL_xsm_op               27
#define HYPERCALL_nmi_op               28
#define HYPERCALL_sched_op             29
#define HYPERCALL_callback_op          30
#define HYPERCALL_xenoprof_op          31
#define HYPERCALL_event_channel_op     32
#define HYPERCALL_physdev_op           33
#define HYPERCALL_hvm_op               34
#define HYPERCALL_sysctl               35
#define HYPERCALL_domctl               36
#define HYPERCALL_kexec_op             37
#define HYPERCALL_argo_op              39
#define HYPERCALL_xenpmu_op            40
#define HYPERCALL_dm_op                41
#define HYPERCALL_hypfs_op             42

#include "abi/arch.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

/* The size of a structure, in a 64-bit guest and in one of 32 bits. */
#define ABI_SIZE(type, size_64, size_32) _Static_assert(sizeof(type) == BY_WIDTH(size_64, size_32), #type)

/* Hypercalls return these negated. */
enum xen_errno {
    XEN_EPERM = 1, XEN_ENOENT = 2, XEN_ESRCH = 3, XEN_EINTR = 4, XEN_EIO = 5, XEN_ENXIO = 6, XEN_E2BIG = 7,
    XEN_ENOEXEC = 8, XEN_EBADF = 9, XEN_ECHILD = 10, XEN_EAGAIN = 11, XEN_ENOMEM = 12, XEN_EACCES = 13,
    XEN_EFAULT = 14, XEN_EBUSY = 16, XEN_EEXIST = 17, XEN_EXDEV = 18, XEN_ENODEV = 19, XEN_ENOTDIR = 20,
    XEN_EISDIR = 21, XEN_EINVAL = 22, XEN_ENFILE = 23, XEN_EMFILE = 24, XEN_ENOSPC = 28, XEN_EROFS = 30,
    XEN_EMLINK = 31, XEN_EDOM = 33, XEN_ERANGE = 34, XEN_EDEADLK = 35, XEN_ENAMETOOLONG = 36, XEN_ENOLCK = 37,
    XEN_ENOSYS = 38, XEN_ENOTEMPTY = 39, XEN_ENODATA = 61, XEN_ETIME = 62, XEN_EBADMSG = 74, XEN_EOVERFLOW = 75,
    XEN_EILSEQ = 84, XEN_ERESTART = 85, XEN_EMSGSIZE = 90, XEN_EOPNOTSUPP = 95, XEN_ENOBUFS = 105,
    XEN_EISCONN = 106, XEN_ENOTCONN = 107, XEN_ETIMEDOUT = 110,
};

#define DOMID_SELF 0x7ff0
#define DOMID_IO   0x7ff1
#define DOMID_XEN  0x7ff2

typedef unsigned long xen_ulong_t;
typedef xen_ulong_t xen_pfn_t;
typedef uint16_t domid_t;
typedef uint32_t evtchn_port_t;

/* start_info.flags */
#define SIF_PRIVILEGED      1
#define SIF_INITDOMAIN      2
#define SIF_MULTIBOOT_MOD   4
#define SIF_MOD_START_PFN   8
#define SIF_VIRT_P2M_4TOOLS 16

struct start_info {
    char        magic[32];      /* "xen-3.0-x86_64" or "xen-3.0-x86_32p" */
    xen_ulong_t nr_pages;       /* pages allocated to this domain */
    xen_ulong_t shared_info;    /* machine address */
    uint32_t    flags;          /* SIF_* */
    xen_ulong_t store_mfn;
    uint32_t    store_evtchn;
    xen_ulong_t console_mfn;
    uint32_t    console_evtchn;
    xen_ulong_t pt_base;        /* virtual address of the root table */
    xen_ulong_t nr_pt_frames;   /* bootstrap page-table frames, from pt_base on */
    xen_ulong_t mfn_list;       /* virtual address of the P2M: one MFN for each PFN */
    xen_ulong_t mod_start;
    xen_ulong_t mod_len;
    char        cmd_line[1024];
    xen_ulong_t first_p2m_pfn;
    xen_ulong_t nr_p2m_frames;
};
ABI_SIZE(struct start_info, 1168, 1112);
_Static_assert(offsetof(struct start_info, cmd_line) == BY_WIDTH(128, 80), "start_info.cmd_line");

struct vcpu_time_info {
    uint32_t version;            /* odd while Xen updates the rest */
    uint32_t pad0;
    uint64_t tsc_timestamp;
    uint64_t system_time;        /* ns since the host booted, at tsc_timestamp */
    uint32_t tsc_to_system_mul;  /* 32.32 fixed point */
    int8_t   tsc_shift;
    uint8_t  flags;
    uint8_t  pad1[2];
};
_Static_assert(sizeof(struct vcpu_time_info) == 32, "vcpu_time_info");

struct vcpu_info {
    uint8_t  evtchn_upcall_pending;
    uint8_t  evtchn_upcall_mask;
    xen_ulong_t evtchn_pending_sel;
    xen_ulong_t cr2;             /* of the page fault delivered last */
    xen_ulong_t pad[BY_WIDTH(1, 5)];
    struct vcpu_time_info time;
};
_Static_assert(sizeof(struct vcpu_info) == 64, "vcpu_info");

#define LEGACY_MAX_VCPUS 32
#define EVTCHN_2L_WORDS  WORD_BITS      /* of WORD_BITS each */
#define EVTCHN_2L_PORTS  (WORD_BITS * WORD_BITS)

struct shared_info {
    struct vcpu_info vcpu_info[LEGACY_MAX_VCPUS];
    xen_ulong_t evtchn_pending[EVTCHN_2L_WORDS];
    xen_ulong_t evtchn_mask[EVTCHN_2L_WORDS];
    uint32_t    wc_version;      /* odd while Xen updates the wall clock */
    uint32_t    wc_sec;          /* Unix time at system_time 0 */
    uint32_t    wc_nsec;
#ifdef __x86_64__
    uint32_t    wc_sec_hi;
#endif
    xen_ulong_t max_pfn;
    xen_ulong_t pfn_to_mfn_frame_list_list;
    xen_ulong_t nmi_reason;
    xen_ulong_t p2m_cr3;         /* root of the address space in which p2m_vaddr is valid */
    xen_ulong_t p2m_vaddr;
    xen_ulong_t p2m_generation;
#ifdef __i386__
    uint32_t    wc_sec_hi;
#endif
};
ABI_SIZE(struct shared_info, 3136, 2344);

struct multicall_entry {
    xen_ulong_t op, result;
    xen_ulong_t args[6];
};
ABI_SIZE(struct multicall_entry, 64, 32);

/* xen_version sub-operations (version.h) */
enum { XENVER_version = 0, XENVER_extraversion = 1, XENVER_compile_info = 2, XENVER_capabilities = 3,
       XENVER_changeset = 4, XENVER_platform_parameters = 5, XENVER_get_features = 6, XENVER_pagesize = 7,
       XENVER_guest_handle = 8, XENVER_commandline = 9, XENVER_build_id = 10 };

typedef char xen_extraversion_t[16];
typedef char xen_capabilities_info_t[1024];

enum { CONSOLEIO_write = 0, CONSOLEIO_read = 1 };

/* vm_assist (xen.h) */
enum { PHYSDEVOP_set_iopl = 6 };

struct physdev_set_iopl { uint32_t iopl; };

enum { VMASST_CMD_enable = 0, VMASST_CMD_disable = 1 };
enum { VMASST_TYPE_writable_pagetables = 2, VMASST_TYPE_pae_extended_cr3 = 3, VMASST_TYPE_architectural_iopl = 4,
       VMASST_TYPE_runstate_update_flag = 5, VMASST_TYPE_m2p_strict = 32 };

/* sched_op (sched.h) */
enum { SCHEDOP_yield = 0, SCHEDOP_block = 1, SCHEDOP_shutdown = 2, SCHEDOP_poll = 3, SCHEDOP_remote_shutdown = 4,
       SCHEDOP_shutdown_code = 5, SCHEDOP_watchdog = 6, SCHEDOP_pin_override = 7 };
enum shutdown_reason { SHUTDOWN_poweroff = 0, SHUTDOWN_reboot = 1, SHUTDOWN_suspend = 2, SHUTDOWN_crash = 3,
                       SHUTDOWN_watchdog = 4, SHUTDOWN_soft_reset = 5 };

struct sched_poll {
    const evtchn_port_t *ports;
    uint32_t nr_ports;
    uint64_t timeout;            /* absolute system time in ns; 0: none */
};
ABI_SIZE(struct sched_poll, 24, 16);

#endif /* __ASSEMBLER__ */
#endif
