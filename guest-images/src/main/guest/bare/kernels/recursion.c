/* Functions that call themselves: Fibonacci's numbers, and Takeuchi's function. */
#include "kernel.h"

/* It is calls and returns that are to be measured; the compiler would put the first levels into one. */
#define CALLED __attribute__((noinline))

CALLED static unsigned fibonacci(unsigned n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

CALLED static int takeuchi(int x, int y, int z) {
    return x <= y ? z : takeuchi(takeuchi(x - 1, y, z), takeuchi(y - 1, z, x), takeuchi(z - 1, x, y));
}

static uint64_t recursion(void) { return (uint64_t)fibonacci(18) << 32 | (uint32_t)takeuchi(14, 8, 3); }

const struct kernel kernel = {.rounds = 20, .round = recursion, .result = 2584ull << 32 | 4};
