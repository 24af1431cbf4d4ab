/*
 * The Xen ABI of toolstacks: domctl and sysctl, interface version 0x15.
 * Source: xen/include/public/domctl.h, sysctl.h, memory.h (4.17).
 */
#ifndef ABI_CONTROL_H
#define ABI_CONTROL_H

#include "abi/core.h"

#define XEN_DOMCTL_INTERFACE_VERSION 0x15
#define XEN_SYSCTL_INTERFACE_VERSION 0x15

enum { XEN_DOMCTL_createdomain = 1, XEN_DOMCTL_destroydomain = 2, XEN_DOMCTL_pausedomain = 3,
       XEN_DOMCTL_unpausedomain = 4, XEN_DOMCTL_getdomaininfo = 5, XEN_DOMCTL_setvcpuaffinity = 9,
       XEN_DOMCTL_shadow_op = 10, XEN_DOMCTL_max_mem = 11, XEN_DOMCTL_setvcpucontext = 12,
       XEN_DOMCTL_getvcpucontext = 13, XEN_DOMCTL_getvcpuinfo = 14, XEN_DOMCTL_max_vcpus = 15,
       XEN_DOMCTL_scheduler_op = 16, XEN_DOMCTL_setdomainhandle = 17, XEN_DOMCTL_setdebugging = 18,
       XEN_DOMCTL_hypercall_init = 22, XEN_DOMCTL_settimeoffset = 24, XEN_DOMCTL_getvcpuaffinity = 25,
       XEN_DOMCTL_resumedomain = 27, XEN_DOMCTL_gethvmcontext = 33, XEN_DOMCTL_set_address_size = 35,
       XEN_DOMCTL_settscinfo = 60, XEN_DOMCTL_setnodeaffinity = 68, XEN_DOMCTL_getnodeaffinity = 69,
       XEN_DOMCTL_get_cpu_policy = 82, XEN_DOMCTL_set_cpu_policy = 83, XEN_DOMCTL_get_paging_mempool_size = 85 };

#define XEN_DOMCTL_CDF_hvm 1

struct xen_domctl_createdomain {
    uint32_t ssidref;
    uint8_t  handle[16];
    uint32_t flags, iommu_opts, max_vcpus, max_evtchn_port;
    int32_t  max_grant_frames, max_maptrack_frames;  /* negative: the hypervisor's default */
    uint32_t grant_opts;                             /* low 4 bits: latest version */
    uint32_t vmtrace_size, cpupool_id;
    uint32_t emulation_flags, misc_flags;
};
_Static_assert(sizeof(struct xen_domctl_createdomain) == 64, "xen_domctl_createdomain");

#define XEN_DOMINF_dying    (1 << 0)
#define XEN_DOMINF_shutdown (1 << 2)
#define XEN_DOMINF_paused   (1 << 3)
#define XEN_DOMINF_blocked  (1 << 4)
#define XEN_DOMINF_running  (1 << 5)
#define XEN_DOMINF_shutdownshift 16
#define XEN_DOMINF_shutdownmask  255

struct xen_domctl_getdomaininfo {
    domid_t  domain;
    uint16_t pad1;
    uint32_t flags;
    uint64_t tot_pages, max_pages, outstanding_pages, shr_pages, paged_pages;
    uint64_t shared_info_frame, cpu_time;
    uint32_t nr_online_vcpus, max_vcpu_id, ssidref;
    uint8_t  handle[16];
    uint32_t cpupool;
    uint8_t  gpaddr_bits, pad2[7];
    uint32_t emulation_flags, misc_flags;
} __attribute__((aligned(8)));
_Static_assert(sizeof(struct xen_domctl_getdomaininfo) == 112, "xen_domctl_getdomaininfo");

struct xenctl_bitmap {
    void    *bitmap;
    uint32_t nr_bits;
};

#define XEN_VCPUAFFINITY_HARD 1
#define XEN_VCPUAFFINITY_SOFT 2

struct xen_domctl_vcpuaffinity {
    uint32_t vcpu, flags;
    struct xenctl_bitmap cpumap_hard, cpumap_soft;
};

struct xen_domctl_vcpucontext {
    uint32_t vcpu;
    void    *ctxt;
};

struct xen_domctl_getvcpuinfo {
    uint32_t vcpu;
    uint8_t  online, blocked, running;
    uint64_t cpu_time;
    uint32_t cpu;
};

#define XEN_SCHEDULER_CREDIT2      6
#define XEN_DOMCTL_SCHEDOP_putinfo 0
#define XEN_DOMCTL_SCHEDOP_getinfo 1

struct xen_domctl_scheduler_op {
    uint32_t sched_id, cmd;
    uint16_t weight, cap;
};

struct xen_domctl_shadow_op {
    uint32_t op, mode, mb;
};

struct xen_domctl_tsc_info {
    uint32_t tsc_mode, gtsc_khz, incarnation, pad;
    uint64_t elapsed_nsec;
};

struct xen_domctl_cpu_policy {
    uint32_t nr_leaves, nr_msrs;
    void    *leaves, *msrs;
    uint32_t err_leaf, err_subleaf, err_msr;
};

struct xen_cpuid_leaf {
    uint32_t leaf, subleaf, a, b, c, d;
};

struct xen_domctl {
    uint32_t cmd, interface_version;
    domid_t  domain;
    uint16_t pad[3];
    union {
        struct xen_domctl_createdomain createdomain;
        struct xen_domctl_getdomaininfo getdomaininfo;
        struct xen_domctl_vcpuaffinity vcpuaffinity;
        struct xen_domctl_vcpucontext vcpucontext;
        struct xen_domctl_getvcpuinfo getvcpuinfo;
        struct xen_domctl_scheduler_op scheduler_op;
        struct xen_domctl_shadow_op shadow_op;
        struct xen_domctl_tsc_info tsc_info;
        struct xen_domctl_cpu_policy cpu_policy;
        struct xenctl_bitmap nodemap;
        uint64_t max_memkb;
        uint32_t max_vcpus;
        uint64_t gmfn;
        int64_t  time_offset_seconds;
        uint32_t address_size;
        uint8_t  handle[16];
        uint8_t  enable;
        uint8_t  bytes[128];
    } u;
};
_Static_assert(sizeof(struct xen_domctl) == 144, "xen_domctl");

enum { XEN_SYSCTL_readconsole = 1, XEN_SYSCTL_physinfo = 3, XEN_SYSCTL_sched_id = 4, XEN_SYSCTL_getdomaininfolist = 6,
       XEN_SYSCTL_getcpuinfo = 8, XEN_SYSCTL_cputopoinfo = 16, XEN_SYSCTL_numainfo = 17, XEN_SYSCTL_cpupool_op = 18,
       XEN_SYSCTL_get_cpu_featureset = 26, XEN_SYSCTL_get_cpu_policy = 29 };

#define XEN_SYSCTL_PHYSCAP_pv (1 << 1)

struct xen_sysctl_readconsole {
    uint8_t  clear, incremental, pad[2];
    uint32_t index;
    char    *buffer;
    uint32_t count;
};

struct xen_sysctl_physinfo {
    uint32_t threads_per_core, cores_per_socket, nr_cpus, max_cpu_id, nr_nodes, max_node_id, cpu_khz;
    uint32_t capabilities, arch_capabilities, pad;
    uint64_t total_pages, free_pages, scrub_pages, outstanding_pages, max_mfn;
    uint32_t hw_cap[8];
};
_Static_assert(sizeof(struct xen_sysctl_physinfo) == 112, "xen_sysctl_physinfo");

struct xen_sysctl_getdomaininfolist {
    domid_t  first_domain;
    uint32_t max_domains;
    struct xen_domctl_getdomaininfo *buffer;
    uint32_t num_domains;
};

struct xen_sysctl_getcpuinfo {
    uint32_t max_cpus;
    uint64_t *info;                                  /* ns each processor was idle */
    uint32_t nr_cpus;
};

struct xen_sysctl_cputopo {
    uint32_t core, socket, node;
};

struct xen_sysctl_cputopoinfo {
    uint32_t num_cpus;
    struct xen_sysctl_cputopo *cputopo;
};

struct xen_sysctl_meminfo {
    uint64_t memsize, memfree;
};

struct xen_sysctl_numainfo {
    uint32_t num_nodes;
    struct xen_sysctl_meminfo *meminfo;
    uint32_t *distance;
};

#define XEN_SYSCTL_CPUPOOL_OP_INFO 3

struct xen_sysctl_cpupool_op {
    uint32_t op, cpupool_id, sched_id, domid, cpu, n_dom;
    struct xenctl_bitmap cpumap;
};

struct xen_sysctl_cpu_featureset {
    uint32_t index, nr_features;
    uint32_t *features;
};

struct xen_sysctl_cpu_policy {
    uint32_t index, nr_leaves, nr_msrs, rsvd;
    void    *leaves, *msrs;
};

struct xen_sysctl {
    uint32_t cmd, interface_version;
    union {
        struct xen_sysctl_readconsole readconsole;
        struct xen_sysctl_physinfo physinfo;
        struct xen_sysctl_getdomaininfolist getdomaininfolist;
        struct xen_sysctl_getcpuinfo getcpuinfo;
        struct xen_sysctl_cputopoinfo cputopoinfo;
        struct xen_sysctl_numainfo numainfo;
        struct xen_sysctl_cpupool_op cpupool_op;
        struct xen_sysctl_cpu_featureset cpu_featureset;
        struct xen_sysctl_cpu_policy cpu_policy;
        uint32_t sched_id;
        uint8_t  bytes[128];
    } u;
};
_Static_assert(sizeof(struct xen_sysctl) == 136, "xen_sysctl");

/* memory_op */
enum { XENMEM_set_memory_map = 13, XENMEM_claim_pages = 24, XENMEM_acquire_resource = 28 };

struct xen_e820_entry {
    uint64_t addr, size;
    uint32_t type;                                   /* 1: RAM */
} __attribute__((packed));

struct xen_foreign_memory_map {
    domid_t  domid;
    uint32_t nr_entries __attribute__((aligned(8)));
    void    *buffer;
};
_Static_assert(sizeof(struct xen_foreign_memory_map) == 24, "xen_foreign_memory_map");

#define XENMEM_resource_grant_table 1

struct xen_mem_acquire_resource {
    domid_t  domid;
    uint16_t type;
    uint32_t id, nr_frames, pad;
    uint64_t frame;
    uint64_t *frame_list;
};
_Static_assert(sizeof(struct xen_mem_acquire_resource) == 32, "xen_mem_acquire_resource");

struct sched_remote_shutdown {
    domid_t  domain_id;
    uint32_t reason;
};

#endif
