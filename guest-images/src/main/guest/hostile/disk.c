/*
 * A hostile driver of a disk ("disk=1"): requests that make no sense, more work at once than a backend can hold, and a ring that
 * cannot be. The disk has to have 2 MiB or more. Source of the layouts: xen/include/public/io/blkif.h, io/ring.h.
 */
#include "hostile.h"

#define RING_ORDER    4
#define RING_ENTRIES  512u                     /* of 16 pages */
#define INDIRECT_SEGMENTS 256u

enum { BLKIF_OP_READ = 0, BLKIF_OP_WRITE = 1, BLKIF_OP_WRITE_BARRIER = 2, BLKIF_OP_FLUSH_DISKCACHE = 3, BLKIF_OP_DISCARD = 5,
       BLKIF_OP_INDIRECT = 6 };
enum { BLKIF_RSP_OKAY = 0, BLKIF_RSP_ERROR = -1, BLKIF_RSP_EOPNOTSUPP = -2 };
enum { XENBUS_INITWAIT = 2, XENBUS_INITIALISED = 3, XENBUS_CONNECTED = 4, XENBUS_CLOSING = 5 };

struct segment {
    uint32_t gref;
    uint8_t first, last;
};

union entry {
    struct {
        uint8_t operation, segments;
        uint16_t handle;
        uint64_t id, sector;
        struct segment seg[11];
    } request;
    struct {
        uint8_t operation, indirect_operation;
        uint16_t segments;
        uint64_t id, sector;
        uint16_t handle;
        uint32_t grefs[8];
    } indirect;
    struct {
        uint8_t operation, flag;
        uint16_t handle;
        uint64_t id, sector, sectors;
    } discard;
    struct {
        uint64_t id;
        uint8_t operation;
        int16_t status;
    } response;
};
ABI_SIZE(union entry, 112, 108);

static struct {
    uint32_t req_prod, req_event, rsp_prod, rsp_event;
    uint8_t pad[48];
    union entry entries[RING_ENTRIES];
    uint8_t unused[(PAGE_SIZE << RING_ORDER) - 64 - RING_ENTRIES * sizeof(union entry)];
} ring PAGE_ALIGNED;
_Static_assert(sizeof(ring) == PAGE_SIZE << RING_ORDER, "ring");

static char front[64], back[128];
static evtchn_port_t port;
static uint32_t answered;

static void write_number(const char *name, unsigned long value)
{
    char path[96], text[24];

    format_string(path, sizeof(path), "%s/%s", front, name);
    format_string(text, sizeof(text), "%lu", value);
    check(xenstore_write(0, path, text) >= 0, "writing %s", path);
}

static unsigned backend_state(void)
{
    char path[160], text[16];
    uint64_t state = 0;

    format_string(path, sizeof(path), "%s/state", back);
    if (xenstore_read(0, path, text, sizeof(text)) <= 0 || !parse_number(text, &state))
        return 0;
    return state;
}

static bool await_backend(unsigned state)
{
    for (unsigned i = 0; i < 10000; i++) {
        if (backend_state() == state)
            return true;
        sleep_until(system_time() + NS_PER_MS);
    }
    return check(false, "the backend is in state %u, not %u", backend_state(), state);
}

static bool connect(void)
{
    char names[64], path[96], name[16];
    xen_pfn_t frame;

    if (!check(xenstore_list(0, "device/vbd", names, sizeof(names)) > 0, "no disk"))
        return false;
    format_string(front, sizeof(front), "device/vbd/%s", names);
    format_string(path, sizeof(path), "%s/backend", front);
    if (!check(xenstore_read(0, path, back, sizeof(back)) > 0, "no backend") || !await_backend(XENBUS_INITWAIT))
        return false;
    for (unsigned i = 0; i < 1u << RING_ORDER; i++) {
        frame = virt_to_mfn((uint8_t *)&ring + i * PAGE_SIZE);
        format_string(name, sizeof(name), "ring-ref%u", i);
        write_number(name, grant_access(0, frame, false));
    }
    ring.req_event = ring.rsp_event = 1;
    port = event_alloc_unbound(0, NULL, NULL);
    event_mask(port);
    format_string(path, sizeof(path), "%s/protocol", front);
    check(xenstore_write(0, path, BY_WIDTH("x86_64-abi", "x86_32-abi")) >= 0, "writing %s", path);
    write_number("ring-page-order", RING_ORDER);
    write_number("event-channel", port);
    write_number("state", XENBUS_INITIALISED);
    if (!await_backend(XENBUS_CONNECTED))
        return false;
    write_number("state", XENBUS_CONNECTED);
    return true;
}

static union entry *next(void)
{
    union entry *entry = &ring.entries[ring.req_prod % RING_ENTRIES];

    memset(entry, 0, sizeof(*entry));
    entry->request.id = ring.req_prod;
    return entry;
}

static void push(void) { ring.req_prod++; }

/* Waits for the answers to everything; returns the status of the last one, or 1 if there is none. */
static int finish(void)
{
    int status = 1;

    memory_barrier();
    event_send(port);
    for (unsigned i = 0; i < 60000 && *(volatile uint32_t *)&ring.rsp_prod != ring.req_prod; i++)
        sleep_until(system_time() + NS_PER_MS);
    if (!check_equal("answers", *(volatile uint32_t *)&ring.rsp_prod, ring.req_prod))
        return 1;
    while (answered != ring.rsp_prod)
        status = ring.entries[answered++ % RING_ENTRIES].response.status;
    return status;
}

static int one(uint8_t operation, uint8_t segments, uint64_t sector, uint32_t gref, uint8_t first, uint8_t last)
{
    union entry *entry = next();

    entry->request.operation = operation;
    entry->request.segments = segments;
    entry->request.sector = sector;
    for (unsigned i = 0; i < ARRAY_LENGTH(entry->request.seg); i++)
        entry->request.seg[i] = (struct segment){gref, first, last};
    push();
    return finish();
}

static void test_requests(uint32_t data, uint32_t read_only, uint8_t *page)
{
    section("disk: requests");
    memset(page, 0x5a, PAGE_SIZE);
    check_result("write", one(BLKIF_OP_WRITE, 1, 8, data, 0, 7), BLKIF_RSP_OKAY);
    memset(page, 0, PAGE_SIZE);
    check_result("read", one(BLKIF_OP_READ, 1, 8, data, 0, 7), BLKIF_RSP_OKAY);
    check(page[0] == 0x5a && page[4095] == 0x5a, "read back %x and %x", page[0], page[4095]);
    check_result("operation 255", one(255, 1, 0, data, 0, 7), BLKIF_RSP_EOPNOTSUPP);
    check_result("12 segments", one(BLKIF_OP_READ, 12, 0, data, 0, 7), BLKIF_RSP_ERROR);
    check_result("255 segments", one(BLKIF_OP_WRITE, 255, 0, data, 0, 7), BLKIF_RSP_ERROR);
    check_result("no segments", one(BLKIF_OP_READ, 0, 0, data, 0, 7), BLKIF_RSP_ERROR);
    check_result("sectors 5 to 2", one(BLKIF_OP_READ, 1, 0, data, 5, 2), BLKIF_RSP_ERROR);
    check_result("sectors 0 to 8", one(BLKIF_OP_READ, 1, 0, data, 0, 8), BLKIF_RSP_ERROR);
    check_result("sectors 0 to 255", one(BLKIF_OP_WRITE, 1, 0, data, 0, 255), BLKIF_RSP_ERROR);
    check_result("sector 2^63", one(BLKIF_OP_READ, 1, 1ull << 63, data, 0, 7), BLKIF_RSP_ERROR);
    check_result("sector 2^64-4", one(BLKIF_OP_WRITE, 1, ~3ull, data, 0, 7), BLKIF_RSP_ERROR);
    check_result("sector 2^55", one(BLKIF_OP_WRITE, 1, 1ull << 55, data, 0, 7), BLKIF_RSP_ERROR);
    check_result("no grant", one(BLKIF_OP_READ, 1, 0, 1u << 30, 0, 7), BLKIF_RSP_ERROR);
    check_result("grant for reading", one(BLKIF_OP_READ, 1, 8, read_only, 0, 7), BLKIF_RSP_ERROR);
    check_result("barrier of 12", one(BLKIF_OP_WRITE_BARRIER, 12, 0, data, 0, 7), BLKIF_RSP_ERROR);

    next()->discard.operation = BLKIF_OP_DISCARD;
    ring.entries[ring.req_prod % RING_ENTRIES].discard.sectors = ~0ull;
    push();
    check_result("discard of 2^64-1", finish(), BLKIF_RSP_ERROR);
    next()->discard.operation = BLKIF_OP_DISCARD;
    ring.entries[ring.req_prod % RING_ENTRIES].discard.sector = ~0ull;
    ring.entries[ring.req_prod % RING_ENTRIES].discard.sectors = 2;
    push();
    check_result("discard over the end of numbers", finish(), BLKIF_RSP_ERROR);
}

static union entry *indirect(uint8_t operation, uint16_t segments, uint32_t gref)
{
    union entry *entry = next();

    entry->indirect.operation = BLKIF_OP_INDIRECT;
    entry->indirect.indirect_operation = operation;
    entry->indirect.segments = segments;
    for (unsigned i = 0; i < 8; i++)
        entry->indirect.grefs[i] = gref;
    return entry;
}

static void test_indirect(uint32_t list)
{
    section("disk: indirect requests");
    indirect(BLKIF_OP_READ, 0xffff, list);
    push();
    check_result("65535 segments", finish(), BLKIF_RSP_ERROR);
    indirect(BLKIF_OP_READ, 0, list);
    push();
    check_result("no segments", finish(), BLKIF_RSP_ERROR);
    indirect(BLKIF_OP_INDIRECT, 1, list);
    push();
    check_result("indirect in indirect", finish(), BLKIF_RSP_ERROR);
    indirect(BLKIF_OP_READ, 1, 1u << 30);
    push();
    check_result("no list", finish(), BLKIF_RSP_ERROR);
}

/* Every entry of the ring asks for as much as one can: half a gigabyte at a time. The backend has to take it in pieces. */
static void test_much(uint32_t list)
{
    unsigned good = 0;

    section("disk: much at once");
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < RING_ENTRIES; i++) {
            indirect(round == 0 ? BLKIF_OP_READ : BLKIF_OP_WRITE, INDIRECT_SEGMENTS, list);
            push();
        }
        memory_barrier();
        event_send(port);
        for (unsigned i = 0; i < 60000 && *(volatile uint32_t *)&ring.rsp_prod != ring.req_prod; i++)
            sleep_until(system_time() + NS_PER_MS);
        good = 0;
        for (; answered != *(volatile uint32_t *)&ring.rsp_prod; answered++)
            good += ring.entries[answered % RING_ENTRIES].response.status == BLKIF_RSP_OKAY;
        check_equal("good answers", good, RING_ENTRIES);
    }
}

/* More requests than the ring has: the backend gives the driver up, and the domain goes on. */
static void test_ring(void)
{
    section("disk: a ring that cannot be");
    ring.req_prod += 0x10000000;
    memory_barrier();
    event_send(port);
    await_backend(XENBUS_CLOSING);
}

void test_disk(void)
{
    uint8_t *page = page_alloc();
    struct segment *segments = page_alloc();
    long data, read_only, list;

    section("disk");
    check_result("grant_init", grant_init(), 0);
    data = grant_access(0, virt_to_mfn(page), false);
    read_only = grant_access(0, virt_to_mfn(page), true);
    list = grant_access(0, virt_to_mfn(segments), true);
    for (unsigned i = 0; i < INDIRECT_SEGMENTS; i++)
        segments[i] = (struct segment){data, 0, 7};
    if (!connect())
        return;
    test_requests(data, read_only, page);
    test_indirect(list);
    test_much(list);
    test_ring();
}
