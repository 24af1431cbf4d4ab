/* Quicksort of records, with a comparison that is called through a pointer, as by the C library's qsort. */
#include "kernel.h"

#define COUNT 2048
/* Shorter ranges are left to insertion. */
#define SHORT 8

struct record {
    uint64_t key;
    uint32_t group, number;
};

typedef int comparison(const struct record *, const struct record *);

static struct record unsorted[COUNT], records[COUNT];

static int by_key(const struct record *a, const struct record *b) { return (a->key > b->key) - (a->key < b->key); }

static int by_group_and_number(const struct record *a, const struct record *b) {
    if (a->group != b->group) return a->group < b->group ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static void swap(struct record *a, struct record *b) {
    struct record other = *a;
    *a = *b;
    *b = other;
}

static void insertion_sort(struct record *first, struct record *last, comparison *compare) {
    for (struct record *next = first + 1; next <= last; next++)
        for (struct record *at = next; at > first && compare(at - 1, at) > 0; at--) swap(at - 1, at);
}

static void quicksort(struct record *first, struct record *last, comparison *compare) {
    while (last - first >= SHORT) {
        /* The median of three is the pivot; the other two stop the searches. */
        struct record *middle = first + (last - first) / 2;
        if (compare(middle, first) < 0) swap(middle, first);
        if (compare(last, middle) < 0) {
            swap(last, middle);
            if (compare(middle, first) < 0) swap(middle, first);
        }
        struct record pivot = *middle, *low = first, *high = last;
        for (;;) {
            while (compare(++low, &pivot) < 0) {}
            while (compare(--high, &pivot) > 0) {}
            if (low >= high) break;
            swap(low, high);
        }
        quicksort(first, low - 1, compare);
        first = low;
    }
    insertion_sort(first, last, compare);
}

/* Depends on where each record is; 0 if that is not in order. */
static uint64_t sorted(comparison *compare) {
    for (unsigned i = 0; i < COUNT; i++) records[i] = unsorted[i];
    quicksort(records, records + COUNT - 1, compare);
    uint64_t sum = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        if (i > 0 && compare(&records[i - 1], &records[i]) > 0) return 0;
        sum += records[i].key * (i + 1);
    }
    return sum;
}

static void prepare(void) {
    uint64_t random = 1;
    for (unsigned i = 0; i < COUNT; i++) {
        uint64_t key = next_random(&random);
        unsorted[i] = (struct record){.key = key, .group = key >> 32 & 15, .number = i};
    }
}

static uint64_t sort(void) { return sorted(by_key) ^ sorted(by_group_and_number); }

const struct kernel kernel = {.rounds = 3, .prepare = prepare, .round = sort, .result = 0x0cbe7c0880dc5d68};
