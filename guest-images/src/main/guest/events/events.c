/* events: the two-level event channel ABI, as one vCPU sees it. */
#include "verdict.h"

static unsigned delivered[64];

static void count(evtchn_port_t port, void *arg)
{
    (void)arg;
    delivered[port % 64]++;
}

static unsigned taken(evtchn_port_t port)
{
    unsigned result = delivered[port % 64];

    delivered[port % 64] = 0;
    return result;
}

/* A pair of ports of this domain, connected with each other. */
static void loopback(evtchn_port_t *first, evtchn_port_t *second)
{
    long unbound = event_alloc_unbound(DOMID_SELF, count, NULL), other;

    check(unbound > 0, "alloc_unbound: %s", xen_error_name(unbound));
    *first = unbound;
    other = event_bind_interdomain(DOMID_SELF, unbound, count, NULL);
    check(other > 0, "bind_interdomain: %s", xen_error_name(other));
    *second = other;
}

static void check_status(evtchn_port_t port, uint32_t status)
{
    struct evtchn_status op = {DOMID_SELF, port, 99, 99, {{0}}};

    if (check_result("status", hypercall_event_channel_op(EVTCHNOP_status, &op), 0))
        check_equal("status of the port", op.status, status);
}

static void test_delivery(void)
{
    long port = event_bind_ipi(0, count, NULL);

    section("delivery");
    if (!check(port > 0, "bind_ipi: %s", xen_error_name(port)))
        return;
    check_status(port, EVTCHNSTAT_ipi);
    check_result("send", event_send(port), 0);
    check_equal("upcalls after a send", taken(port), 1);

    events_disable();
    event_send(port);
    event_send(port);
    check_equal("upcalls while the vCPU masks them", taken(port), 0);
    check(event_is_pending(port), "the port is not pending");
    check_equal("upcall pending", this_cpu()->info->evtchn_upcall_pending, 1);
    check_equal("selector", this_cpu()->info->evtchn_pending_sel, 1ul << port / WORD_BITS);
    events_enable();
    check_equal("upcalls for two sends while masked", taken(port), 1);

    event_mask(port);
    event_send(port);
    check(event_is_pending(port), "a masked port does not become pending");
    check_equal("upcalls of a masked port", taken(port), 0);
    check_equal("selector for a masked port", this_cpu()->info->evtchn_pending_sel, 0);
    event_unmask(port);
    check_equal("upcalls after the unmask", taken(port), 1);
    check(!event_is_masked(port), "the port is still masked");
    event_unmask(port);
    check_equal("upcalls after another unmask", taken(port), 0);

    /* What is pending already is no edge. */
    events_disable();
    event_send(port);
    this_cpu()->info->evtchn_pending_sel = 0;
    this_cpu()->info->evtchn_upcall_pending = 0;
    event_send(port);
    check_equal("selector after a send to a pending port", this_cpu()->info->evtchn_pending_sel, 0);
    event_clear(port);
    events_enable();
    check_equal("upcalls", taken(port), 0);
    check_result("close", event_close(port), 0);
    check_status(port, EVTCHNSTAT_closed);
    check_result("close of a closed port", event_close(port), -XEN_EINVAL);
    check_result("send to a closed port", event_send(port), -XEN_EINVAL);
}

static void test_interdomain(void)
{
    evtchn_port_t first, second;
    struct evtchn_status op;

    section("interdomain");
    loopback(&first, &second);
    taken(first);
    taken(second);
    event_send(first);
    check(taken(first) == 0 && taken(second) == 1, "a send on one end did not arrive at the other end only");
    event_send(second);
    check(taken(first) == 1 && taken(second) == 0, "a send on the other end did not arrive");
    op = (struct evtchn_status){DOMID_SELF, first, 0, 0, {{0}}};
    hypercall_event_channel_op(EVTCHNOP_status, &op);
    check_equal("status", op.status, EVTCHNSTAT_interdomain);
    check_equal("remote port", op.u.interdomain.port, second);
    check_result("close of one end", event_close(first), 0);
    check_status(second, EVTCHNSTAT_unbound);
    check_result("send with the other end closed", event_send(second), 0);
    check_result("close of the other end", event_close(second), 0);

    check_result("bind_interdomain to a closed port", event_bind_interdomain(DOMID_SELF, first, NULL, NULL),
                 -XEN_EINVAL);
    check_result("bind_interdomain to no domain", event_bind_interdomain(0x7000, 1, NULL, NULL), -XEN_ESRCH);
    check_result("bind_interdomain past the last port", event_bind_interdomain(DOMID_SELF, 1u << 30, NULL, NULL),
                 -XEN_EINVAL);
}

static void test_errors(void)
{
    struct evtchn_port_op none = {0}, last = {~0u};
    struct evtchn_alloc_unbound foreign = {0, DOMID_SELF, 0};
    struct evtchn_bind_vcpu move = {0, 0};
    /* Of a 32-bit guest Xen takes what it can read: the M2P table too. */
    void *outside = (void *)BY_WIDTH(MACH2PHYS_VIRT_START, HYPERVISOR_LAST_PAGE);
    long timer = event_bind_virq(VIRQ_TIMER, 0, count, NULL), port;

    section("errors");
    check(timer > 0, "bind_virq of the timer: %s", xen_error_name(timer));
    check_status(timer, EVTCHNSTAT_virq);
    check_result("second bind_virq", event_bind_virq(VIRQ_TIMER, 0, NULL, NULL), -XEN_EEXIST);
    check_result("bind_virq of virq 24", event_bind_virq(NR_VIRQS, 0, NULL, NULL), -XEN_EINVAL);
    check_result("bind_virq on no vCPU", event_bind_virq(VIRQ_DEBUG, 77, NULL, NULL), -XEN_ENOENT);
    check_result("bind_virq of a global one on vCPU 1", event_bind_virq(VIRQ_CONSOLE, 1, NULL, NULL), -XEN_EINVAL);
    check_result("bind_ipi on no vCPU", event_bind_ipi(77, NULL, NULL), -XEN_ENOENT);
    check_result("close of port 0", hypercall_event_channel_op(EVTCHNOP_close, &none), -XEN_EINVAL);
    check_result("close of the largest port", hypercall_event_channel_op(EVTCHNOP_close, &last), -XEN_EINVAL);
    check_result("unmask of the largest port", hypercall_event_channel_op(EVTCHNOP_unmask, &last), -XEN_EINVAL);
    check_result("alloc_unbound for another domain", hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &foreign),
                 -XEN_EPERM);
    check_result("send to a virq", event_send(timer), -XEN_EINVAL);
    move.port = timer;
    check_result("bind_vcpu of a per-vCPU virq", hypercall_event_channel_op(EVTCHNOP_bind_vcpu, &move), -XEN_EINVAL);
    check_result("unknown operation", hypercall_event_channel_op(99, &none), -XEN_ENOSYS);
    check_result("argument outside the address space", hypercall_event_channel_op(EVTCHNOP_send, outside), -XEN_EFAULT);
    check_result("close of the timer", event_close(timer), 0);

    port = event_alloc_unbound(0, NULL, NULL);
    check(port > 0, "alloc_unbound for domain 0: %s", xen_error_name(port));
    check_status(port, EVTCHNSTAT_unbound);
    check_result("close of it", event_close(port), 0);
}

static void test_poll(void)
{
    long port = event_bind_ipi(0, NULL, NULL);
    evtchn_port_t poll[2] = {port, port};
    evtchn_port_t wrong = ~0u;
    uint64_t start, waited = 0;

    section("poll");
    check(port > 0, "bind_ipi: %s", xen_error_name(port));
    /* An upcall ends a poll too: the console's, for what was printed, may come first. */
    console_flush();
    for (unsigned attempt = 0; attempt < 5 && waited < 19 * NS_PER_MS; attempt++) {
        start = system_time();
        check_result("poll with timeout", sched_poll(poll, 1, start + 20 * NS_PER_MS), 0);
        waited = system_time() - start;
    }
    check(waited >= 19 * NS_PER_MS, "poll came back after %lu us", (unsigned long)waited / 1000);
    event_send(port);
    start = system_time();
    check_result("poll of a pending masked port", sched_poll(poll, 2, start + 10 * NS_PER_S), 0);
    waited = system_time() - start;
    check(waited < 5 * NS_PER_S, "poll of a pending port took %lu ms", (unsigned long)(waited / NS_PER_MS));
    event_clear(port);
    check_result("poll with a timeout in the past", sched_poll(poll, 1, 1), 0);
    check_result("poll of no ports, with timeout", sched_poll(NULL, 0, system_time() + NS_PER_MS), 0);
    check_result("poll of a wrong port", sched_poll(&wrong, 1, system_time() + NS_PER_MS), -XEN_EINVAL);
    check_result("poll of 129 ports", sched_poll(poll, 129, 0), -XEN_EINVAL);
    event_close(port);
}

static void test_many(void)
{
    static evtchn_port_t ports[400];
    unsigned bound = 0, arrived = 0;

    section("many ports");
    for (; bound < ARRAY_LENGTH(ports); bound++) {
        long port = event_bind_ipi(0, count, NULL);

        if (port < 0)
            break;
        ports[bound] = port;
    }
    check_equal("ports bound", bound, ARRAY_LENGTH(ports));
    memset(delivered, 0, sizeof(delivered));
    events_disable();
    for (unsigned i = 0; i < bound; i++)
        event_send(ports[i]);
    events_enable();
    for (unsigned i = 0; i < ARRAY_LENGTH(delivered); i++)
        arrived += delivered[i];
    check_equal("events that arrived in one upcall", arrived, bound);
    while (bound-- > 0)
        event_close(ports[bound]);
}

/* The words of shared_info and their bits are as wide as an unsigned long: their number limits that of ports. */
static void test_last(evtchn_port_t last)
{
    static evtchn_port_t ports[EVTCHN_2L_PORTS];
    unsigned bound = 0;
    evtchn_port_t highest = 0;
    long port;

    section("the last port");
    while ((port = event_bind_ipi(0, NULL, NULL)) > 0 && bound < ARRAY_LENGTH(ports)) {
        ports[bound++] = port;
        if ((evtchn_port_t)port > highest)
            highest = port;
    }
    check_result("one port too many", port, -XEN_ENOSPC);
    check_equal("the last port", highest, last);
    event_mask(highest);
    event_send(highest);
    check_equal("bit of the last port", shared_info->evtchn_pending[highest / WORD_BITS] >> highest % WORD_BITS & 1, 1);
    while (bound-- > 0)
        event_close(ports[bound]);
}

void guest_main(void)
{
    evtchn_port_t last = cmdline_number("last", 0);

    test_delivery();
    test_interdomain();
    test_errors();
    test_poll();
    test_many();
    if (last != 0)
        test_last(last);
    verdict("events");
}
