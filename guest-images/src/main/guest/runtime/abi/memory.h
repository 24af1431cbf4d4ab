/*
 * The Xen ABI of memory: page-table updates, reservations, grant tables.
 * Source: xen/include/public/xen.h, memory.h, grant_table.h (4.17).
 */
#ifndef ABI_MEMORY_H
#define ABI_MEMORY_H

#include "abi/core.h"

/* mmu_update.ptr bits 1:0 */
enum { MMU_NORMAL_PT_UPDATE = 0, MMU_MACHPHYS_UPDATE = 1, MMU_PT_UPDATE_PRESERVE_AD = 2,
       MMU_PT_UPDATE_NO_TRANSLATE = 3 };

struct mmu_update {
    uint64_t ptr;                /* machine address of the entry, and MMU_* */
    uint64_t val;
};

enum { MMUEXT_PIN_L1_TABLE = 0, MMUEXT_PIN_L2_TABLE = 1, MMUEXT_PIN_L3_TABLE = 2, MMUEXT_PIN_L4_TABLE = 3,
       MMUEXT_UNPIN_TABLE = 4, MMUEXT_NEW_BASEPTR = 5, MMUEXT_TLB_FLUSH_LOCAL = 6, MMUEXT_INVLPG_LOCAL = 7,
       MMUEXT_TLB_FLUSH_MULTI = 8, MMUEXT_INVLPG_MULTI = 9, MMUEXT_TLB_FLUSH_ALL = 10, MMUEXT_INVLPG_ALL = 11,
       MMUEXT_FLUSH_CACHE = 12, MMUEXT_SET_LDT = 13, MMUEXT_NEW_USER_BASEPTR = 15, MMUEXT_CLEAR_PAGE = 16,
       MMUEXT_COPY_PAGE = 17, MMUEXT_FLUSH_CACHE_GLOBAL = 18 };

struct mmuext_op {
    uint32_t cmd;
    xen_ulong_t arg1;            /* MFN or linear address */
    xen_ulong_t arg2;            /* number of LDT entries, pointer to a vCPU mask, or source MFN */
};
ABI_SIZE(struct mmuext_op, 24, 12);

enum { UVMF_NONE = 0, UVMF_TLB_FLUSH = 1, UVMF_INVLPG = 2, UVMF_ALL = 4 };

enum { XENMEM_increase_reservation = 0, XENMEM_decrease_reservation = 1, XENMEM_maximum_ram_page = 2,
       XENMEM_current_reservation = 3, XENMEM_maximum_reservation = 4, XENMEM_machphys_mfn_list = 5,
       XENMEM_populate_physmap = 6, XENMEM_add_to_physmap = 7, XENMEM_memory_map = 9, XENMEM_exchange = 11,
       XENMEM_machphys_mapping = 12, XENMEM_maximum_gpfn = 14, XENMEM_remove_from_physmap = 15 };

struct xen_memory_reservation {
    xen_pfn_t *extent_start;
    xen_ulong_t nr_extents;
    uint32_t extent_order;
    uint32_t mem_flags;
    domid_t  domid;
};
ABI_SIZE(struct xen_memory_reservation, 32, 20);

struct xen_memory_exchange {
    struct xen_memory_reservation in, out;
    xen_ulong_t nr_exchanged;
};
ABI_SIZE(struct xen_memory_exchange, 72, 44);

struct xen_machphys_mapping {
    xen_ulong_t v_start, v_end, max_mfn;
};

/* Grant tables, version 1 layout. */
struct grant_entry_v1 {
    uint16_t flags;              /* GTF_* */
    domid_t  domid;
    uint32_t frame;
};
_Static_assert(sizeof(struct grant_entry_v1) == 8, "grant_entry_v1");

#define GNTTAB_NR_RESERVED_ENTRIES 8

enum { GTF_invalid = 0, GTF_permit_access = 1, GTF_accept_transfer = 2, GTF_readonly = 4, GTF_reading = 8,
       GTF_writing = 16 };

enum { GNTTABOP_map_grant_ref = 0, GNTTABOP_unmap_grant_ref = 1, GNTTABOP_setup_table = 2, GNTTABOP_dump_table = 3,
       GNTTABOP_transfer = 4, GNTTABOP_copy = 5, GNTTABOP_query_size = 6, GNTTABOP_unmap_and_replace = 7,
       GNTTABOP_set_version = 8, GNTTABOP_get_status_frames = 9, GNTTABOP_get_version = 10,
       GNTTABOP_swap_grant_ref = 11, GNTTABOP_cache_flush = 12 };

enum { GNTMAP_device_map = 1, GNTMAP_host_map = 2, GNTMAP_readonly = 4, GNTMAP_application_map = 8,
       GNTMAP_contains_pte = 16 };

enum { GNTST_okay = 0, GNTST_general_error = -1, GNTST_bad_domain = -2, GNTST_bad_gntref = -3, GNTST_bad_handle = -4,
       GNTST_bad_virt_addr = -5, GNTST_bad_dev_addr = -6, GNTST_no_device_space = -7, GNTST_permission_denied = -8,
       GNTST_bad_page = -9, GNTST_bad_copy_arg = -10, GNTST_address_too_big = -11, GNTST_eagain = -12,
       GNTST_no_space = -13 };

struct gnttab_map_grant_ref {
    uint64_t host_addr;
    uint32_t flags, ref;
    domid_t  dom;
    int16_t  status;
    uint32_t handle;
    uint64_t dev_bus_addr;
};
_Static_assert(sizeof(struct gnttab_map_grant_ref) == 32, "gnttab_map_grant_ref");

struct gnttab_unmap_grant_ref {
    uint64_t host_addr, dev_bus_addr;
    uint32_t handle;
    int16_t  status;
};
_Static_assert(sizeof(struct gnttab_unmap_grant_ref) == 24, "gnttab_unmap_grant_ref");

struct gnttab_unmap_and_replace {
    uint64_t host_addr, new_addr;
    uint32_t handle;
    int16_t  status;
};

struct gnttab_setup_table {
    domid_t  dom;
    uint32_t nr_frames;
    int16_t  status;
    xen_pfn_t *frame_list;
};
ABI_SIZE(struct gnttab_setup_table, 24, 16);

#define GNTCOPY_source_gref 1
#define GNTCOPY_dest_gref   2

struct gnttab_copy_ptr {
    xen_pfn_t ref_or_gmfn;       /* a reference occupies the low 32 bits */
    domid_t  domid;
    uint16_t offset;
};

struct gnttab_copy {
    struct gnttab_copy_ptr source, dest;
    uint16_t len, flags;
    int16_t  status;
};
ABI_SIZE(struct gnttab_copy, 40, 24);

struct gnttab_query_size {
    domid_t  dom;
    uint32_t nr_frames, max_nr_frames;
    int16_t  status;
};

struct gnttab_transfer {
    xen_pfn_t mfn;
    domid_t  domid;
    uint32_t ref;
    int16_t  status;
};
ABI_SIZE(struct gnttab_transfer, 24, 16);

struct gnttab_set_version {
    uint32_t version;
};

struct gnttab_get_version {
    domid_t  dom;
    uint16_t pad;
    uint32_t version;
};

struct gnttab_swap_grant_ref {
    uint32_t ref_a, ref_b;
    int16_t  status;
};

#endif
