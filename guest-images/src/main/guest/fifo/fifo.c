/*
 * fifo: the FIFO event channel ABI. The runtime scans two levels, so this guest has an upcall of its own, which consumes the queues as
 * the design says. vCPU 1 stays down: its queues are looked at from here. Needs vcpus=2.
 */
#include "verdict.h"

#define EVTCHN_FIFO_PENDING 31
#define EVTCHN_FIFO_MASKED  30
#define EVTCHN_FIFO_LINKED  29
#define LINK_MASK           0x1ffffu
#define WORDS               (PAGE_SIZE / sizeof(uint32_t))

struct control_block {
    uint32_t ready, reserved, head[16];
};

static volatile struct control_block *block[2];
static volatile uint32_t *words;
static uint32_t ready, heads[16];
static evtchn_port_t order[2048];
static unsigned handled;

static bool has(evtchn_port_t port, unsigned bit) { return words[port] >> bit & 1; }
static void clear(evtchn_port_t port, unsigned bit) { __atomic_fetch_and(&words[port], ~(1u << bit), __ATOMIC_SEQ_CST); }

static bool upcall(struct trap_frame *frame)
{
    struct vcpu_info *info = this_cpu()->info;

    (void)frame;
    do {
        *(volatile uint8_t *)&info->evtchn_upcall_pending = 0;
        while ((ready |= __atomic_exchange_n(&block[0]->ready, 0, __ATOMIC_SEQ_CST)) != 0) {
            unsigned queue = __builtin_ctz(ready);
            evtchn_port_t port = heads[queue] != 0 ? heads[queue] : block[0]->head[queue];
            uint32_t word = __atomic_fetch_and(&words[port], ~(1u << EVTCHN_FIFO_LINKED | LINK_MASK), __ATOMIC_SEQ_CST);

            heads[queue] = word & LINK_MASK;
            if (heads[queue] == 0)
                ready &= ~(1u << queue);
            if (has(port, EVTCHN_FIFO_PENDING) && !has(port, EVTCHN_FIFO_MASKED)) {
                clear(port, EVTCHN_FIFO_PENDING);
                if (handled < ARRAY_LENGTH(order))
                    order[handled++] = port;
            }
        }
    } while (*(volatile uint8_t *)&info->evtchn_upcall_pending);
    return true;
}

/* Whether, of the ports of this test, exactly these were handled since the last time, in this order. */
static bool handled_are(const evtchn_port_t *ports, unsigned count)
{
    unsigned found = 0;
    bool right = true;

    for (unsigned i = 0; i < handled; i++) {
        if (order[i] == start_info->console_evtchn || order[i] == start_info->store_evtchn)
            continue;
        right = right && found < count && order[i] == ports[found];
        found++;
    }
    handled = 0;
    return right && found == count;
}

static long init_control(uint64_t mfn, uint32_t offset, uint32_t vcpu, uint8_t *link_bits)
{
    struct evtchn_init_control op = {mfn, offset, vcpu, 0, {0}};
    long result = hypercall_event_channel_op(EVTCHNOP_init_control, &op);

    if (link_bits != NULL)
        *link_bits = op.link_bits;
    return result;
}

static long expand_array(uint64_t mfn)
{
    struct evtchn_expand_array op = {mfn};

    return hypercall_event_channel_op(EVTCHNOP_expand_array, &op);
}

static long set_priority(evtchn_port_t port, uint32_t priority)
{
    struct evtchn_set_priority op = {port, priority};

    return hypercall_event_channel_op(EVTCHNOP_set_priority, &op);
}

static evtchn_port_t ipi(uint32_t vcpu)
{
    long port = event_bind_ipi(vcpu, NULL, NULL);

    check(port > 0, "bind_ipi: %s", xen_error_name(port));
    return port;
}

static void test_change(void)
{
    struct callback_register callback = {CALLBACKTYPE_event, CALLBACKF_mask_events, XEN_CALLBACK(software_entry)};
    evtchn_port_t early = ipi(0), late;
    uint8_t link_bits;
    void *control = page_alloc(), *array = page_alloc();
    xen_pfn_t mfn = virt_to_mfn(control);

    section("change");
    check_result("expand_array in the two-level ABI", expand_array(virt_to_mfn(array)), -XEN_EOPNOTSUPP);
    check_result("set_priority in the two-level ABI", set_priority(early, 3), -XEN_ENOSYS);
    check_result("init_control of no vCPU", init_control(mfn, 0, 77, NULL), -XEN_ENOENT);
    check_result("init_control across the end of the page", init_control(mfn, 4032, 0, NULL), -XEN_EINVAL);
    check_result("init_control at an odd offset", init_control(mfn, 4, 0, NULL), -XEN_EINVAL);
    check_result("init_control in no page", init_control(~0ull, 0, 0, NULL), -XEN_EINVAL);
    check_result("init_control in a page table",
                 init_control(pte_machine_address(pte_of(VIRT_BASE, 1)) >> PAGE_SHIFT, 0, 0, NULL), -XEN_EINVAL);
    console_flush();
    events_disable();
    event_send(early);
    check(event_is_pending(early), "the port is not pending");

    block[0] = (volatile struct control_block *)control;
    block[1] = (volatile struct control_block *)((char *)control + 2048);
    words = array;
    for (unsigned i = 0; i < WORDS; i++)
        words[i] = i == start_info->console_evtchn || i == start_info->store_evtchn || i == early
                 ? 0 : 1u << EVTCHN_FIFO_MASKED;
    check_result("init_control", init_control(mfn, 0, 0, &link_bits), 0);
    check_equal("bits of a link", link_bits, 17);
    check_result("second init_control", init_control(mfn, 0, 0, NULL), -XEN_EINVAL);
    check_result("init_control of vCPU 1", init_control(mfn, 2048, 1, NULL), 0);
    trap_set_handler(VECTOR_SOFTWARE, upcall);
    check_result("callback_op", hypercall_callback_op(CALLBACKOP_register, &callback), 0);
    late = ipi(0);
    words[late] = 0;
    event_send(late);
    check_result("expand_array", expand_array(virt_to_mfn(array)), 0);
    check_result("expand_array with no page", expand_array(~0ull), -XEN_EINVAL);
    check(has(early, EVTCHN_FIFO_PENDING), "what was pending is no longer");
    events_enable();
    check(handled_are((evtchn_port_t[]){early < late ? early : late, early < late ? late : early}, 2),
          "not both ports were delivered");
    event_close(early);
    event_close(late);
}

static void test_order(void)
{
    evtchn_port_t a = ipi(0), b = ipi(0), c = ipi(0);

    section("order");
    words[a] = words[b] = words[c] = 0;
    events_disable();
    event_send(c);
    event_send(a);
    event_send(b);
    event_send(c);
    check(has(c, EVTCHN_FIFO_LINKED), "a pending port is not linked");
    check_equal("link of the first", words[c] & LINK_MASK, a);
    events_enable();
    check(handled_are((evtchn_port_t[]){c, a, b}, 3), "the ports did not come in the order of sending");

    check_result("set_priority", set_priority(b, 1), 0);
    check_result("set_priority", set_priority(a, 15), 0);
    check_result("set_priority beyond the last", set_priority(a, 16), -XEN_EINVAL);
    check_result("set_priority of a closed port", set_priority(1000, 1), -XEN_EINVAL);
    events_disable();
    event_send(a);
    event_send(c);
    event_send(b);
    events_enable();
    check(handled_are((evtchn_port_t[]){b, c, a}, 3), "the ports did not come by priority");
    event_close(a);
    event_close(b);
    event_close(c);
}

static void test_mask(void)
{
    evtchn_port_t port = ipi(0);

    section("mask");
    words[port] = 1u << EVTCHN_FIFO_MASKED;
    event_send(port);
    check_equal("word of a masked port", words[port], 1u << EVTCHN_FIFO_PENDING | 1u << EVTCHN_FIFO_MASKED);
    check(handled_are(NULL, 0), "a masked port was delivered");
    event_unmask(port);
    check(handled_are(&port, 1), "the unmask did not deliver");
    check_equal("word then", words[port], 0);

    /* A closed port that is still linked is not given out. */
    events_disable();
    event_send(port);
    event_close(port);
    check(!has(port, EVTCHN_FIFO_PENDING), "a closed port is pending");
    evtchn_port_t other = ipi(0);
    check(other != port, "port %u was given out while in a queue", port);
    events_enable();
    check(handled_are(NULL, 0), "a closed port was delivered");
    event_close(other);
}

static void test_vcpus(void)
{
    evtchn_port_t port = ipi(1), moved;
    long unbound = event_alloc_unbound(DOMID_SELF, NULL, NULL), peer;
    struct evtchn_bind_vcpu move;

    section("vCPUs");
    words[port] = 0;
    event_send(port);
    check_equal("ready queues of vCPU 1", block[1]->ready, 1 << 7);
    check_equal("head of its queue", block[1]->head[7], port);
    check(handled_are(NULL, 0), "its event came here");

    peer = event_bind_interdomain(DOMID_SELF, unbound, NULL, NULL);
    check(unbound > 0 && peer > 0, "bind_interdomain: %s", xen_error_name(peer));
    moved = unbound;
    words[moved] = 0;
    handled = 0;                               /* binding notifies the port that it makes */
    event_send(peer);
    check(handled_are(&moved, 1), "the event did not come here");
    move.port = moved;
    move.vcpu = 1;
    check_result("bind_vcpu", hypercall_event_channel_op(EVTCHNOP_bind_vcpu, &move), 0);
    event_send(peer);
    check_equal("link of the first port", words[port] & LINK_MASK, moved);
    check(handled_are(NULL, 0), "the event came here still");
}

static void test_poll(void)
{
    evtchn_port_t port = ipi(0);
    uint64_t start;

    section("poll");
    words[port] = 1u << EVTCHN_FIFO_MASKED;
    event_send(port);
    start = system_time();
    check_result("poll of a pending port", sched_poll(&port, 1, start + 10 * NS_PER_S), 0);
    check(system_time() - start < 5 * NS_PER_S, "it waited");
    clear(port, EVTCHN_FIFO_PENDING);
    console_flush();
    check_result("poll with a timeout", sched_poll(&port, 1, system_time() + 5 * NS_PER_MS), 0);
    event_close(port);
}

static void test_many(void)
{
    static evtchn_port_t ports[900];
    unsigned bound = 0;

    section("many ports");
    for (; bound < ARRAY_LENGTH(ports); bound++) {
        ports[bound] = ipi(0);
        words[ports[bound]] = 0;
    }
    events_disable();
    for (unsigned i = 0; i < bound; i++)
        event_send(ports[i]);
    events_enable();
    check(handled_are(ports, bound), "not all %u events arrived in order", bound);
    while (bound-- > 0)
        event_close(ports[bound]);
}

/* Words and heads that make no sense: what Xen does with them hurts nobody. */
static void test_garbage(void)
{
    evtchn_port_t a = ipi(0), b = ipi(0);

    section("garbage");
    events_disable();
    for (unsigned i = 0; i < 200; i++) {
        words[a] = (i * 2654435761u) & ~(1u << EVTCHN_FIFO_PENDING);
        words[b] = ~words[a] & ~(1u << EVTCHN_FIFO_PENDING);
        block[0]->head[7] = ~i;
        block[0]->ready = i;
        check_result("send", event_send(i % 2 ? a : b), 0);
    }
    for (unsigned i = 0; i < 16; i++)
        heads[i] = block[0]->head[i] = 0;
    block[0]->ready = ready = 0;
    words[a] = words[b] = 0;
    event_send(a);
    events_enable();
    check(handled_are(&a, 1), "the port is not delivered any more");
    event_close(a);
    event_close(b);
}

void guest_main(void)
{
    test_change();
    test_order();
    test_mask();
    test_vcpus();
    test_poll();
    test_many();
    test_garbage();
    verdict("fifo");
}
