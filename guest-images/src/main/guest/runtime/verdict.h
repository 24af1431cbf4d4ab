/*
 * For guests that test the hypervisor: checks, and the one line at the end that a test harness reads:
 * "VERDICT <name> PASS" or "VERDICT <name> FAIL <first reason>". Then the domain powers off.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include "runtime.h"

/* Names the checks that follow, on the console and in the reason of a failure. */
void section(const char *name);

/* Counts a check, and reports it when the condition does not hold. */
bool check(bool condition, const char *format, ...) PRINTF_LIKE(2, 3);

/* Checks a hypercall's result against a value or a negative XEN_E*. */
bool check_result(const char *what, int64_t result, int64_t expected);

/* Checks two numbers for equality. */
bool check_equal(const char *what, uint64_t actual, uint64_t expected);

void verdict(const char *name) __attribute__((noreturn));

#endif
