/*
 * Event channels, vCPUs that take turns, the timer.
 *
 *   serve DOMAIN             opens a port for DOMAIN and grants it pages, publishes them as data/port and data/grants, and answers
 *                            each event with one
 *   bind DOMAIN PORT GRANTS  binds to the port of a guest that serves
 *   ping N                   N events to that guest, each sent when the answer to the one before has come
 *   self N                   N events to this vCPU itself, each sent when the one before has been delivered
 *   ipi N                    N times there and back between two vCPUs that block in between
 *   turns N                  N times there and back between two vCPUs that yield in between
 *   timer N                  N times the timer is set to now, and its event waited for
 */
#include "bench.h"

struct peer peer;

/* How often something that has been sent has come, by whom it was sent for. */
static volatile uint64_t answers, echoes, interrupts, replies;

static void answer(evtchn_port_t port, void *arg)
{
    (void)arg;
    event_send(port);
}

static void note(evtchn_port_t port, void *arg)
{
    (void)port;
    ++*(volatile uint64_t *)arg;
}

struct wanted {
    volatile uint64_t *count;
    uint64_t value;
};

static bool has_come(void *arg)
{
    const struct wanted *wanted = arg;

    return *wanted->count >= wanted->value;
}

/* N times an event by the port that makes the count go up. */
static int64_t send_and_wait(evtchn_port_t port, volatile uint64_t *count, uint64_t times)
{
    /* Binding makes a port pending once. */
    struct wanted wanted = {count, *count};

    for (uint64_t i = 0; i < times; i++) {
        int64_t error;

        wanted.value++;
        error = event_send(port);
        if (error != 0)
            return error;
        wait_until(has_come, &wanted, 0);
    }
    return 0;
}

static int64_t publish(const char *path, uint64_t number)
{
    char text[24];
    int error;

    format_string(text, sizeof(text), "%lu", number);
    error = xenstore_write(0, path, text);
    return error < 0 ? error : 0;
}

static int64_t serve(const uint64_t *numbers)
{
    int64_t error = grant_init(), port;

    if (peer.port != 0)
        return -XEN_EBUSY;
    if (error != 0)
        return error;
    for (unsigned i = 0; i < OFFERED_PAGES; i++) {
        void *page = page_alloc();
        int64_t ref = grant_access(numbers[0], virt_to_mfn(page), false);

        if (ref < 0)
            return ref;
        if (i == 0) {
            peer.grants = ref;
            peer.received = page;
        }
        /* The client asks for them by number, from the first on. */
        if (ref != peer.grants + i)
            return -XEN_ENOSPC;
    }
    port = event_alloc_unbound(numbers[0], answer, NULL);
    if (port < 0)
        return port;
    peer.domain = numbers[0];
    peer.port = port;
    error = publish("data/grants", peer.grants);
    return error != 0 ? error : publish("data/port", port);
}

static int64_t bind(const uint64_t *numbers)
{
    uint64_t window = window_alloc(1);
    struct gnttab_map_grant_ref map = {window, GNTMAP_host_map, numbers[2], numbers[0], 0, 0, 0};
    int64_t error = map_page(window, 0), port;

    if (peer.port != 0)
        return -XEN_EBUSY;
    if (error == 0)
        error = hypercall_grant_table_op(GNTTABOP_map_grant_ref, &map, 1);
    if (error != 0 || map.status != GNTST_okay)
        return error != 0 ? error : map.status;
    port = event_bind_interdomain(numbers[0], numbers[1], note, (void *)&answers);
    if (port < 0)
        return port;
    peer = (struct peer){numbers[0], port, numbers[2], (volatile uint32_t *)window};
    return 0;
}

static int64_t ping(const uint64_t *numbers)
{
    return peer.port == 0 ? -XEN_ENOTCONN : send_and_wait(peer.port, &answers, numbers[0]);
}

static int64_t self(const uint64_t *numbers)
{
    static evtchn_port_t port;

    if (port == 0) {
        int64_t receiver = event_alloc_unbound(DOMID_SELF, note, (void *)&echoes), sender;

        if (receiver < 0)
            return receiver;
        sender = event_bind_interdomain(DOMID_SELF, receiver, NULL, NULL);
        if (sender < 0)
            return sender;
        port = sender;
    }
    return send_and_wait(port, &echoes, numbers[0]);
}

/* ---- two vCPUs ------------------------------------------------------------------------------------------------------ */

/* What the second vCPU is up for. */
static volatile bool interrupted, at_turns;
static volatile uint32_t turn;                 /* which vCPU's it is */
static evtchn_port_t to_second, to_first;

static void reply(evtchn_port_t port, void *arg)
{
    (void)port;
    (void)arg;
    interrupts++;
    event_send(to_first);
}

static bool is_over(void *arg) { return !*(volatile bool *)arg; }

static void second(void *arg)
{
    (void)arg;
    for (;;) {
        if (interrupted) {
            event_set_vcpu(to_second, 1);
            event_unmask(to_second);
            wait_until(is_over, (void *)&interrupted, 0);
            event_mask(to_second);
        }
        while (at_turns) {
            if (turn == 1)
                turn = 0;
            sched_yield();
        }
        vcpu_stop_self();
    }
}

static int64_t start_second(void)
{
    static bool started;

    if (vcpu_count() < 2)
        return -XEN_ENOENT;
    if (started)
        return hypercall_vcpu_op(VCPUOP_up, 1, NULL);
    started = true;
    return vcpu_start(1, second, NULL);
}

static void await_down(void)
{
    while (vcpu_is_up(1))
        sched_yield();
}

static int64_t ipi(const uint64_t *numbers)
{
    int64_t error;

    if (to_first == 0) {
        int64_t first_port = event_bind_ipi(0, note, (void *)&replies), second_port = event_bind_ipi(1, reply, NULL);

        if (first_port < 0 || second_port < 0)
            return first_port < 0 ? first_port : second_port;
        event_mask(second_port);
        to_first = first_port;
        to_second = second_port;
    }
    interrupted = true;
    error = start_second();
    if (error == 0)
        error = send_and_wait(to_second, &replies, numbers[0]);
    interrupted = false;
    event_send(to_second);
    await_down();
    return error;
}

static int64_t turns(const uint64_t *numbers)
{
    int64_t error;

    turn = 0;
    at_turns = true;
    error = start_second();
    for (uint64_t i = 0; i < numbers[0] && error == 0; i++) {
        turn = 1;
        while (turn != 0)
            sched_yield();
    }
    at_turns = false;
    if (error == 0)
        await_down();
    return error;
}

static bool has_fired(void *arg) { return this_cpu()->timer_fired != *(const uint32_t *)arg; }

static int64_t timer(const uint64_t *numbers)
{
    timer_set(0);                              /* binds the port */
    for (uint64_t i = 0; i < numbers[0]; i++) {
        uint32_t before = this_cpu()->timer_fired;
        int64_t error = hypercall_set_timer_op(system_time());

        if (error != 0)
            return error;
        wait_until(has_fired, &before, 0);
    }
    return 0;
}

const struct command event_commands[] = {
    {"serve", 1, serve}, {"bind", 3, bind},   {"ping", 1, ping},   {"self", 1, self},
    {"ipi", 1, ipi},     {"turns", 1, turns}, {"timer", 1, timer}, {NULL, 0, NULL},
};
