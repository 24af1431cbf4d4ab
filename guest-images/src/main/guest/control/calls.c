/* domctl, sysctl and memory_op as a toolstack makes them, and mappings of other domains' frames. */
#include "toolstack.h"

int64_t domctl(struct xen_domctl *op, uint32_t cmd, domid_t domain)
{
    op->cmd = cmd;
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = domain;
    return hypercall1(HYPERCALL_domctl, (uint64_t)op);
}

int64_t domctl_simple(uint32_t cmd, domid_t domain)
{
    struct xen_domctl op = {0};

    return domctl(&op, cmd, domain);
}

int64_t sysctl(struct xen_sysctl *op, uint32_t cmd)
{
    op->cmd = cmd;
    op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return hypercall1(HYPERCALL_sysctl, (uint64_t)op);
}

int64_t create_domain(domid_t wanted, uint32_t vcpus)
{
    struct xen_domctl op = {0};
    int64_t error;

    op.u.createdomain = (struct xen_domctl_createdomain){
        .handle = {0xc0, 0x17, 0x01}, .max_vcpus = vcpus, .max_evtchn_port = 1023, .max_grant_frames = -1,
        .max_maptrack_frames = -1, .grant_opts = 2};
    error = domctl(&op, XEN_DOMCTL_createdomain, wanted);
    return error < 0 ? error : op.domain;
}

int64_t domain_info(domid_t domain, struct xen_domctl_getdomaininfo *info)
{
    struct xen_domctl op = {0};
    int64_t error = domctl(&op, XEN_DOMCTL_getdomaininfo, domain);

    /* Without such a domain the answer is the next one. */
    if (error == 0 && op.domain != domain)
        error = -XEN_ESRCH;
    *info = op.u.getdomaininfo;
    return error;
}

uint64_t free_pages(void)
{
    struct xen_sysctl op = {0};

    check_result("physinfo", sysctl(&op, XEN_SYSCTL_physinfo), 0);
    return op.u.physinfo.free_pages;
}

int64_t populate(domid_t domain, uint64_t *frames, uint64_t count)
{
    struct xen_memory_reservation reservation = {frames, count, 0, 0, domain};

    return hypercall_memory_op(XENMEM_populate_physmap, &reservation);
}

int64_t destroy_domain(domid_t domain)
{
    return domctl_simple(XEN_DOMCTL_destroydomain, domain);
}

#define BATCH 32

void *map_foreign(domid_t domain, const uint64_t *frames, unsigned count, int64_t *error)
{
    uint64_t va = window_alloc(count);

    *error = 0;
    for (unsigned at = 0; at < count && *error == 0; at += BATCH) {
        struct mmu_update updates[BATCH];
        unsigned n = count - at < BATCH ? count - at : BATCH;

        for (unsigned i = 0; i < n && *error == 0; i++) {
            uint64_t page = va + (uint64_t)(at + i) * PAGE_SIZE;

            *error = map_page(page, 0);              /* the tables, and an empty entry */
            updates[i].ptr = pte_machine_address(pte_of(page, 1)) | MMU_NORMAL_PT_UPDATE;
            updates[i].val = mfn_to_pte(frames[at + i], PTE_KERNEL);
        }
        if (*error == 0)
            *error = hypercall_mmu_update(updates, n, NULL, domain);
    }
    if (*error != 0)
        unmap_foreign((void *)va, count);
    return *error == 0 ? (void *)va : NULL;
}

void unmap_foreign(void *address, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t page = (uint64_t)address + (uint64_t)i * PAGE_SIZE;
        const volatile pte_t *entry = pte_of(page, 1);

        if (entry != NULL && (*entry & PTE_PRESENT) != 0)
            check_result("unmapping a frame", hypercall_update_va_mapping(page, 0, UVMF_INVLPG | UVMF_ALL), 0);
    }
}
