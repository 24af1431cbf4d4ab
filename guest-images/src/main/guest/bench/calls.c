/*
 * Hypercalls that do next to nothing, so that it is the way there and back that counts.
 *
 *   count N           N turns of an empty loop
 *   hypercall N       N calls of xen_version, by SYSCALL in place
 *   page N            the same through the hypercall page
 *   multicall N SIZE  the same, SIZE of them to a multicall
 *   vcpu_op N         N calls of VCPUOP_is_up
 *   memory_op N       N calls of XENMEM_current_reservation
 *   set_timer N       N times the timer is set, an hour ahead
 *   yield N           N calls of SCHEDOP_yield, with nobody to yield to but other domains
 */
#include "bench.h"

#define MAX_CALLS 128u
#define FAR_AHEAD (3600 * NS_PER_S)

extern const uint8_t hypercall_page[];

static int64_t count(const uint64_t *numbers)
{
    for (uint64_t i = 0; i < numbers[0]; i++)
        compiler_barrier();
    return 0;
}

static int64_t version(const uint64_t *numbers)
{
    int64_t result = 0;

    for (uint64_t i = 0; i < numbers[0] && result >= 0; i++)
        result = hypercall_xen_version(XENVER_version, NULL);
    return result < 0 ? result : 0;
}

static int64_t version_by_page(const uint64_t *numbers)
{
    const uint8_t *stub = hypercall_page + 32 * HYPERCALL_xen_version;
    int64_t result = 0;

    for (uint64_t i = 0; i < numbers[0] && result >= 0; i++) {
        uint64_t op = XENVER_version, arg = 0;

        /* Stubs push and pop RCX and R11. */
        __asm__ volatile("call *%[stub]"
                         : "=a"(result), "+D"(op), "+S"(arg)
                         : [stub] "r"(stub)
                         : "rcx", "r11", "memory");
    }
    return result < 0 ? result : 0;
}

static int64_t multicall(const uint64_t *numbers)
{
    static struct multicall_entry calls[MAX_CALLS];
    uint64_t size = numbers[1];

    if (size == 0 || size > MAX_CALLS || numbers[0] % size != 0)
        return -XEN_EINVAL;
    memset(calls, 0, sizeof(calls));
    for (uint64_t i = 0; i < size; i++)
        calls[i].op = HYPERCALL_xen_version;
    for (uint64_t i = 0; i < numbers[0]; i += size) {
        int64_t error = hypercall_multicall(calls, size);

        if (error != 0)
            return error;
    }
    return (int64_t)calls[size - 1].result < 0 ? (int64_t)calls[size - 1].result : 0;
}

static int64_t is_up(const uint64_t *numbers)
{
    for (uint64_t i = 0; i < numbers[0]; i++)
        if (hypercall_vcpu_op(VCPUOP_is_up, 0, NULL) != 1)
            return -XEN_EIO;
    return 0;
}

static int64_t reservation(const uint64_t *numbers)
{
    domid_t domain = DOMID_SELF;

    for (uint64_t i = 0; i < numbers[0]; i++) {
        int64_t pages = hypercall_memory_op(XENMEM_current_reservation, &domain);

        if (pages <= 0)
            return pages < 0 ? pages : -XEN_EIO;
    }
    return 0;
}

static int64_t set_timer(const uint64_t *numbers)
{
    uint64_t then = system_time() + FAR_AHEAD;
    int64_t error = 0;

    for (uint64_t i = 0; i < numbers[0] && error == 0; i++)
        error = hypercall_set_timer_op(then + i);
    hypercall_set_timer_op(0);
    return error;
}

static int64_t yield(const uint64_t *numbers)
{
    int64_t error = 0;

    for (uint64_t i = 0; i < numbers[0] && error == 0; i++)
        error = hypercall_sched_op(SCHEDOP_yield, NULL);
    return error;
}

const struct command call_commands[] = {
    {"count", 1, count},         {"hypercall", 1, version},       {"page", 1, version_by_page}, {"multicall", 2, multicall},
    {"vcpu_op", 1, is_up},       {"memory_op", 1, reservation},   {"set_timer", 1, set_timer},  {"yield", 1, yield},
    {NULL, 0, NULL},
};
