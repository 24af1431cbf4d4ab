/* Hypercalls about vCPUs, events and time, lists of calls, and what Xen writes back. */
#include "hostile.h"

static long call(unsigned long number, unsigned long a, unsigned long b) { return hypercall4(number, a, b, 0, 0); }

/* A call that leaves a list early leaves it once; lists do not nest. */
static void test_multicall(void)
{
    static struct multicall_entry calls[4], inner[1];
    unsigned long window;

    section("lists of calls");
    inner[0] = (struct multicall_entry){HYPERCALL_xen_version, 99, {XENVER_version}};
    calls[0] = (struct multicall_entry){HYPERCALL_xen_version, 99, {XENVER_version}};
    calls[1] = (struct multicall_entry){HYPERCALL_multicall, 99, {(unsigned long)inner, 1}};
    calls[2] = (struct multicall_entry){~0ul, 99, {0}};
    calls[3] = (struct multicall_entry){HYPERCALL_xen_version, 99, {XENVER_version}};
    check_result("multicall", hypercall_multicall(calls, 4), 0);
    check(calls[0].result == 4ul << 16 || calls[0].result >> 16 == 4, "version 0x%lx", calls[0].result);
    check(calls[1].result != 0 && inner[0].result == 99, "a list in a list was carried out");
    check_result("an unknown call", (long)calls[2].result, -XEN_ENOSYS);
    check_equal("version", calls[3].result, calls[0].result);
    check(call(HYPERCALL_multicall, MACH2PHYS_VIRT_START, 1) < 0, "a list in Xen's range");
    check(call(HYPERCALL_multicall, GUEST_END - sizeof(*calls), 2) < 0, "a list over the end");
    /* One that goes on behind the end of a page where nothing is mapped. */
    window = window_alloc(2);
    map_page(window, mfn_to_pte(virt_to_mfn(page_alloc()), PTE_KERNEL));
    map_page(window + PAGE_SIZE, 0);
    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*calls); i++)
        ((struct multicall_entry *)window)[i].op = ~0ul;
    check_result("a list that never ends", call(HYPERCALL_multicall, window, ~0u), -XEN_EFAULT);

    /* Its iret is the last that is done; what follows must not run in the context that it went to. */
    calls[0] = (struct multicall_entry){HYPERCALL_iret, 99, {0}};
    calls[1] = (struct multicall_entry){HYPERCALL_xen_version, 99, {XENVER_version}};
    test_iret_in_list(calls);
}

/* Strings that Xen fills in end with zeroes, not with what was on its stack. */
static void test_leaks(void)
{
    static const struct {
        uint32_t op, size;
    } strings[] = {{XENVER_extraversion, 16}, {XENVER_capabilities, 1024}, {XENVER_changeset, 64}, {XENVER_commandline, 1024},
                   {XENVER_compile_info, 144}};
    static uint8_t buffer[1024 + 64];

    section("leaks");
    for (unsigned i = 0; i < ARRAY_LENGTH(strings); i++) {
        unsigned at = 0, odd = 0;

        memset(buffer, 0xaa, sizeof(buffer));
        check(hypercall_xen_version(strings[i].op, buffer) == 0 || strings[i].op == XENVER_commandline, "xen_version %u",
              strings[i].op);
        if (strings[i].op != XENVER_compile_info) {
            while (at < strings[i].size && buffer[at] != 0)
                at++;
        }
        for (; at < strings[i].size; at++)
            odd += buffer[at] > 0x7e && buffer[at] != 0xaa;
        check(odd == 0, "%u bytes behind the string of xen_version %u", odd, strings[i].op);
        for (at = strings[i].size; at < strings[i].size + 64; at++)
            check(buffer[at] == 0xaa, "byte %u behind xen_version %u was written", at, strings[i].op);
    }
    check(hypercall_xen_version(XENVER_capabilities, (void *)MACH2PHYS_VIRT_START) < 0, "xen_version wrote to the M2P");
    check(hypercall_xen_version(XENVER_capabilities, (void *)(GUEST_END - 8)) < 0, "xen_version over the end");
}

/* Lengths of text that a console takes, and pointers that it has not. */
static void test_console(void)
{
    static char text[] = "hostile: a line\n";

    section("console");
    check(hypercall_console_io(CONSOLEIO_write, ~0u, text) <= 0, "4294967295 bytes");
    check(hypercall_console_io(CONSOLEIO_write, 64, (const char *)MACH2PHYS_VIRT_START) <= 0, "text of Xen's");
    check(hypercall_console_io(CONSOLEIO_write, 64, (const char *)(GUEST_END - 8)) <= 0, "text over the end");
    check_result("no text", hypercall_console_io(CONSOLEIO_write, 0, text), 0);
    for (unsigned i = 0; i < 2000; i++)
        hypercall_console_io(CONSOLEIO_write, sizeof(text) - 1, text);
    check_result("reading", hypercall_console_io(CONSOLEIO_read, 16, text), -XEN_EPERM);
}

/* A vcpu_info lies within one page that is the guest's, aligned, and stays there. */
static void test_vcpu_areas(void)
{
    void *page = page_alloc();
    static const uint32_t offsets[] = {PAGE_SIZE - 8, 1, 4, PAGE_SIZE, ~0u, PAGE_SIZE - 63};
    struct vcpu_register_vcpu_info info;
    struct vcpu_register_area area;

    section("areas of vCPUs");
    for (unsigned i = 0; i < ARRAY_LENGTH(offsets); i++) {
        info = (struct vcpu_register_vcpu_info){virt_to_mfn(page), offsets[i], 0};
        check(hypercall_vcpu_op(VCPUOP_register_vcpu_info, 1, &info) < 0, "vcpu_info at +%u", offsets[i]);
    }
    info = (struct vcpu_register_vcpu_info){virt_to_mfn((void *)start_info->pt_base), 0, 0};
    check(hypercall_vcpu_op(VCPUOP_register_vcpu_info, 1, &info) < 0, "vcpu_info in the root table");
    info.mfn = 0;
    check(hypercall_vcpu_op(VCPUOP_register_vcpu_info, 1, &info) < 0, "vcpu_info in frame 0");
    info.mfn = virt_to_mfn(page);
    check(hypercall_vcpu_op(VCPUOP_register_vcpu_info, 8000, &info) < 0, "vcpu_info of vCPU 8000");
    area.address = MACH2PHYS_VIRT_START;
    check(hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area) < 0, "runstate in Xen's range");
    check(hypercall_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &area) < 0, "time in Xen's range");
    area.address = GUEST_END - 8;
    check(hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area) <= 0, "runstate over the end");
    /* It may be put where a page table is, and then nothing is written. */
    area.address = start_info->pt_base + 8 * 5;
    hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area);
    for (unsigned i = 0; i < 5; i++) {
        timer_set(system_time() + 100000);
        sched_block();
    }
    check_equal("an entry of the root table", ((const volatile uint64_t *)start_info->pt_base)[5], 0);
    area.address = 0;
    hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area);
    page_free(page);
}

static void test_vcpu_contexts(void)
{
    static struct vcpu_guest_context context;
    static const unsigned long roots[] = {0, BY_WIDTH(1ul << 51, 0xfffffffful), ~0xffful};

    section("contexts of vCPUs");
    for (unsigned i = 0; i < ARRAY_LENGTH(roots); i++) {
        memset(&context, 0, sizeof(context));
        context.flags = VGCF_in_kernel;
        context.ctrlreg[3] = roots[i];
        check(hypercall_vcpu_op(VCPUOP_initialise, 1, &context) < 0, "a vCPU with root 0x%lx", roots[i]);
    }
    context.ctrlreg[3] = xen_pfn_to_cr3(virt_to_mfn((void *)start_info->pt_base));
    context.gdt_ents = 512;
    context.gdt_frames[0] = virt_to_mfn((void *)start_info->pt_base);
    check(hypercall_vcpu_op(VCPUOP_initialise, 1, &context) < 0, "a vCPU with the root table as its GDT");
    context.gdt_ents = ~0ul;
    check(hypercall_vcpu_op(VCPUOP_initialise, 1, &context) < 0, "a vCPU with as many GDT entries as can be said");
    context.gdt_ents = 0;
    context.ldt_ents = 9000;
    check(hypercall_vcpu_op(VCPUOP_initialise, 1, &context) < 0, "a vCPU with 9000 LDT entries");
    check(hypercall_vcpu_op(VCPUOP_initialise, 1, (void *)MACH2PHYS_VIRT_START) < 0, "a context of Xen's");
    check_result("the vCPU that runs", hypercall_vcpu_op(VCPUOP_initialise, 0, &context), -XEN_EEXIST);
    check(hypercall_vcpu_op(VCPUOP_up, 1, NULL) < 0, "a vCPU without a context came up");
    check(hypercall_vcpu_op(VCPUOP_up, ~0ul, NULL) < 0, "vCPU -1 came up");
}

static void test_ports(void)
{
    static evtchn_port_t ports[EVTCHN_2L_PORTS];
    static const evtchn_port_t odd[] = {0, EVTCHN_2L_PORTS - 1, EVTCHN_2L_PORTS, 131072, ~0u, 0x80000000};
    struct evtchn_alloc_unbound alloc = {DOMID_SELF, DOMID_SELF, 0};
    unsigned count = 0;
    long result = 0;

    section("event channels");
    while (count < ARRAY_LENGTH(ports)) {
        alloc.port = 0;
        result = hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &alloc);
        if (result != 0)
            break;
        ports[count++] = alloc.port;
    }
    check_result("one port too many", result, -XEN_ENOSPC);
    check_result("and again", hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &alloc), -XEN_ENOSPC);
    check(count > 100, "only %u ports", count);
    for (unsigned i = 0; i < count; i++)
        event_close(ports[i]);
    check(hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &alloc) == 0, "no port after all were closed");
    check(event_close(alloc.port) == 0 && event_close(alloc.port) < 0, "a port was closed twice");
    for (unsigned i = 0; i < ARRAY_LENGTH(odd); i++) {
        struct evtchn_port_op port = {odd[i]};
        struct evtchn_bind_vcpu bind = {odd[i], 0};
        struct evtchn_set_priority priority = {odd[i], 0};
        struct sched_poll poll = {&odd[i], 1, 1};

        check(hypercall_event_channel_op(EVTCHNOP_send, &port) < 0, "sent by port %u", odd[i]);
        check(hypercall_event_channel_op(EVTCHNOP_close, &port) < 0, "closed port %u", odd[i]);
        check(hypercall_event_channel_op(EVTCHNOP_unmask, &port) < 0 || odd[i] < EVTCHN_2L_PORTS, "unmasked port %u", odd[i]);
        check(hypercall_event_channel_op(EVTCHNOP_bind_vcpu, &bind) < 0, "bound port %u", odd[i]);
        check(hypercall_event_channel_op(EVTCHNOP_set_priority, &priority) < 0, "priority of port %u", odd[i]);
        check(hypercall_sched_op(SCHEDOP_poll, &poll) < 0 || odd[i] < EVTCHN_2L_PORTS, "polled port %u", odd[i]);
    }
    struct evtchn_bind_virq virq = {VIRQ_TIMER, 8000, 0};
    struct evtchn_bind_interdomain to = {DOMID_XEN, 1, 0};
    struct evtchn_init_control control = {0, 0, 0, 0, {0}};
    struct sched_poll many = {(evtchn_port_t *)MACH2PHYS_VIRT_START, 129, 1};

    check(hypercall_event_channel_op(EVTCHNOP_bind_virq, &virq) < 0, "a VIRQ of vCPU 8000");
    virq = (struct evtchn_bind_virq){NR_VIRQS, 0, 0};
    check(hypercall_event_channel_op(EVTCHNOP_bind_virq, &virq) < 0, "VIRQ %u", NR_VIRQS);
    virq = (struct evtchn_bind_virq){~0u, 0, 0};
    check(hypercall_event_channel_op(EVTCHNOP_bind_virq, &virq) < 0, "VIRQ -1");
    check(hypercall_event_channel_op(EVTCHNOP_bind_interdomain, &to) < 0, "bound to DOMID_XEN");
    check(hypercall_event_channel_op(EVTCHNOP_init_control, &control) < 0, "a control block in frame 0");
    control = (struct evtchn_init_control){virt_to_mfn(page_alloc()), PAGE_SIZE - 8, 0, 0, {0}};
    check(hypercall_event_channel_op(EVTCHNOP_init_control, &control) < 0, "a control block over the end of a page");
    check(hypercall_event_channel_op(EVTCHNOP_expand_array, &control) < 0, "an array without a control block");
    check(hypercall_sched_op(SCHEDOP_poll, &many) < 0, "129 ports polled");
}

/* Deadlines that cannot be, and periods that would leave time for nothing else. */
static void test_timers(void)
{
    struct vcpu_set_periodic_timer periodic = {1};
    struct vcpu_set_singleshot_timer single = {1ull << 63, 0};

    section("timers");
    check(hypercall_vcpu_op(VCPUOP_set_periodic_timer, 0, &periodic) < 0, "a period of 1 ns");
    periodic.period_ns = ~0ull;
    check(hypercall_vcpu_op(VCPUOP_set_periodic_timer, 0, &periodic) <= 0, "a period of 2^64-1 ns");
    hypercall_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
    hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &single);
    single.timeout_abs_ns = ~0ull;
    hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &single);
    hypercall_set_timer_op(~0ull);
    hypercall_set_timer_op(1ull << 63);
    hypercall_set_timer_op(1);
    hypercall_set_timer_op(0);
    sleep_until(system_time() + NS_PER_MS);
}

/* Calls that are for domain 0, and numbers that are none. */
static void test_privileged(void)
{
    static const unsigned long numbers[] = {HYPERCALL_platform_op, HYPERCALL_sysctl, HYPERCALL_domctl, HYPERCALL_kexec_op,
                                       HYPERCALL_physdev_op, HYPERCALL_dm_op, HYPERCALL_hypfs_op, HYPERCALL_xsm_op,
                                       HYPERCALL_xenoprof_op, HYPERCALL_xenpmu_op, HYPERCALL_argo_op, HYPERCALL_hvm_op,
                                       38, 48, 63, 64, BY_WIDTH(1ul << 32, 1ul << 31), ~0ul};
    static uint8_t zeroes[256];

    section("calls for others");
    for (unsigned i = 0; i < ARRAY_LENGTH(numbers); i++) {
        check(call(numbers[i], 0, (unsigned long)zeroes) < 0, "hypercall %lu succeeded", numbers[i]);
        check(call(numbers[i], (unsigned long)zeroes, 0) < 0, "hypercall %lu succeeded", numbers[i]);
        check(call(numbers[i], MACH2PHYS_VIRT_START, ~0ul) < 0, "hypercall %lu succeeded", numbers[i]);
    }
}

void test_calls(void)
{
    test_multicall();
    test_leaks();
    test_console();
    test_vcpu_areas();
    test_vcpu_contexts();
    test_ports();
    test_timers();
    test_privileged();
}
