/*
 * The Xen ABI of event channels. Source: xen/include/public/event_channel.h, xen.h (VIRQ_*) (4.17).
 */
#ifndef ABI_EVENT_H
#define ABI_EVENT_H

#include "abi/core.h"

enum { EVTCHNOP_bind_interdomain = 0, EVTCHNOP_bind_virq = 1, EVTCHNOP_bind_pirq = 2, EVTCHNOP_close = 3,
       EVTCHNOP_send = 4, EVTCHNOP_status = 5, EVTCHNOP_alloc_unbound = 6, EVTCHNOP_bind_ipi = 7,
       EVTCHNOP_bind_vcpu = 8, EVTCHNOP_unmask = 9, EVTCHNOP_reset = 10, EVTCHNOP_init_control = 11,
       EVTCHNOP_expand_array = 12, EVTCHNOP_set_priority = 13 };

enum { VIRQ_TIMER = 0, VIRQ_DEBUG = 1, VIRQ_CONSOLE = 2, VIRQ_DOM_EXC = 3, VIRQ_TBUF = 4, VIRQ_XENOPROF = 7,
       VIRQ_CON_RING = 8, VIRQ_XENPMU = 13, NR_VIRQS = 24 };

struct evtchn_alloc_unbound {
    domid_t dom, remote_dom;
    evtchn_port_t port;
};

struct evtchn_bind_interdomain {
    domid_t remote_dom;
    evtchn_port_t remote_port, local_port;
};

struct evtchn_bind_virq {
    uint32_t virq, vcpu;
    evtchn_port_t port;
};

struct evtchn_bind_pirq {
    uint32_t pirq, flags;
    evtchn_port_t port;
};

struct evtchn_bind_ipi {
    uint32_t vcpu;
    evtchn_port_t port;
};

/* EVTCHNOP_close, EVTCHNOP_send, EVTCHNOP_unmask */
struct evtchn_port_op {
    evtchn_port_t port;
};

struct evtchn_bind_vcpu {
    evtchn_port_t port;
    uint32_t vcpu;
};

struct evtchn_set_priority {
    evtchn_port_t port;
    uint32_t priority;
};

struct evtchn_reset {
    domid_t dom;
};

struct evtchn_init_control {
    uint64_t control_gfn;
    uint32_t offset, vcpu;
    uint8_t  link_bits, pad[7];
};

struct evtchn_expand_array {
    uint64_t array_gfn;
};

enum { EVTCHNSTAT_closed = 0, EVTCHNSTAT_unbound = 1, EVTCHNSTAT_interdomain = 2, EVTCHNSTAT_pirq = 3,
       EVTCHNSTAT_virq = 4, EVTCHNSTAT_ipi = 5 };

struct evtchn_status {
    domid_t dom;
    evtchn_port_t port;
    uint32_t status;             /* EVTCHNSTAT_* */
    uint32_t vcpu;
    union {
        struct { domid_t dom; } unbound;
        struct { domid_t dom; evtchn_port_t port; } interdomain;
        uint32_t pirq, virq;
    } u;
};
_Static_assert(sizeof(struct evtchn_status) == 24, "evtchn_status");

#endif
