/* An interpreter of a machine with sixteen registers: an indirect jump per operation, to a place that depends on data. */
#include "kernel.h"

enum operation { SET, COPY, ADD, ADD_NUMBER, AND_NUMBER, SHIFT_RIGHT, JUMP, JUMP_IF_LESS, JUMP_IF_NUMBER, RETURN };

/* Registers or small numbers; a jump goes to the instruction that c counts. */
struct instruction {
    uint8_t operation, a, b, c;
};

static uint64_t interpret(const struct instruction *program, uint64_t argument) {
    uint64_t r[16] = {argument};
    for (const struct instruction *at = program;;) {
        struct instruction i = *at++;
        switch (i.operation) {
            case SET: r[i.a] = i.b; break;
            case COPY: r[i.a] = r[i.b]; break;
            case ADD: r[i.a] = r[i.b] + r[i.c]; break;
            case ADD_NUMBER: r[i.a] = r[i.b] + i.c; break;
            case AND_NUMBER: r[i.a] = r[i.b] & i.c; break;
            case SHIFT_RIGHT: r[i.a] = r[i.b] >> (i.c & 63); break;
            case JUMP: at = program + i.c; break;
            case JUMP_IF_LESS: at = r[i.a] < r[i.b] ? program + i.c : at; break;
            case JUMP_IF_NUMBER: at = r[i.a] == i.b ? program + i.c : at; break;
            default: return r[i.a];
        }
    }
}

/* How many steps the numbers below the argument take to get to 1, all together, where n goes to n / 2 or, if it is odd, to 3n + 1. */
enum { LIMIT, START, STEPS, N, T };
enum { NEXT_START = 2, NEXT_STEP = 3, EVEN = 10, COUNT_STEP = 11, AT_1 = 13 };
static const struct instruction collatz[] = {
    {SET, START, 1, 0},
    {SET, STEPS, 0, 0},
    [NEXT_START] = {COPY, N, START, 0},
    [NEXT_STEP] = {JUMP_IF_NUMBER, N, 1, AT_1},
    {AND_NUMBER, T, N, 1},
    {JUMP_IF_NUMBER, T, 0, EVEN},
    {ADD, T, N, N},
    {ADD, N, T, N},
    {ADD_NUMBER, N, N, 1},
    {JUMP, 0, 0, COUNT_STEP},
    [EVEN] = {SHIFT_RIGHT, N, N, 1},
    [COUNT_STEP] = {ADD_NUMBER, STEPS, STEPS, 1},
    {JUMP, 0, 0, NEXT_STEP},
    [AT_1] = {ADD_NUMBER, START, START, 1},
    {JUMP_IF_LESS, START, LIMIT, NEXT_START},
    {RETURN, STEPS, 0, 0},
};

static uint64_t run_collatz(void) { return interpret(collatz, 200); }

const struct kernel kernel = {.rounds = 10, .round = run_collatz, .result = 8392};
