/* pvclock, the vCPU's timer, and blocking. */
#include "internal.h"

static inline uint64_t read_tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

uint64_t system_time(void)
{
    const volatile struct vcpu_time_info *time = &this_cpu()->info->time;
    uint64_t delta, system;
    uint32_t version, mul;

    do {
        int8_t shift;

        version = time->version & ~1u;         /* odd: being updated; then the check below fails */
        compiler_barrier();
        delta = read_tsc() - time->tsc_timestamp;
        system = time->system_time;
        mul = time->tsc_to_system_mul;
        shift = time->tsc_shift;
        delta = shift >= 0 ? delta << shift : delta >> -shift;
        compiler_barrier();
    } while (time->version != version);
    return system + (delta >> 32) * mul + ((delta & UINT32_MAX) * mul >> 32);
}

uint64_t wall_clock(void)
{
    const volatile struct shared_info *info = shared_info;
    uint64_t base;
    uint32_t version;

    do {
        version = info->wc_version & ~1u;
        compiler_barrier();
        base = ((uint64_t)info->wc_sec_hi << 32 | info->wc_sec) * NS_PER_S + info->wc_nsec;
        compiler_barrier();
    } while (info->wc_version != version);
    return base + system_time();
}

static void timer_event(evtchn_port_t port, void *arg)
{
    (void)port;
    (void)arg;
    this_cpu()->timer_fired++;
}

void timer_set(uint64_t deadline)
{
    struct cpu *cpu = this_cpu();

    if (cpu->timer_port == 0) {
        long port = event_bind_virq(VIRQ_TIMER, cpu->id, timer_event, NULL);

        if (port < 0)
            panic("bind_virq of the timer: %s", xen_error_name(port));
        cpu->timer_port = port;
        /* Xen starts each vCPU with a tick of 10 ms, from times when guests counted ticks. */
        hypercall_vcpu_op(VCPUOP_stop_periodic_timer, cpu->id, NULL);
    }
    if (deadline == 0) {
        hypercall_vcpu_op(VCPUOP_stop_singleshot_timer, cpu->id, NULL);
    } else {
        struct vcpu_set_singleshot_timer timer = {deadline, 0};

        hypercall_vcpu_op(VCPUOP_set_singleshot_timer, cpu->id, &timer);
    }
}

void sched_yield(void) { hypercall_sched_op(SCHEDOP_yield, NULL); }
void sched_block(void) { hypercall_sched_op(SCHEDOP_block, NULL); }

long sched_poll(const evtchn_port_t *ports, unsigned count, uint64_t timeout)
{
    struct sched_poll poll = {ports, count, timeout};

    return hypercall_sched_op(SCHEDOP_poll, &poll);
}

bool wait_until(bool (*condition)(void *arg), void *arg, uint64_t deadline)
{
    for (;;) {
        bool masked = events_disable();

        if (condition != NULL && condition(arg)) {
            events_restore(masked);
            return true;
        }
        if (deadline != 0) {
            if (system_time() >= deadline) {
                events_restore(masked);
                return false;
            }
            timer_set(deadline);
        }
        /* SCHEDOP_block unmasks first, so an event since the check above is not slept through. */
        sched_block();
        if (masked)
            events_disable();
    }
}

void sleep_until(uint64_t deadline) { wait_until(NULL, NULL, deadline); }
