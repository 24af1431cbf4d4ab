/* event_channel_op. */
#include "torture.h"

static int64_t op(uint32_t cmd, void *block) { return hypercall_event_channel_op(cmd, spoil(block)); }

static uint32_t any_vcpu(void) { return one_in(4) ? odd_number() : below(3); }

static int64_t alloc_unbound(void)
{
    struct evtchn_alloc_unbound *block = argument(sizeof(*block));
    int64_t result;

    block->dom = one_in(4) ? any_domain() : DOMID_SELF;
    block->remote_dom = any_domain();
    result = op(EVTCHNOP_alloc_unbound, block);
    if (result == 0)
        remember_port(block->port);
    return result;
}

static int64_t bind_interdomain(void)
{
    struct evtchn_bind_interdomain *block = argument(sizeof(*block));
    int64_t result;

    block->remote_dom = any_domain();
    block->remote_port = any_port();
    result = op(EVTCHNOP_bind_interdomain, block);
    if (result == 0)
        remember_port(block->local_port);
    return result;
}

static int64_t bind_virq(void)
{
    struct evtchn_bind_virq *block = argument(sizeof(*block));
    int64_t result;

    block->virq = one_in(8) ? odd_number() : below(NR_VIRQS);
    block->vcpu = any_vcpu();
    result = op(EVTCHNOP_bind_virq, block);
    if (result == 0)
        remember_port(block->port);
    return result;
}

static int64_t bind_pirq(void)
{
    struct evtchn_bind_pirq *block = argument(sizeof(*block));

    block->pirq = odd_number();
    block->flags = below(4);
    return op(EVTCHNOP_bind_pirq, block);
}

static int64_t bind_ipi(void)
{
    struct evtchn_bind_ipi *block = argument(sizeof(*block));
    int64_t result;

    block->vcpu = any_vcpu();
    result = op(EVTCHNOP_bind_ipi, block);
    if (result == 0)
        remember_port(block->port);
    return result;
}

static struct evtchn_port_op *port_block(evtchn_port_t port)
{
    struct evtchn_port_op *block = argument(sizeof(*block));

    block->port = port;
    return block;
}

static int64_t close_port(void) { return op(EVTCHNOP_close, port_block(expendable_port())); }
static int64_t send(void) { return op(EVTCHNOP_send, port_block(any_port())); }
static int64_t unmask(void) { return op(EVTCHNOP_unmask, port_block(any_port())); }

static int64_t status(void)
{
    struct evtchn_status *block = argument(sizeof(*block));

    block->dom = any_domain();
    block->port = any_port();
    return op(EVTCHNOP_status, block);
}

static int64_t bind_vcpu(void)
{
    struct evtchn_bind_vcpu *block = argument(sizeof(*block));

    block->port = expendable_port();
    block->vcpu = any_vcpu();
    return op(EVTCHNOP_bind_vcpu, block);
}

/* To reset itself would close the console's port. */
static int64_t reset(void)
{
    struct evtchn_reset *block = argument(sizeof(*block));

    block->dom = one_in(2) ? 0 : 0x7000 + below(0x1ff0);
    if (block->dom == DOMID_SELF)
        block->dom = DOMID_XEN;
    return hypercall_event_channel_op(EVTCHNOP_reset, block);
}

/* A control block that Xen accepts would change the event ABI under the runtime: always a wrong offset. */
static int64_t init_control(void)
{
    struct evtchn_init_control *block = argument(sizeof(*block));

    block->control_gfn = any_mfn();
    block->offset = PAGE_SIZE - below(64);
    block->vcpu = any_vcpu();
    return op(EVTCHNOP_init_control, block);
}

static int64_t expand_array(void)
{
    struct evtchn_expand_array *block = argument(sizeof(*block));

    block->array_gfn = any_mfn();
    return op(EVTCHNOP_expand_array, block);
}

static int64_t set_priority(void)
{
    struct evtchn_set_priority *block = argument(sizeof(*block));

    block->port = any_port();
    block->priority = below(20);
    return op(EVTCHNOP_set_priority, block);
}

static int64_t unknown(void) { return op(15 + below(100), argument(64)); }

/* What the guest itself may write at any time: pending and mask words of the shared info page. */
static int64_t scribble(void)
{
    unsigned word = 1 + below(EVTCHN_2L_WORDS - 1);

    ((volatile uint64_t *)shared_info->evtchn_pending)[word] = odd_number();
    ((volatile uint64_t *)shared_info->evtchn_mask)[word] = odd_number();
    __atomic_fetch_or(&this_cpu()->info->evtchn_pending_sel, odd_number(), __ATOMIC_SEQ_CST);
    /* Xen leaves a word alone that is selected already: without this, no event of it would ever come. */
    this_cpu()->info->evtchn_upcall_pending = 1;
    return hypercall_xen_version(XENVER_version, NULL);
}

static const struct operation list[] = {
    {"event_channel_op.bind_interdomain", bind_interdomain, 10},
    {"event_channel_op.bind_virq", bind_virq, 6},
    {"event_channel_op.bind_pirq", bind_pirq, 2},
    {"event_channel_op.close", close_port, 30},
    {"event_channel_op.send", send, 12},
    {"event_channel_op.status", status, 8},
    {"event_channel_op.alloc_unbound", alloc_unbound, 12},
    {"event_channel_op.bind_ipi", bind_ipi, 8},
    {"event_channel_op.bind_vcpu", bind_vcpu, 6},
    {"event_channel_op.unmask", unmask, 8},
    {"event_channel_op.reset", reset, 2},
    {"event_channel_op.init_control", init_control, 2},
    {"event_channel_op.expand_array", expand_array, 2},
    {"event_channel_op.set_priority", set_priority, 2},
    {"event_channel_op (unknown)", unknown, 1},
    {"xen_version after a write to shared_info", scribble, 3},
};
const struct operations event_operations = OPERATIONS(list);
