/* Follows the pointers of a list whose nodes lie in no order, a cache line each: every load waits for the one before. */
#include "kernel.h"

#define COUNT 4096
#define LAPS 16

struct node {
    struct node *next;
    uint64_t value;
} __attribute__((aligned(64)));

/* 256 KiB. */
static struct node nodes[COUNT];

/* One cycle through all nodes (Sattolo's algorithm). */
static void prepare(void) {
    uint64_t random = 1;
    for (unsigned i = 0; i < COUNT; i++) nodes[i] = (struct node){.next = &nodes[i], .value = i};
    for (unsigned i = COUNT - 1; i > 0; i--) {
        unsigned other = next_random(&random) % i;
        struct node *next = nodes[i].next;
        nodes[i].next = nodes[other].next;
        nodes[other].next = next;
    }
}

static uint64_t chase(void) {
    const struct node *node = nodes;
    uint64_t sum = 0;
    for (unsigned i = 0; i < LAPS * COUNT; i++) {
        node = node->next;
        /* A polynomial, so that it depends on the order. */
        sum = sum * 5 + node->value;
    }
    return node == nodes ? sum : 0;
}

const struct kernel kernel = {.rounds = 10, .prepare = prepare, .round = chase, .result = 0x109a5b06fc1c9a80};
