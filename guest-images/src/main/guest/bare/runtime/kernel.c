#include "kernel.h"

/* The number behind rounds= where that begins a word of the command line. */
static uint64_t rounds(void) {
    for (const char *at = command_line; *at; at++) {
        const char *key = "rounds=";
        while (*key && *at == *key) at++, key++;
        if (!*key) {
            uint64_t number = 0;
            while (*at >= '0' && *at <= '9') number = number * 10 + (uint64_t)(*at++ - '0');
            return number;
        }
        while (*at && *at != ' ') at++;
        if (!*at) break;
    }
    return kernel.rounds;
}

void test(void) {
    uint64_t count = rounds();
    if (kernel.prepare) kernel.prepare();
    print("BEGIN\n");
    for (uint64_t i = 0; i < count; i++) {
        uint64_t result = kernel.round();
        if (result != kernel.result) {
            check_equal(result, kernel.result, "the result of a round");
            break;
        }
    }
    print("END\n");
}
