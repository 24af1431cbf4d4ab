/*
 * control: a toolstack in a guest. With the public ABI alone, and the privilege that its configuration gives it, it makes a domain out
 * of the ELF image that is its initial RAM disk, follows its console, and ends it; and it tries what no toolstack may.
 */
#ifndef TOOLSTACK_H
#define TOOLSTACK_H

#include "abi/control.h"
#include "verdict.h"

#define CHILD_PAGES 1024                             /* 4 MiB: what one pair of L1 tables maps */

extern domid_t self;

/* ---- calls.c ------------------------------------------------------------------------------------------------------- */

int64_t domctl(struct xen_domctl *op, uint32_t cmd, domid_t domain);
int64_t domctl_simple(uint32_t cmd, domid_t domain); /* a command without an argument */
int64_t sysctl(struct xen_sysctl *op, uint32_t cmd);
int64_t create_domain(domid_t wanted, uint32_t vcpus);
int64_t domain_info(domid_t domain, struct xen_domctl_getdomaininfo *info);
uint64_t free_pages(void);
int64_t populate(domid_t domain, uint64_t *frames, uint64_t count);   /* PFNs in, MFNs out; how many */
int64_t destroy_domain(domid_t domain);

/* Maps frames of another domain, or takes the mapping away; the address, or the error in *error. */
void *map_foreign(domid_t domain, const uint64_t *frames, unsigned count, int64_t *error);
void unmap_foreign(void *address, unsigned count);

/* ---- build.c ------------------------------------------------------------------------------------------------------- */

struct child {
    domid_t domid;
    uint64_t frames[CHILD_PAGES];                    /* MFN of each PFN */
    uint64_t console_pfn, store_pfn;
    evtchn_port_t console_port, store_port;          /* the child's */
};

bool build_child(struct child *child, const void *image, uint64_t length, uint64_t pages);

/* ---- cases --------------------------------------------------------------------------------------------------------- */

void test_refused(void);                             /* without the privilege */
void test_errors(void);
void test_host(void);

#endif
