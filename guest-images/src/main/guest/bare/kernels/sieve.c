/* The sieve of Eratosthenes over odd numbers, a bit each. */
#include "kernel.h"

#define LIMIT (1u << 19)
#define ODD_NUMBERS (LIMIT / 2)
#define WORDS (ODD_NUMBERS / 64)
/* Every third bit from bit 1 on: of 1, 3, 5, 7, 9, ... the multiples of 3. */
#define MULTIPLES_OF_3 0x2492492492492492

/* Bit i belongs to 2 * i + 1. */
static uint64_t composite[WORDS];

static uint64_t count_primes(void) {
    uint64_t pattern = MULTIPLES_OF_3;
    for (unsigned i = 0; i < WORDS; i++) {
        composite[i] = pattern;
        pattern = pattern >> 1 | pattern << 2;
    }
    for (unsigned number = 5; number * number < LIMIT; number += 2) {
        if (composite[number / 128] >> number / 2 % 64 & 1) continue;
        for (unsigned i = number * number / 2; i < ODD_NUMBERS; i += number) composite[i / 64] |= 1ull << i % 64;
    }
    /* 1 is not marked and no prime, 2 has no bit, 3 is marked and a prime. */
    uint64_t count = 1;
    for (unsigned i = 0; i < WORDS; i++)
        for (uint64_t primes = ~composite[i]; primes; primes &= primes - 1) count++;
    return count;
}

const struct kernel kernel = {.rounds = 2, .round = count_primes, .result = 43390};
