/*
 * A compute kernel: a round of integer work that can be repeated, to measure the speed of processors with. It runs as many rounds as the
 * word rounds=N of the command line says, and marks where they begin and end by lines on COM1, for whoever has a clock to look
 * at then.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "bare.h"
#include "random.h"

struct kernel {
    /* Without a word on the command line: some million instructions, for a test. */
    uint64_t rounds;
    /* Before the rounds and not measured with them; may be null. */
    void (*prepare)(void);
    /* Does the same each time, and returns result. */
    uint64_t (*round)(void);
    uint64_t result;
};

/* Each kernel has this one, and nothing else that is visible. */
extern const struct kernel kernel;

#endif
