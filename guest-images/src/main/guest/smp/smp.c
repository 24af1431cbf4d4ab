/* smp: further vCPUs up and down, IPIs between them, and locked instructions on shared memory. Needs vcpus=2 or more. */
#include "verdict.h"

static volatile uint32_t running, stop, ipis[MAX_VCPUS], shared_counter;
static evtchn_port_t ipi_port[MAX_VCPUS];

static void on_ipi(evtchn_port_t port, void *arg)
{
    (void)port;
    (void)arg;
    ipis[this_cpu()->id]++;
}

static bool told_to_stop(void *arg)
{
    (void)arg;
    return stop != 0;
}

static void secondary(void *arg)
{
    uint32_t id = this_cpu()->id;

    if (id != (unsigned long)arg)
        return;
    event_set_vcpu(ipi_port[id], id);
    event_unmask(ipi_port[id]);
    for (unsigned i = 0; i < 100000; i++)
        __atomic_fetch_add(&shared_counter, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&running, 1, __ATOMIC_SEQ_CST);
    wait_until(told_to_stop, NULL, 0);
    __atomic_fetch_sub(&running, 1, __ATOMIC_SEQ_CST);
}

/* Waits until the value is as wanted; gives up after ten seconds. */
static bool becomes(volatile uint32_t *value, uint32_t wanted)
{
    uint64_t deadline = system_time() + 10 * NS_PER_S;

    while (*value != wanted && system_time() < deadline)
        sleep_until(system_time() + NS_PER_MS);
    return *value == wanted;
}

static bool goes_down(uint32_t vcpu)
{
    uint64_t deadline = system_time() + 10 * NS_PER_S;

    while (vcpu_is_up(vcpu) && system_time() < deadline)
        sleep_until(system_time() + NS_PER_MS);
    return !vcpu_is_up(vcpu);
}

static void test_round(uint32_t vcpus)
{
    stop = 0;
    running = 0;
    shared_counter = 0;
    for (uint32_t vcpu = 1; vcpu < vcpus; vcpu++)
        check_result("vcpu_start", vcpu_start(vcpu, secondary, (void *)(unsigned long)vcpu), 0);
    for (unsigned i = 0; i < 100000; i++)
        __atomic_fetch_add(&shared_counter, 1, __ATOMIC_SEQ_CST);
    check(becomes(&running, vcpus - 1), "%u of %u vCPUs run", running, vcpus - 1);
    check_equal("shared counter", shared_counter, 100000 * vcpus);

    for (uint32_t vcpu = 1; vcpu < vcpus; vcpu++) {
        uint32_t before = ipis[vcpu];

        check_equal("is_up", vcpu_is_up(vcpu), 1);
        check_result("IPI", event_send(ipi_port[vcpu]), 0);
        check(becomes(&ipis[vcpu], before + 1), "vCPU %u took %u IPIs instead of 1", vcpu, ipis[vcpu] - before);
    }
    stop = 1;
    for (uint32_t vcpu = 1; vcpu < vcpus; vcpu++)
        event_send(ipi_port[vcpu]);
    check(becomes(&running, 0), "%u vCPUs still run", running);
    for (uint32_t vcpu = 1; vcpu < vcpus; vcpu++)
        check(goes_down(vcpu), "vCPU %u did not go down", vcpu);
}

static void parked(void *arg)
{
    *(volatile uint32_t *)arg = 1;
    for (;;) {
        vcpu_stop_self();
        ++*(volatile uint32_t *)arg;
    }
}

static void test_down_and_up(void)
{
    static volatile uint32_t rounds;

    section("down and up");
    check_result("vcpu_start", vcpu_start(1, parked, (void *)&rounds), -XEN_EEXIST);
    check_result("VCPUOP_up of one that is down", hypercall_vcpu_op(VCPUOP_up, 1, NULL), 0);
    check(goes_down(1), "vCPU 1 did not go down again");
    check_result("VCPUOP_down of one that is down", hypercall_vcpu_op(VCPUOP_down, 1, NULL), 0);
}

void guest_main(void)
{
    uint32_t vcpus = vcpu_count();

    section("vCPUs up, IPIs, down");
    if (!check(vcpus >= 2, "this test needs vcpus=2 or more"))
        verdict("smp");
    for (uint32_t vcpu = 1; vcpu < vcpus; vcpu++) {
        long port = event_bind_ipi(vcpu, on_ipi, NULL);

        check(port > 0, "bind_ipi: %s", xen_error_name(port));
        event_mask(port);
        ipi_port[vcpu] = port;
    }
    check_result("VCPUOP_up of one that is not initialised", hypercall_vcpu_op(VCPUOP_up, 1, NULL), -XEN_EINVAL);
    check_result("is_up of no vCPU", hypercall_vcpu_op(VCPUOP_is_up, 77, NULL), -XEN_ENOENT);
    test_round(vcpus);
    test_down_and_up();
    verdict("smp");
}
