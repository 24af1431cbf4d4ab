/* The PV console: two byte rings in one shared page (io/console.h), and the event channel to its backend. */
#include "internal.h"

static volatile struct xencons_interface *ring;

static void woken(evtchn_port_t port, void *arg)
{
    /* Whoever waits looks at the ring again. */
    (void)port;
    (void)arg;
}

void console_init(void)
{
    ring = pfn_to_virt(mfn_to_pfn(start_info->console_mfn));
    event_set_handler(start_info->console_evtchn, woken, NULL);
    event_unmask(start_info->console_evtchn);
}

/* Space or progress is waited for with SCHEDOP_poll, for this must also work in a trap handler, with events masked. */
static void wait_for_backend(uint64_t deadline)
{
    evtchn_port_t port = start_info->console_evtchn;
    uint32_t before = ring->out_cons;

    event_clear(port);
    memory_barrier();
    if (ring->out_cons == before)
        sched_poll(&port, 1, deadline);
}

void console_write(const char *text, size_t length)
{
    if (ring == NULL)
        return;
    while (length > 0) {
        uint32_t produced = ring->out_prod;
        uint32_t space = sizeof(ring->out) - (produced - ring->out_cons);

        memory_barrier();
        if (space == 0 || space > sizeof(ring->out)) {
            event_send(start_info->console_evtchn);
            wait_for_backend(system_time() + 100 * NS_PER_MS);
            continue;
        }
        while (space > 0 && length > 0) {
            ring->out[produced++ % sizeof(ring->out)] = *text++;
            space--;
            length--;
        }
        memory_barrier();
        ring->out_prod = produced;
    }
    event_send(start_info->console_evtchn);
}

void console_flush(void)
{
    uint64_t deadline = system_time() + 2 * NS_PER_S;

    while (ring != NULL && ring->out_cons != ring->out_prod && system_time() < deadline)
        wait_for_backend(system_time() + 20 * NS_PER_MS);
}

bool console_has_input(void)
{
    return ring->in_cons != ring->in_prod;
}

int console_read(void)
{
    uint32_t consumed = ring->in_cons;
    char c;

    if (consumed == ring->in_prod)
        return -1;
    memory_barrier();
    c = ring->in[consumed % sizeof(ring->in)];
    memory_barrier();
    ring->in_cons = consumed + 1;
    event_send(start_info->console_evtchn);
    return (uint8_t)c;
}
