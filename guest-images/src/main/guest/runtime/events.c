/* Event channels in the two-level layout: upcalls, masks, bindings. */
#include "internal.h"

#define MAX_PORTS 1024                         /* that can have a handler */

static struct {
    event_handler handler;
    void *arg;
} ports[MAX_PORTS];

/* Bits of the ports that each vCPU scans: the pending array is one for the domain, a port belongs to one vCPU. */
static unsigned long port_of_vcpu[MAX_VCPUS][EVTCHN_2L_WORDS];

static inline bool test_bit(const volatile unsigned long *bits, unsigned bit) { return bits[bit / WORD_BITS] >> (bit % WORD_BITS) & 1; }

static inline bool test_and_set_bit(volatile unsigned long *bits, unsigned long bit)
{
    bool old;

    __asm__ volatile("lock; bts %2, %1" : "=@ccc"(old), "+m"(*bits) : "r"(bit) : "memory");
    return old;
}

static inline bool test_and_clear_bit(volatile unsigned long *bits, unsigned long bit)
{
    bool old;

    __asm__ volatile("lock; btr %2, %1" : "=@ccc"(old), "+m"(*bits) : "r"(bit) : "memory");
    return old;
}

void events_init(void)
{
    for (unsigned word = 0; word < EVTCHN_2L_WORDS; word++) {
        shared_info->evtchn_mask[word] = ~0ul;
        port_of_vcpu[0][word] = ~0ul;
        for (unsigned vcpu = 1; vcpu < MAX_VCPUS; vcpu++)
            port_of_vcpu[vcpu][word] = 0;
    }
    this_cpu()->timer_port = 0;
}

bool events_disable(void)
{
    volatile uint8_t *mask = &this_cpu()->info->evtchn_upcall_mask;
    bool old = *mask;

    *mask = 1;
    compiler_barrier();
    return old;
}

void events_enable(void)
{
    struct vcpu_info *info = this_cpu()->info;

    compiler_barrier();
    *(volatile uint8_t *)&info->evtchn_upcall_mask = 0;
    compiler_barrier();
    /* Xen looks at pending events at the end of each hypercall; this one does nothing else. */
    if (*(volatile uint8_t *)&info->evtchn_upcall_pending)
        hypercall_xen_version(XENVER_version, NULL);
}

void events_restore(bool previously_masked)
{
    if (!previously_masked)
        events_enable();
}

static void dispatch(evtchn_port_t port)
{
    if (port < MAX_PORTS && ports[port].handler != NULL)
        ports[port].handler(port, ports[port].arg);
    else
        event_mask(port);
}

void event_upcall(void)
{
    struct cpu *cpu = this_cpu();
    struct vcpu_info *info = cpu->info;

    cpu->upcalls++;
    do {
        unsigned long selector;

        *(volatile uint8_t *)&info->evtchn_upcall_pending = 0;
        selector = __atomic_exchange_n(&info->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
        while (selector != 0) {
            unsigned word = __builtin_ctzl(selector);
            unsigned long bits;

            selector &= selector - 1;
            while ((bits = *(volatile unsigned long *)&shared_info->evtchn_pending[word] &
                           ~*(volatile unsigned long *)&shared_info->evtchn_mask[word] & port_of_vcpu[cpu->id][word]) != 0) {
                evtchn_port_t port = word * WORD_BITS + __builtin_ctzl(bits);

                event_clear(port);
                dispatch(port);
            }
        }
    } while (*(volatile uint8_t *)&info->evtchn_upcall_pending);
}

void event_set_handler(evtchn_port_t port, event_handler handler, void *arg)
{
    if (port >= MAX_PORTS)
        panic("port %u has no room for a handler", port);
    ports[port].arg = arg;
    ports[port].handler = handler;
}

void event_set_vcpu(evtchn_port_t port, uint32_t vcpu)
{
    for (unsigned other = 0; other < MAX_VCPUS; other++)
        test_and_clear_bit(port_of_vcpu[other], port);
    test_and_set_bit(port_of_vcpu[vcpu], port);
}

void event_mask(evtchn_port_t port) { test_and_set_bit(shared_info->evtchn_mask, port); }

void event_unmask(evtchn_port_t port)
{
    struct evtchn_port_op op = {port};

    /* By hypercall, for it works from each vCPU and raises what is pending at the right one. */
    hypercall_event_channel_op(EVTCHNOP_unmask, &op);
}

bool event_is_pending(evtchn_port_t port) { return test_bit(shared_info->evtchn_pending, port); }
bool event_is_masked(evtchn_port_t port) { return test_bit(shared_info->evtchn_mask, port); }
bool event_clear(evtchn_port_t port) { return test_and_clear_bit(shared_info->evtchn_pending, port); }

long event_send(evtchn_port_t port)
{
    struct evtchn_port_op op = {port};

    return hypercall_event_channel_op(EVTCHNOP_send, &op);
}

long event_close(evtchn_port_t port)
{
    struct evtchn_port_op op = {port};

    if (port < MAX_PORTS) {
        event_mask(port);
        ports[port].handler = NULL;
    }
    return hypercall_event_channel_op(EVTCHNOP_close, &op);
}

static long bound(long result, evtchn_port_t port, uint32_t vcpu, event_handler handler, void *arg)
{
    if (result != 0)
        return result;
    event_set_vcpu(port, vcpu);
    if (handler != NULL) {
        event_set_handler(port, handler, arg);
        event_unmask(port);
    }
    return port;
}

long event_bind_virq(uint32_t virq, uint32_t vcpu, event_handler handler, void *arg)
{
    struct evtchn_bind_virq op = {virq, vcpu, 0};
    long result = hypercall_event_channel_op(EVTCHNOP_bind_virq, &op);

    return bound(result, op.port, vcpu, handler, arg);
}

long event_bind_ipi(uint32_t vcpu, event_handler handler, void *arg)
{
    struct evtchn_bind_ipi op = {vcpu, 0};
    long result = hypercall_event_channel_op(EVTCHNOP_bind_ipi, &op);

    return bound(result, op.port, vcpu, handler, arg);
}

long event_alloc_unbound(domid_t remote, event_handler handler, void *arg)
{
    struct evtchn_alloc_unbound op = {DOMID_SELF, remote, 0};
    long result = hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &op);

    return bound(result, op.port, 0, handler, arg);
}

long event_bind_interdomain(domid_t remote, evtchn_port_t remote_port, event_handler handler, void *arg)
{
    struct evtchn_bind_interdomain op = {remote, remote_port, 0};
    long result = hypercall_event_channel_op(EVTCHNOP_bind_interdomain, &op);

    return bound(result, op.local_port, 0, handler, arg);
}
