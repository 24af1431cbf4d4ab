/*
 * A network interface, by a driver with one pair of rings, of a guest that sends and one that receives (io/netif.h, io/ring.h).
 *
 *   up                connects, and sends one frame to everybody, so that bridges know where this guest is
 *   receive SIZE      receives frames of the size from now on, in the guest that serves; before each "send" of the other one
 *   send N SIZE MAC   sends N frames of 60 to 63,778 bytes to the address, which is that of the guest that serves, and waits until
 *                     it has them all; N is a multiple of 64
 *
 * At most two batches are on the way, so that none is lost for want of room. Frames of more than 1,514 bytes are TCP segments that
 * are still to be cut (GSO).
 */
#include "bench.h"

#define RING_ENTRIES 256u
#define MIN_FRAME    60u
#define MAX_FRAME    1514u
#define SEGMENT      1448u                     /* payload of what frames with GSO would be cut into */
#define HEADERS      66u                       /* Ethernet, IPv4, TCP with timestamps */
#define MAX_GSO      (HEADERS + 44 * SEGMENT)
#define MAX_PAGES    16u
#define SMALL_BATCH  64u
#define GSO_BATCH    4u

enum { NETTXF_csum_blank = 1, NETTXF_data_validated = 2, NETTXF_more_data = 4, NETTXF_extra_info = 8 };
enum { NETRXF_more_data = 4, NETRXF_extra_info = 8 };
enum { XEN_NETIF_EXTRA_TYPE_GSO = 1, XEN_NETIF_GSO_TYPE_TCPV4 = 1, NETIF_RSP_OKAY = 0, NETIF_RSP_NULL = 1 };

struct tx_request {
    uint32_t gref;
    uint16_t offset, flags, id, size;
};

struct extra_info {
    uint8_t type, flags;
    uint16_t size;
    uint8_t gso_type, pad;
    uint16_t features;
};

union tx_entry {
    struct tx_request request;
    struct extra_info extra;
    struct {
        uint16_t id;
        int16_t status;
    } response;
};
_Static_assert(sizeof(union tx_entry) == 12, "tx_entry");

union rx_entry {
    struct {
        uint16_t id, pad;
        uint32_t gref;
    } request;
    struct {
        uint16_t id, offset, flags;
        int16_t status;
    } response;
};
_Static_assert(sizeof(union rx_entry) == 8, "rx_entry");

#define DEFINE_RING(name, entry)                                                                                        \
    static struct {                                                                                                    \
        volatile uint32_t req_prod, req_event, rsp_prod, rsp_event;                                                    \
        uint8_t pad[48];                                                                                               \
        entry entries[RING_ENTRIES];                                                                                   \
        uint8_t unused[PAGE_SIZE - 64 - RING_ENTRIES * sizeof(entry)];                                                 \
    } name PAGE_ALIGNED;                                                                                               \
    _Static_assert(sizeof(name) == PAGE_SIZE, #name)

DEFINE_RING(tx, union tx_entry);
DEFINE_RING(rx, union rx_entry);

static struct frontend device;
static evtchn_port_t port;
static uint8_t own_mac[6];

static uint8_t *frame[MAX_PAGES];              /* what is sent, again and again */
static uint32_t frame_refs[MAX_PAGES];
static uint32_t tx_answered, tx_failed;

static uint32_t posted[RING_ENTRIES];          /* references of pages to receive into, by id */
static uint32_t rx_answered, rx_failed;
static bool in_frame;                          /* the last response was not the last of its frame */
static bool extra_next;                        /* the next one is extra information */
static uint32_t rx_batch, rx_unreported;

static void post(unsigned id)
{
    rx.entries[rx.req_prod % RING_ENTRIES].request.id = id;
    rx.entries[rx.req_prod % RING_ENTRIES].request.gref = posted[id];
    compiler_barrier();
    rx.req_prod++;
}

/* A frame has come whole. */
static void received(void)
{
    if (rx_batch == 0)
        return;
    ++*peer.received;
    if (++rx_unreported == rx_batch) {
        rx_unreported = 0;
        event_send(peer.port);
    }
}

static void take_received(void)
{
    uint32_t before = rx.req_prod;

    do {
        for (uint32_t end = rx.rsp_prod; rx_answered != end; rx_answered++) {
            union rx_entry entry = rx.entries[rx_answered % RING_ENTRIES];

            /* The backend answers in order, so a request is as old as the response in its place. */
            post(rx_answered % RING_ENTRIES);
            if (extra_next) {
                extra_next = false;
            } else {
                extra_next = (entry.response.flags & NETRXF_extra_info) != 0;
                in_frame = (entry.response.flags & NETRXF_more_data) != 0;
                rx_failed += entry.response.status <= 0;
            }
            if (!in_frame && !extra_next)
                received();
        }
        rx.rsp_event = rx_answered + 1;
        memory_barrier();
    } while (rx.rsp_prod != rx_answered);
    if (rx.req_prod - rx.req_event < rx.req_prod - before)
        event_send(port);
}

static void take_sent(void)
{
    for (uint32_t end = tx.rsp_prod; tx_answered != end; tx_answered++) {
        int16_t status = tx.entries[tx_answered % RING_ENTRIES].response.status;

        tx_failed += status != NETIF_RSP_OKAY && status != NETIF_RSP_NULL;
    }
}

static void on_event(evtchn_port_t from, void *arg)
{
    (void)from;
    (void)arg;
    take_received();
}

static union tx_entry *next(void)
{
    union tx_entry *entry = &tx.entries[tx.req_prod % RING_ENTRIES];

    memset(entry, 0, sizeof(*entry));
    return entry;
}

static bool has_sent_all(void *arg)
{
    (void)arg;
    take_sent();
    tx.rsp_event = tx.req_prod;
    memory_barrier();
    take_sent();
    return tx_answered == tx.req_prod;
}

static unsigned batch_of(uint64_t size) { return size > MAX_FRAME ? GSO_BATCH : SMALL_BATCH; }

/* The slots of one frame; the first says the size of the whole. */
static void put(unsigned size)
{
    bool gso = size > MAX_FRAME;

    for (unsigned done = 0, i = 0; done < size; done += PAGE_SIZE, i++) {
        union tx_entry *entry = next();
        unsigned here = size - done < PAGE_SIZE ? size - done : PAGE_SIZE;

        entry->request.gref = frame_refs[i];
        entry->request.size = i == 0 ? size : here;
        entry->request.flags = done + here < size ? NETTXF_more_data : 0;
        if (i == 0 && gso)
            entry->request.flags |= NETTXF_csum_blank | NETTXF_data_validated | NETTXF_extra_info;
        compiler_barrier();
        tx.req_prod++;
        if (i == 0 && gso) {
            entry = next();
            entry->extra = (struct extra_info){XEN_NETIF_EXTRA_TYPE_GSO, 0, SEGMENT, XEN_NETIF_GSO_TYPE_TCPV4, 0, 0};
            tx.req_prod++;
        }
    }
}

/* Makes them known and waits until the backend has taken them all. */
static int64_t flush(uint32_t before)
{
    memory_barrier();
    if (tx.req_prod - tx.req_event < tx.req_prod - before) {
        int64_t error = event_send(port);

        if (error != 0)
            return error;
    }
    wait_until(has_sent_all, NULL, 0);
    return tx_failed == 0 ? 0 : -XEN_EIO;
}

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = value >> 8;
    at[1] = value;
}

/* To the address; of a protocol for experiments, or TCP from 10.0.0.1 to 10.0.0.2. */
static void write_headers(uint64_t to, unsigned size)
{
    uint8_t *ethernet = frame[0], *ip = ethernet + 14, *tcp = ip + 20;
    uint32_t sum = 0;

    memset(ethernet, 0, HEADERS);
    for (unsigned i = 0; i < 6; i++) {
        ethernet[i] = to >> (40 - 8 * i);
        ethernet[6 + i] = own_mac[i];
    }
    put16(ethernet + 12, size > MAX_FRAME ? 0x0800 : 0x88b5);
    if (size <= MAX_FRAME)
        return;
    ip[0] = 0x45;
    put16(ip + 2, size - 14);
    ip[8] = 64;
    ip[9] = 6;
    memcpy(ip + 12, "\x0a\0\0\1\x0a\0\0\2", 8);
    for (unsigned i = 0; i < 20; i += 2)
        sum += ip[i] << 8 | ip[i + 1];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    put16(ip + 10, ~sum);
    put16(tcp, 5001);
    put16(tcp + 2, 5001);
    tcp[12] = 8 << 4;                          /* 32 bytes, with 12 of options */
    tcp[13] = 0x10;
    memset(tcp + 20, 1, 12);
}

static int64_t read_mac(void)
{
    char path[96], text[24];

    format_string(path, sizeof(path), "%s/mac", device.front);
    if (xenstore_read(0, path, text, sizeof(text)) != 17)
        return -XEN_EIO;
    for (unsigned i = 0; i < 6; i++) {
        char number[5] = {'0', 'x', text[3 * i], text[3 * i + 1], '\0'};
        uint64_t value;

        if (!parse_number(number, &value))
            return -XEN_EIO;
        own_mac[i] = value;
    }
    return 0;
}

static int64_t make_pages(void)
{
    for (unsigned i = 0; i < MAX_PAGES; i++) {
        int64_t ref;

        frame[i] = page_alloc();
        memset(frame[i], 'x', PAGE_SIZE);
        ref = grant_page(frame[i]);
        if (ref < 0)
            return ref;
        frame_refs[i] = ref;
    }
    for (unsigned i = 0; i < RING_ENTRIES; i++) {
        int64_t ref = grant_page(page_alloc());

        if (ref < 0)
            return ref;
        posted[i] = ref;
        post(i);
    }
    return 0;
}

static int64_t connect(void)
{
    static const char *const features[] = {"request-rx-copy", "feature-rx-notify", "feature-sg", "feature-gso-tcpv4"};
    int64_t error = grant_init(), tx_ref, rx_ref;

    if (error == 0)
        error = frontend_find(&device, "vif");
    if (error == 0)
        error = read_mac();
    if (error == 0)
        error = make_pages();
    if (error != 0)
        return error;
    tx.req_event = tx.rsp_event = rx.req_event = rx.rsp_event = 1;
    tx_ref = grant_page(&tx);
    rx_ref = grant_page(&rx);
    if (tx_ref < 0 || rx_ref < 0)
        return tx_ref < 0 ? tx_ref : rx_ref;
    port = event_alloc_unbound(0, on_event, NULL);
    error = frontend_write(&device, "tx-ring-ref", tx_ref);
    if (error == 0)
        error = frontend_write(&device, "rx-ring-ref", rx_ref);
    if (error == 0)
        error = frontend_write(&device, "event-channel", port);
    for (unsigned i = 0; i < ARRAY_LENGTH(features) && error == 0; i++)
        error = frontend_write(&device, features[i], 1);
    if (error == 0)
        error = frontend_connect(&device, XENBUS_CONNECTED);
    return error;
}

static int64_t up(const uint64_t *numbers)
{
    uint32_t before = tx.req_prod;
    int64_t error = port == 0 ? connect() : -XEN_EBUSY;

    (void)numbers;
    if (error != 0)
        return error;
    write_headers(0xfffffffffffful, MIN_FRAME);
    put(MIN_FRAME);
    return flush(before);
}

static int64_t receive(const uint64_t *numbers)
{
    bool masked;

    if (peer.port == 0 || port == 0)
        return -XEN_ENOTCONN;
    masked = events_disable();
    *peer.received = 0;
    rx_unreported = 0;
    rx_batch = batch_of(numbers[0]);
    events_restore(masked);
    return rx_failed == 0 ? 0 : -XEN_EIO;
}

static bool has_received(void *arg) { return *peer.received >= *(const uint32_t *)arg; }

static int64_t send(const uint64_t *numbers)
{
    uint64_t count = numbers[0], size = numbers[1];
    unsigned batch = batch_of(size);
    int64_t error = 0;

    if (peer.port == 0 || port == 0)
        return -XEN_ENOTCONN;
    if (size < MIN_FRAME || size > MAX_GSO || count == 0 || count % SMALL_BATCH != 0)
        return -XEN_EINVAL;
    write_headers(numbers[2], size);
    for (uint32_t sent = 0; sent < count && error == 0;) {
        uint32_t before = tx.req_prod, wanted;

        for (unsigned i = 0; i < batch; i++)
            put(size);
        error = flush(before);
        sent += batch;
        wanted = sent < count ? sent - batch : sent;
        if (error == 0)
            wait_until(has_received, &wanted, 0);
    }
    return error;
}

const struct command vif_commands[] = {{"up", 0, up}, {"receive", 1, receive}, {"send", 3, send}, {NULL, 0, NULL}};
