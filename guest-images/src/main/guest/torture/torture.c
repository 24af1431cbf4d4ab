/*
 * The loop, the table of outcomes, and the check that the guest itself is unharmed. Options: seed=N, calls=N,
 * only=PREFIX (operations whose names begin so), trace=N (names each operation from call N on).
 */
#include "torture.h"

#define MAX_ROWS  220
#define MAX_CODES 14

static struct row {
    const char *name;
    uint64_t calls;
    struct {
        int64_t code;
        uint64_t count;
    } codes[MAX_CODES];                        /* the last one takes whatever has no room */
} rows[MAX_ROWS];
static unsigned row_count;

static const struct operations *const groups[] = {&memory_operations, &paging_operations, &event_operations,
                                                  &cpu_operations, &grant_operations, &control_operations};

static uint64_t state;

uint64_t random_bits(void)
{
    /* splitmix64 */
    uint64_t z = state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

uint64_t odd_number(void)
{
    switch (below(6)) {
    case 0: return 0;
    case 1: return ~0ul - below(3);
    case 2: return (1ul << below(64)) + below(3) - 1;
    case 3: return random_bits();
    case 4: return below(64);
    }
    return below(1ul << 32);
}

static struct row *row_of(const char *name)
{
    for (unsigned i = 0; i < row_count; i++) {
        if (rows[i].name == name)
            return &rows[i];
    }
    if (row_count == MAX_ROWS)
        panic("no row for %s", name);
    rows[row_count].name = name;
    return &rows[row_count++];
}

static void count(struct row *row, int64_t code)
{
    if (code > 0)
        code = 1;
    row->calls++;
    for (unsigned i = 0; i < MAX_CODES; i++) {
        if (row->codes[i].count == 0 || row->codes[i].code == code || i == MAX_CODES - 1) {
            row->codes[i].code = code;
            row->codes[i].count++;
            return;
        }
    }
}

void count_status(const char *name, int64_t code) { count(row_of(name), code); }

static bool is_status(const char *name)
{
    size_t length = strlen(name);

    return length > 7 && strcmp(name + length - 7, " status") == 0;
}

static bool print_table(void)
{
    bool known = true;

    print("\noutcomes: operation, calls, then each code with its count (>0: a positive result)\n");
    for (unsigned i = 0; i < row_count; i++) {
        print("%-46s %8lu ", rows[i].name, rows[i].calls);
        for (unsigned c = 0; c < MAX_CODES && rows[i].codes[c].count != 0; c++) {
            int64_t code = rows[i].codes[c].code;

            if (code > 0)
                print(" >0:%lu", rows[i].codes[c].count);
            else if (is_status(rows[i].name))
                print(" %ld:%lu", code, rows[i].codes[c].count);
            else if (code == 0)
                print(" 0:%lu", rows[i].codes[c].count);
            else
                print(" %s:%lu", xen_error_name(code), rows[i].codes[c].count);
            if (code < 0 && !is_status(rows[i].name) && strcmp(xen_error_name(code), "?") == 0) {
                print(" (%ld is no error of Xen)", code);
                known = false;
            }
        }
        print("\n");
    }
    return known;
}

/* Debug exceptions come from breakpoints that set_debugreg has set, NMIs from VCPUOP_send_nmi. */
static bool ignore(struct trap_frame *frame)
{
    frame->flags &= ~0x100ul;
    frame->flags |= 0x10000;                  /* RF: not again at the same instruction */
    return true;
}

static uint64_t text_sum(void)
{
    uint64_t sum = 0;

    for (const uint8_t *at = text_start; at < text_end; at++)
        sum = (sum << 7 | sum >> 57) ^ *at;
    return sum;
}

void guest_main(void)
{
    uint64_t seed = cmdline_number("seed", 1), calls = cmdline_number("calls", 100000);
    uint64_t trace = cmdline_number("trace", ~0ul), sum, started;
    const char *only = cmdline_option("only");
    static const struct operation *operations[MAX_ROWS];
    static unsigned until[MAX_ROWS];
    unsigned used = 0, weights = 0;

    state = seed;
    for (unsigned g = 0; g < ARRAY_LENGTH(groups); g++) {
        for (unsigned i = 0; i < groups[g]->count; i++) {
            const struct operation *operation = &groups[g]->list[i];

            if (only != NULL && strncmp(operation->name, only, strchr(only, ' ') ? (size_t)(strchr(only, ' ') - only)
                                                                                : strlen(only)) != 0)
                continue;
            row_of(operation->name);
            operations[used] = operation;
            weights += operation->weight;
            until[used++] = weights;
        }
    }
    if (used == 0)
        panic("no operation begins with what only= names");
    trap_set_handler(1, ignore);
    trap_set_handler(2, ignore);
    for (const uint8_t *page = text_start; page < text_end; page += PAGE_SIZE)
        page_set_flags((void *)page, PTE_KERNEL_RO);
    timer_set(system_time() + NS_PER_MS);      /* binds VIRQ_TIMER before anybody else does */
    sandbox_init();
    sum = text_sum();
    started = system_time();
    print("torture: seed %lu, %lu calls of %u operations\n", seed, calls, used);
    for (uint64_t call = 0; call < calls; call++) {
        unsigned ticket = below(weights), i = 0;

        while (ticket >= until[i])
            i++;
        if (call >= trace)
            print("%lu %s\n", call, operations[i]->name);
        count(&rows[i], operations[i]->run());
        if (call % 64 == 63)
            sandbox_repair();
        if (call % (calls / 10 + 1) == calls / 10)
            print("torture: %lu calls\n", call + 1);
    }
    hypercall_set_debugreg(7, 0);
    print("torture: %lu ms\n", (system_time() - started) / NS_PER_MS);
    if (!print_table())
        print("VERDICT torture FAIL a result that is no error of Xen\n");
    else if (text_sum() != sum)
        print("VERDICT torture FAIL code or constants of the guest changed\n");
    else
        print("VERDICT torture PASS\n");
}
