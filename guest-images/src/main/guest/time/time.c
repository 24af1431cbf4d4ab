/* time: pvclock, wall clock, timers and the times that Xen accounts. */
#include "verdict.h"

static void count_tick(evtchn_port_t port, void *arg)
{
    (void)port;
    ++*(unsigned *)arg;
}

static void test_clock(void)
{
    uint64_t before = system_time(), wall = wall_clock(), backwards = 0, advanced;
    const volatile struct vcpu_time_info *time = &this_cpu()->info->time;

    section("clock");
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t now = system_time();

        backwards += now < before;
        before = now;
    }
    check_equal("times that the clock went backwards", backwards, 0);
    check((time->version & 1) == 0, "version %u", time->version);
    check(time->tsc_to_system_mul != 0, "tsc_to_system_mul is 0");
    check(wall > 1577836800ul * NS_PER_S, "wall clock %lu s", (unsigned long)(wall / NS_PER_S));
    advanced = wall_clock() - wall;
    check(advanced < 60 * NS_PER_S, "wall clock advanced by %lu ms", (unsigned long)(advanced / NS_PER_MS));
}

static void test_sleep(void)
{
    section("sleep");
    for (unsigned long ms = 1; ms <= 64; ms *= 4) {
        uint64_t start = system_time(), slept;

        sleep_until(start + ms * NS_PER_MS);
        slept = system_time() - start;
        check(slept >= ms * NS_PER_MS, "slept %lu us instead of %lu", (unsigned long)slept / 1000, ms * 1000);
        check(slept < ms * NS_PER_MS + 2 * NS_PER_S, "slept %lu us instead of %lu", (unsigned long)slept / 1000, ms * 1000);
    }
}

/* Timer events that were taken in account. */
static uint32_t seen;

static void forget_events(void) { seen = this_cpu()->timer_fired; }

/* Waits for a timer event after those seen, without setting the timer; false if none comes. */
static bool next_event(uint64_t patience)
{
    uint64_t deadline = system_time() + patience;

    do {
        if (*(volatile uint32_t *)&this_cpu()->timer_fired != seen) {
            seen++;
            return true;
        }
        sched_yield();
    } while (system_time() < deadline);
    return false;
}

/* Before anything else: a guest that sets no period has a tick of 10 ms while it runs. */
static void test_default_tick(void)
{
    uint64_t start;
    unsigned ticks = 0;
    long port = event_bind_virq(VIRQ_TIMER, 0, count_tick, &ticks);

    section("default tick");
    check(port > 0, "bind_virq: %s", xen_error_name(port));
    start = system_time();
    while (system_time() - start < 200 * NS_PER_MS)
        sched_yield();
    print("  %u ticks in 200 ms\n", ticks);
    check(ticks >= 3 && ticks <= 21, "%u ticks in 200 ms", ticks);
    event_close(port);
}

static void test_timers(void)
{
    struct vcpu_set_singleshot_timer past = {1, VCPU_SSHOTTMR_future}, soon = {1, 0};
    struct vcpu_set_periodic_timer periodic = {10 * NS_PER_MS}, too_short = {1};
    unsigned ticks = 0;
    uint64_t start;
    long result;

    section("timers");
    forget_events();
    timer_set(system_time() + NS_PER_MS);      /* binds VIRQ_TIMER */
    check(next_event(NS_PER_S), "the singleshot timer did not fire");

    check_result("set_timer_op", hypercall_set_timer_op(system_time() + 2 * NS_PER_MS), 0);
    check(next_event(NS_PER_S), "set_timer_op did not fire");
    check_result("set_timer_op(0)", hypercall_set_timer_op(0), 0);
    check_result("singleshot in the past", hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &soon), 0);
    check(next_event(NS_PER_S), "a timer set to the past did not fire");
    /* Xen may ignore VCPU_SSHOTTMR_future, and does from 4.17 on: then the timer fires at once. */
    result = hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &past);
    check(result == -XEN_ETIME || (result == 0 && next_event(NS_PER_S)),
          "singleshot in the past that must be in the future: %ld", result);

    forget_events();
    timer_set(system_time() + 5 * NS_PER_S);
    check_result("stop_singleshot_timer", hypercall_vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL), 0);
    timer_set(system_time() + 20 * NS_PER_MS);
    timer_set(0);
    check(!next_event(50 * NS_PER_MS), "a stopped timer fired");

    forget_events();
    check_result("set_periodic_timer", hypercall_vcpu_op(VCPUOP_set_periodic_timer, 0, &periodic), 0);
    start = system_time();
    while (system_time() - start < 200 * NS_PER_MS)
        ticks += next_event(50 * NS_PER_MS);
    check(ticks >= 3 && ticks <= 21, "%u ticks of 10 ms in 200 ms", ticks);
    check_result("stop_periodic_timer", hypercall_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
    forget_events();
    check(!next_event(50 * NS_PER_MS), "a stopped periodic timer fired");
    check_result("period of 1 ns", hypercall_vcpu_op(VCPUOP_set_periodic_timer, 0, &too_short), -XEN_EINVAL);
}

static void test_runstate(void)
{
    static struct vcpu_runstate_info area;
    struct vcpu_register_area registration = {(unsigned long)&area};
    struct vcpu_runstate_info before, after;
    uint64_t sum = 0, entry, now;

    section("runstate");
    check_result("get_runstate_info", hypercall_vcpu_op(VCPUOP_get_runstate_info, 0, &before), 0);
    check_equal("state", before.state, RUNSTATE_running);
    sleep_until(system_time() + 30 * NS_PER_MS);
    hypercall_vcpu_op(VCPUOP_get_runstate_info, 0, &after);
    check(after.time[RUNSTATE_blocked] > before.time[RUNSTATE_blocked], "a sleep does not count as blocked");
    check(after.time[RUNSTATE_running] > before.time[RUNSTATE_running], "running does not count as running");
    for (unsigned state = 0; state < ARRAY_LENGTH(after.time); state++)
        sum += after.time[state] - before.time[state];
    check(sum >= 30 * NS_PER_MS, "the states add up to %lu us", (unsigned long)sum / 1000);

    check_result("register_runstate_memory_area",
                 hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &registration), 0);
    sleep_until(system_time() + 5 * NS_PER_MS);
    now = system_time();
    entry = ((volatile struct vcpu_runstate_info *)&area)->state_entry_time;
    check_equal("state in the area", area.state, RUNSTATE_running);
    check(entry <= now && now - entry < 10 * NS_PER_S, "entered at %llu, now %llu", (unsigned long long)entry,
          (unsigned long long)now);
    check(area.time[RUNSTATE_blocked] >= after.time[RUNSTATE_blocked], "blocked time in the area goes backwards");
    registration.address = MACH2PHYS_VIRT_START;
    check_result("area in Xen's range", hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &registration),
                 -XEN_EFAULT);
}

static void test_time_area(void)
{
    static struct vcpu_time_info area;
    struct vcpu_register_area registration = {(unsigned long)&area};

    section("time area");
    check_result("register_vcpu_time_memory_area",
                 hypercall_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &registration), 0);
    sleep_until(system_time() + 2 * NS_PER_MS);
    check(area.tsc_to_system_mul == this_cpu()->info->time.tsc_to_system_mul && area.tsc_to_system_mul != 0,
          "the area's tsc_to_system_mul is %u", area.tsc_to_system_mul);
    check(area.system_time != 0, "the area's system_time is 0");
}

static long watchdog(uint32_t id, uint32_t seconds)
{
    struct {
        uint32_t id, timeout;
    } request = {id, seconds};

    return hypercall_sched_op(SCHEDOP_watchdog, &request);
}

static void test_watchdogs(void)
{
    section("watchdogs");
    check_result("one that there is not", watchdog(1, 100), -XEN_EINVAL);
    check_result("the first", watchdog(0, 100), 1);
    check_result("the second", watchdog(0, 100), 2);
    check_result("a third", watchdog(0, 100), -XEN_ENOSPC);
    check_result("set anew", watchdog(2, 1), 0);
    check_result("let go", watchdog(2, 0), 0);
    check_result("let go again", watchdog(2, 0), -XEN_EINVAL);
    check_result("id 3", watchdog(3, 0), -XEN_EINVAL);
    check_result("the first let go", watchdog(1, 0), 0);
    /* One that is let go does not bark. */
    sleep_until(system_time() + 1200 * NS_PER_MS);
}

void guest_main(void)
{
    test_default_tick();
    test_clock();
    test_sleep();
    test_timers();
    test_runstate();
    test_time_area();
    test_watchdogs();
    verdict("time");
}
