#include "verdict.h"

static char first_reason[200];
static unsigned checks, failures;
static const char *current = "";

void section(const char *name)
{
    current = name;
    print("%s\n", name);
}

static void fail(const char *format, va_list args)
{
    char reason[160];

    vformat_string(reason, sizeof(reason), format, args);
    print("  FAILED: %s\n", reason);
    if (failures++ == 0)
        format_string(first_reason, sizeof(first_reason), "%s: %s", current, reason);
}

bool check(bool condition, const char *format, ...)
{
    va_list args;

    checks++;
    if (condition)
        return true;
    va_start(args, format);
    fail(format, args);
    va_end(args);
    return false;
}

static void describe(char *text, size_t size, int64_t result)
{
    if (result < 0 && result > -4096)
        format_string(text, size, "-%s", xen_error_name(result));
    else
        format_string(text, size, "%lld", (long long)result);
}

bool check_result(const char *what, int64_t result, int64_t expected)
{
    char got[32], wanted[32];

    describe(got, sizeof(got), result);
    describe(wanted, sizeof(wanted), expected);
    return check(result == expected, "%s returned %s instead of %s", what, got, wanted);
}

bool check_equal(const char *what, uint64_t actual, uint64_t expected)
{
    return check(actual == expected, "%s is 0x%llx instead of 0x%llx", what, (unsigned long long)actual,
                 (unsigned long long)expected);
}

void verdict(const char *name)
{
    print("%u checks, %u failed\n", checks, failures);
    if (failures == 0)
        print("VERDICT %s PASS\n", name);
    else
        print("VERDICT %s FAIL %s\n", name, first_reason);
    domain_shutdown(SHUTDOWN_poweroff);
}
