/* Client of xenstored: one request at a time over the ring page (io/xs_wire.h), watch events kept aside. */
#include "internal.h"

#define MAX_EVENTS 16
#define EVENT_SIZE 320                         /* path and token with their terminators; longer ones are dropped */

static volatile struct xenstore_domain_interface *ring;
static uint32_t next_request;

static char events[MAX_EVENTS][EVENT_SIZE];
static unsigned events_produced, events_consumed;

/* Payload of the message received last. */
static char payload[XENSTORE_PAYLOAD_MAX + 1];

static void woken(evtchn_port_t port, void *arg)
{
    (void)port;
    (void)arg;
}

void xenstore_init(void)
{
    ring = pfn_to_virt(mfn_to_pfn(start_info->store_mfn));
    events_produced = events_consumed = 0;
    event_set_handler(start_info->store_evtchn, woken, NULL);
    event_unmask(start_info->store_evtchn);
}

static bool can_write(void *arg)
{
    (void)arg;
    return ring->req_prod - ring->req_cons < XENSTORE_RING_SIZE;
}

static bool can_read(void *arg)
{
    (void)arg;
    return ring->rsp_prod != ring->rsp_cons;
}

static void send_bytes(const void *data, size_t length)
{
    const char *bytes = data;

    while (length > 0) {
        uint32_t produced, space;

        wait_until(can_write, NULL, 0);
        produced = ring->req_prod;
        space = XENSTORE_RING_SIZE - (produced - ring->req_cons);
        memory_barrier();
        for (; space > 0 && length > 0; space--, length--)
            ring->req[produced++ % XENSTORE_RING_SIZE] = *bytes++;
        memory_barrier();
        ring->req_prod = produced;
        event_send(start_info->store_evtchn);
    }
}

static void receive_bytes(void *data, size_t length)
{
    char *bytes = data;

    while (length > 0) {
        uint32_t consumed, available;

        wait_until(can_read, NULL, 0);
        consumed = ring->rsp_cons;
        available = ring->rsp_prod - consumed;
        memory_barrier();
        for (; available > 0 && length > 0; available--, length--)
            *bytes++ = ring->rsp[consumed++ % XENSTORE_RING_SIZE];
        memory_barrier();
        ring->rsp_cons = consumed;
        event_send(start_info->store_evtchn);
    }
}

/* Reads one message; watch events go to the queue. */
static struct xsd_sockmsg receive(void)
{
    struct xsd_sockmsg header;

    receive_bytes(&header, sizeof(header));
    if (header.len > XENSTORE_PAYLOAD_MAX)
        panic("xenstore message of %u bytes", header.len);
    receive_bytes(payload, header.len);
    payload[header.len] = '\0';
    if (header.type == XS_WATCH_EVENT && header.len <= EVENT_SIZE && events_produced - events_consumed < MAX_EVENTS)
        memcpy(events[events_produced++ % MAX_EVENTS], payload, header.len);
    return header;
}

static int error_number(const char *name)
{
    for (int number = 1; number <= XEN_ETIMEDOUT; number++) {
        if (strcmp(xen_error_name(number), name) == 0)
            return -number;
    }
    return -XEN_EIO;
}

int xenstore_request(enum xsd_type type, uint32_t tx, const void *data, size_t length, char *reply, size_t size)
{
    struct xsd_sockmsg header = {type, ++next_request, tx, length};

    if (length > XENSTORE_PAYLOAD_MAX)
        return -XEN_E2BIG;
    send_bytes(&header, sizeof(header));
    send_bytes(data, length);
    do {
        header = receive();
    } while (header.type == XS_WATCH_EVENT || header.req_id != next_request);
    if (header.type == XS_ERROR)
        return error_number(payload);
    if (reply != NULL && size > 0) {
        size_t copied = header.len < size - 1 ? header.len : size - 1;

        memcpy(reply, payload, copied);
        reply[copied] = '\0';
    }
    return header.len;
}

/* A request whose payload is one string, or two. */
static int request_strings(enum xsd_type type, uint32_t tx, const char *first, const char *second, bool terminated,
                           char *reply, size_t size)
{
    char data[1024];
    size_t length = strlen(first) + 1, second_length = 0;

    if (second != NULL)
        second_length = strlen(second) + terminated;
    if (length + second_length > sizeof(data))
        return -XEN_E2BIG;
    memcpy(data, first, length);
    if (second != NULL)
        memcpy(data + length, second, second_length);
    return xenstore_request(type, tx, data, length + second_length, reply, size);
}

int xenstore_read(uint32_t tx, const char *path, char *value, size_t size)
{
    return request_strings(XS_READ, tx, path, NULL, false, value, size);
}

int xenstore_write(uint32_t tx, const char *path, const char *value)
{
    return request_strings(XS_WRITE, tx, path, value, false, NULL, 0);
}

int xenstore_list(uint32_t tx, const char *path, char *names, size_t size)
{
    return request_strings(XS_DIRECTORY, tx, path, NULL, false, names, size);
}

int xenstore_remove(uint32_t tx, const char *path)
{
    return request_strings(XS_RM, tx, path, NULL, false, NULL, 0);
}

int xenstore_transaction_start(uint32_t *tx)
{
    char id[16];
    uint64_t value;
    int result = request_strings(XS_TRANSACTION_START, 0, "", NULL, false, id, sizeof(id));

    if (result < 0)
        return result;
    if (!parse_number(id, &value))
        return -XEN_EIO;
    *tx = value;
    return 0;
}

int xenstore_transaction_end(uint32_t tx, bool commit)
{
    return request_strings(XS_TRANSACTION_END, tx, commit ? "T" : "F", NULL, false, NULL, 0);
}

int xenstore_watch(const char *path, const char *token)
{
    return request_strings(XS_WATCH, 0, path, token, true, NULL, 0);
}

int xenstore_unwatch(const char *path, const char *token)
{
    return request_strings(XS_UNWATCH, 0, path, token, true, NULL, 0);
}

bool xenstore_has_event(void)
{
    return events_produced != events_consumed || can_read(NULL);
}

bool xenstore_next_event(char *path, size_t path_size, char *token, size_t token_size)
{
    const char *event;

    while (events_produced == events_consumed && can_read(NULL))
        receive();
    if (events_produced == events_consumed)
        return false;
    event = events[events_consumed++ % MAX_EVENTS];
    copy_string(path, event, path_size);
    copy_string(token, event + strlen(event) + 1, token_size);
    return true;
}
