/*
 * A disk, by a driver with one ring of one page, persistent grants and indirect requests (io/blkif.h, io/ring.h).
 *
 *   random N      N reads of 4 KiB at places without order, 32 at a time
 *   read N KIB    N reads in order of 4 to 256 KiB each, as many at a time as 1 MiB of pages allows, 32 at most
 *   write N KIB   the same, writes
 */
#include "bench.h"

#define RING_ENTRIES     32u
#define DIRECT_SEGMENTS  11u
#define POOL_PAGES       256u
#define SECTORS_PER_PAGE (PAGE_SIZE / 512)

enum { BLKIF_OP_READ = 0, BLKIF_OP_WRITE = 1, BLKIF_OP_INDIRECT = 6 };

struct segment {
    uint32_t gref;
    uint8_t first, last;
};

union entry {
    struct {
        uint8_t operation, segments;
        uint16_t handle;
        uint64_t id, sector;
        struct segment seg[DIRECT_SEGMENTS];
    } request;
    struct {
        uint8_t operation, indirect_operation;
        uint16_t segments;
        uint64_t id, sector;
        uint16_t handle;
        uint32_t grefs[8];
    } indirect;
    struct {
        uint64_t id;
        uint8_t operation;
        int16_t status;
    } response;
};
_Static_assert(sizeof(union entry) == 112, "entry");

static struct {
    volatile uint32_t req_prod, req_event, rsp_prod, rsp_event;
    uint8_t pad[48];
    union entry entries[RING_ENTRIES];
    uint8_t unused[PAGE_SIZE - 64 - RING_ENTRIES * sizeof(union entry)];
} ring PAGE_ALIGNED;
_Static_assert(sizeof(ring) == PAGE_SIZE, "ring");

static struct frontend device;
static evtchn_port_t port;
static uint64_t disk_pages;                    /* of 4 KiB */
static uint32_t answered;                      /* responses taken */

static uint32_t data[POOL_PAGES];              /* references of pages for data */

/* What a request that is under way has for its own: a share of the data pages, and a page for their list. */
static struct slot {
    struct segment *list;
    uint32_t list_ref;
} slots[RING_ENTRIES];
static uint8_t free_slots[RING_ENTRIES];
static unsigned free_count;

static void woken(evtchn_port_t from, void *arg)
{
    (void)from;
    (void)arg;
}

static int64_t make_pool(void)
{
    for (unsigned i = 0; i < POOL_PAGES; i++) {
        void *page = page_alloc();
        int64_t ref = grant_page(page);

        if (ref < 0)
            return ref;
        memset(page, 'x', PAGE_SIZE);
        data[i] = ref;
    }
    for (unsigned i = 0; i < RING_ENTRIES; i++) {
        int64_t ref;

        slots[i].list = page_alloc();
        ref = grant_page(slots[i].list);
        if (ref < 0)
            return ref;
        slots[i].list_ref = ref;
    }
    return 0;
}

static int64_t connect(void)
{
    char path[160], text[24];
    uint64_t sectors;
    int64_t error = grant_init(), ring_ref;

    if (error == 0)
        error = frontend_find(&device, "vbd");
    if (error == 0)
        error = make_pool();
    if (error != 0)
        return error;
    ring.req_event = ring.rsp_event = 1;
    ring_ref = grant_page(&ring);
    if (ring_ref < 0)
        return ring_ref;
    port = event_alloc_unbound(0, woken, NULL);
    error = frontend_write(&device, "ring-ref", ring_ref);
    if (error == 0)
        error = frontend_write(&device, "event-channel", port);
    if (error == 0)
        error = frontend_write(&device, "feature-persistent", 1);
    if (error == 0)
        error = frontend_connect(&device, XENBUS_INITIALISED);
    format_string(path, sizeof(path), "%s/sectors", device.back);
    if (error == 0 && (xenstore_read(0, path, text, sizeof(text)) <= 0 || !parse_number(text, &sectors)))
        error = -XEN_EIO;
    if (error == 0)
        disk_pages = sectors / SECTORS_PER_PAGE;
    return error;
}

static bool has_responses(void *arg)
{
    (void)arg;
    return ring.rsp_prod != answered;
}

/* Takes all responses that are there, at least one. */
static int64_t reap(void)
{
    int64_t error = 0;

    do {
        ring.rsp_event = answered + 1;
        memory_barrier();
        wait_until(has_responses, NULL, 0);
        for (uint32_t end = ring.rsp_prod; answered != end; answered++) {
            const union entry *entry = &ring.entries[answered % RING_ENTRIES];

            free_slots[free_count++] = entry->response.id;
            if (entry->response.status != 0)
                error = -XEN_EIO;
        }
    } while (has_responses(NULL));
    return error;
}

static void put(uint8_t operation, uint64_t page, unsigned pages)
{
    union entry *entry = &ring.entries[ring.req_prod % RING_ENTRIES];
    unsigned number = free_slots[--free_count];
    const uint32_t *own = &data[number * pages];
    struct segment *segments = entry->request.seg;

    if (pages <= DIRECT_SEGMENTS) {
        entry->request.operation = operation;
        entry->request.segments = pages;
        entry->request.handle = 0;
        entry->request.id = number;
        entry->request.sector = page * SECTORS_PER_PAGE;
    } else {
        segments = slots[number].list;
        entry->indirect.operation = BLKIF_OP_INDIRECT;
        entry->indirect.indirect_operation = operation;
        entry->indirect.segments = pages;
        entry->indirect.handle = 0;
        entry->indirect.id = number;
        entry->indirect.sector = page * SECTORS_PER_PAGE;
        entry->indirect.grefs[0] = slots[number].list_ref;
    }
    for (unsigned i = 0; i < pages; i++)
        segments[i] = (struct segment){own[i], 0, SECTORS_PER_PAGE - 1};
    compiler_barrier();
    ring.req_prod++;
}

/* Makes the requests since then known; the backend is told only if it asks to be. */
static int64_t push(uint32_t before)
{
    memory_barrier();
    if (ring.req_prod - ring.req_event < ring.req_prod - before)
        return event_send(port);
    return 0;
}

static int64_t transfer(uint8_t operation, uint64_t count, unsigned pages, bool random)
{
    static uint64_t place;
    uint64_t state = 0x2545f4914f6cdd1dul, started = 0, places;
    unsigned depth = POOL_PAGES / pages < RING_ENTRIES ? POOL_PAGES / pages : RING_ENTRIES;
    int64_t error = 0;

    if (port == 0)
        error = connect();
    if (error != 0)
        return error;
    places = disk_pages / pages;
    if (places == 0)
        return -XEN_ENOSPC;
    for (free_count = 0; free_count < depth; free_count++)
        free_slots[free_count] = free_count;
    while (error == 0 && (started < count || free_count < depth)) {
        uint32_t before = ring.req_prod;

        for (; started < count && free_count > 0; started++) {
            state = state * 6364136223846793005ul + 1442695040888963407ul;
            place = random ? (state >> 33) % places : (place + 1) % places;
            put(operation, place * pages, pages);
        }
        error = push(before);
        if (error == 0)
            error = reap();
    }
    return error;
}

static int64_t random_reads(const uint64_t *numbers) { return transfer(BLKIF_OP_READ, numbers[0], 1, true); }

static int64_t in_order(uint8_t operation, const uint64_t *numbers)
{
    uint64_t bytes = numbers[1] << 10;

    if (bytes == 0 || bytes > 64 * PAGE_SIZE || bytes % PAGE_SIZE != 0)
        return -XEN_EINVAL;
    return transfer(operation, numbers[0], bytes / PAGE_SIZE, false);
}

static int64_t reads(const uint64_t *numbers) { return in_order(BLKIF_OP_READ, numbers); }

static int64_t writes(const uint64_t *numbers) { return in_order(BLKIF_OP_WRITE, numbers); }

const struct command disk_commands[] = {{"random", 1, random_reads}, {"read", 2, reads}, {"write", 2, writes}, {NULL, 0, NULL}};
