/*
 * fpu: the x87 and SSE state of vCPUs that share processors, and lazy switching by CR0.TS. Runs with any number of vCPUs; with two or
 * more they take turns on the registers.
 */
#include "fpu.h"

#define ROUNDS 200

static volatile uint32_t done, device_not_available;

/* The compiler is told to leave these registers alone, so they keep what assembly puts there. */
static void fill(uint64_t seed)
{
    uint64_t values[2 * XMM_REGISTERS];

    for (unsigned i = 0; i < 2 * XMM_REGISTERS; i++)
        values[i] = seed * 0x9e3779b97f4a7c15 + i;
    __asm__ volatile(LOAD_XMM "fninit; fildll (%0); fildll 8(%0)"
                     :
                     : "r"(values)
                     : "memory");
}

static bool intact(uint64_t seed)
{
    uint64_t values[2 * XMM_REGISTERS], top[2];
    bool same = true;

    __asm__ volatile(STORE_XMM "fistpll 8(%1); fistpll (%1); fildll (%1); fildll 8(%1)"
                     :
                     : "r"(values), "r"(top)
                     : "memory");
    for (unsigned i = 0; i < 2 * XMM_REGISTERS; i++)
        same &= values[i] == seed * 0x9e3779b97f4a7c15 + i;
    return same && top[0] == values[0] && top[1] == values[1];
}

static uint16_t control_word(void)
{
    uint16_t word;

    __asm__ volatile("fnstcw %0" : "=m"(word));
    return word;
}

static uint32_t mxcsr(void)
{
    uint32_t value;

    __asm__ volatile("stmxcsr %0" : "=m"(value));
    return value;
}

static void set_mxcsr(uint32_t value)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(value));
}

/* Each vCPU with its own numbers and its own rounding: none may ever see another's. */
static void take_turns(uint32_t id)
{
    unsigned broken = 0;

    set_mxcsr(0x1f80 | (id & 3) << 13);
    for (unsigned round = 0; round < ROUNDS; round++) {
        fill((uint64_t)id * ROUNDS + round);
        sched_yield();
        broken += !intact((uint64_t)id * ROUNDS + round);
        broken += mxcsr() != (0x1f80 | (id & 3) << 13);
    }
    check(broken == 0, "vCPU %u found another's registers %u times", id, broken);
    set_mxcsr(0x1f80);
}

static void secondary(void *arg)
{
    (void)arg;
    take_turns(this_cpu()->id);
    __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
}

static void test_initial_state(void)
{
    section("initial state");
    check_equal("control word", control_word(), 0x37f);
    check_equal("MXCSR", mxcsr(), 0x1f80);
}

static void test_arithmetic(void)
{
    static const double a = 1.5, b = 2.25;
    uint64_t sum, root;

    section("arithmetic");
    __asm__ volatile("movsd %2, %%xmm0; addsd %3, %%xmm0; movsd %%xmm0, %0; fldl %3; fsqrt; fstpl %1"
                     : "=m"(sum), "=m"(root)
                     : "m"(a), "m"(b));
    check_equal("1.5 + 2.25", sum, 0x400e000000000000);
    check_equal("sqrt 2.25", root, 0x3ff8000000000000);
}

static bool on_device_not_available(struct trap_frame *frame)
{
    (void)frame;
    device_not_available++;
    return true;
}

/* fpu_taskswitch(1): the next use raises #NM, with TS clear again, and the registers are as they were. */
static void test_task_switched(void)
{
    section("CR0.TS");
    trap_set_handler(7, on_device_not_available);
    fill(7);
    check_result("fpu_taskswitch", hypercall_fpu_taskswitch(1), 0);
    check(intact(7), "registers have changed");
    check_equal("#NM", device_not_available, 1);
    hypercall_fpu_taskswitch(1);
    hypercall_fpu_taskswitch(0);
    check(intact(7), "registers have changed");
    check_equal("#NM", device_not_available, 1);
    hypercall_fpu_taskswitch(1);
    sched_yield();
    check(intact(7), "registers have changed over a switch");
    check_equal("#NM", device_not_available, 2);
    trap_set_handler(7, NULL);
}

void guest_main(void)
{
    uint32_t vcpus = vcpu_count();
    uint64_t deadline;

    test_initial_state();
    test_arithmetic();
    test_task_switched();
    section("vCPUs that take turns");
    for (uint32_t vcpu = 1; vcpu < vcpus; vcpu++)
        check_result("vcpu_start", vcpu_start(vcpu, secondary, NULL), 0);
    take_turns(0);
    deadline = system_time() + 10 * NS_PER_S;
    while (done != vcpus - 1 && system_time() < deadline)
        sleep_until(system_time() + NS_PER_MS);
    check_equal("vCPUs that are done", done, vcpus - 1);
    verdict("fpu");
}
