/* What toolstacks ask of the host, and the errors that they get: each as Xen gives it. */
#include "toolstack.h"

/* ---- without the privilege ----------------------------------------------------------------------------------------- */

void test_refused(void)
{
    struct xen_domctl op = {0};
    struct xen_sysctl host = {0};
    uint64_t frame = 0;
    struct xen_mem_acquire_resource resource = {0, XENMEM_resource_grant_table, 0, 1, 0, 0, &frame};
    struct evtchn_alloc_unbound port = {0, self, 0};
    struct sched_remote_shutdown shutdown = {0, SHUTDOWN_poweroff};
    struct mmu_update update = {MMU_MACHPHYS_UPDATE, 0};

    section("without privilege");
    check((start_info->flags & SIF_PRIVILEGED) == 0, "SIF_PRIVILEGED is set");
    for (uint32_t cmd = 1; cmd < 100; cmd++) {
        op = (struct xen_domctl){0};
        check_result("domctl on itself", domctl(&op, cmd, self), -XEN_EPERM);
        check_result("domctl on domain 0", domctl(&op, cmd, 0), -XEN_EPERM);
        check_result("sysctl", sysctl(&host, cmd), -XEN_EPERM);
    }
    check_result("acquire_resource", hypercall_memory_op(XENMEM_acquire_resource, &resource), -XEN_EPERM);
    check_result("alloc_unbound", hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &port), -XEN_EPERM);
    check_result("remote_shutdown", hypercall_sched_op(SCHEDOP_remote_shutdown, &shutdown), -XEN_EPERM);
    check_result("mmu_update of domain 0's", hypercall_mmu_update(&update, 1, NULL, 0), -XEN_EPERM);
    check_equal("populated for domain 0", populate(0, &frame, 1), 0);
}

/* ---- the host ------------------------------------------------------------------------------------------------------ */

void test_host(void)
{
    static uint32_t features[64], distance[1];
    static struct xen_cpuid_leaf leaves[256];
    static uint64_t idle[8];
    static char text[2048];
    struct xen_sysctl op = {0};
    struct xen_sysctl_meminfo memory;
    struct xen_sysctl_cputopo topology[8];
    uint8_t cpus[4] = {0xff, 0xff, 0xff, 0xff};
    uint32_t processors;

    section("the host");
    check_result("physinfo", sysctl(&op, XEN_SYSCTL_physinfo), 0);
    processors = op.u.physinfo.nr_cpus;
    check(processors >= 1 && processors <= 8, "%u processors", processors);
    check((op.u.physinfo.capabilities & XEN_SYSCTL_PHYSCAP_pv) != 0, "no PV domains");
    check(op.u.physinfo.free_pages < op.u.physinfo.total_pages, "more free pages than pages");
    check_result("sched_id", sysctl(&op, XEN_SYSCTL_sched_id), 0);
    check_equal("the scheduler", op.u.sched_id, XEN_SCHEDULER_CREDIT2);
    op.u.getcpuinfo = (struct xen_sysctl_getcpuinfo){ARRAY_LENGTH(idle), idle, 0};
    check_result("getcpuinfo", sysctl(&op, XEN_SYSCTL_getcpuinfo), 0);
    check_equal("processors with idle times", op.u.getcpuinfo.nr_cpus, processors);
    check(idle[0] < system_time(), "more idle time than time");
    op.u.cputopoinfo = (struct xen_sysctl_cputopoinfo){ARRAY_LENGTH(topology), topology};
    check_result("cputopoinfo", sysctl(&op, XEN_SYSCTL_cputopoinfo), 0);
    check_equal("processors with a place", op.u.cputopoinfo.num_cpus, processors);
    op.u.numainfo = (struct xen_sysctl_numainfo){1, &memory, distance};
    check_result("numainfo", sysctl(&op, XEN_SYSCTL_numainfo), 0);
    check(op.u.numainfo.num_nodes == 1 && memory.memfree < memory.memsize && distance[0] == 10, "a node without memory");
    op.u.cpupool_op = (struct xen_sysctl_cpupool_op){.op = XEN_SYSCTL_CPUPOOL_OP_INFO, .cpumap = {cpus, 32}};
    check_result("cpupool_op", sysctl(&op, XEN_SYSCTL_cpupool_op), 0);
    check_equal("processors of the pool", cpus[0] | cpus[3] << 24, (1ul << processors) - 1);
    check(op.u.cpupool_op.n_dom >= 2, "%u domains in the pool", op.u.cpupool_op.n_dom);
    op.u.cpu_featureset = (struct xen_sysctl_cpu_featureset){2, ARRAY_LENGTH(features), features};
    check_result("get_cpu_featureset", sysctl(&op, XEN_SYSCTL_get_cpu_featureset), 0);
    check((features[0] & 1 << 25) != 0, "PV guests have no SSE");
    op.u.cpu_policy = (struct xen_sysctl_cpu_policy){4, ARRAY_LENGTH(leaves), 0, 0, leaves, NULL};
    check_result("get_cpu_policy", sysctl(&op, XEN_SYSCTL_get_cpu_policy), 0);
    check_equal("SSE and the rest in the policy", leaves[1].d, features[0]);
    op.u.readconsole = (struct xen_sysctl_readconsole){.buffer = text, .count = sizeof(text)};
    check_result("readconsole", sysctl(&op, XEN_SYSCTL_readconsole), 0);
    check(op.u.readconsole.count > 100 && op.u.readconsole.count <= sizeof(text), "the log has %u bytes",
          op.u.readconsole.count);
    check_result("a sysctl that is none", sysctl(&op, 1000), -XEN_ENOSYS);
    op.interface_version = 0x14;
    check_result("sysctl of another version", hypercall1(HYPERCALL_sysctl, (uint64_t)&op), -XEN_EACCES);
    check_result("sysctl without an argument", hypercall1(HYPERCALL_sysctl, 0), -XEN_EFAULT);
}

/* ---- errors -------------------------------------------------------------------------------------------------------- */

static void check_creation(const char *what, struct xen_domctl_createdomain creation, domid_t domid, int64_t expected)
{
    struct xen_domctl op = {0};

    op.u.createdomain = creation;
    check_result(what, domctl(&op, XEN_DOMCTL_createdomain, domid), expected);
}

static void test_creation(domid_t other)
{
    struct xen_domctl_createdomain right = {.max_vcpus = 1, .max_evtchn_port = 100, .max_grant_frames = 4,
                                            .max_maptrack_frames = 4, .grant_opts = 1};
    struct xen_domctl_createdomain wrong = right;

    section("creation");
    check_creation("a domid that is in use", right, other, -XEN_EEXIST);
    check_creation("its own domid", right, self, -XEN_EEXIST);
    wrong.flags = XEN_DOMCTL_CDF_hvm;
    check_creation("an HVM domain", wrong, 0, -XEN_EINVAL);
    wrong.flags = 1u << 20;
    check_creation("an unknown flag", wrong, 0, -XEN_EINVAL);
    wrong = right;
    wrong.max_vcpus = 0;
    check_creation("no vCPU", wrong, 0, -XEN_EINVAL);
    wrong.max_vcpus = 100000;
    check_creation("too many vCPUs", wrong, 0, -XEN_EINVAL);
    wrong = right;
    wrong.grant_opts = 0;
    check_creation("no version of grant tables", wrong, 0, -XEN_EINVAL);
    wrong.grant_opts = 16;
    check_creation("an unknown grant option", wrong, 0, -XEN_EINVAL);
    wrong = right;
    wrong.max_grant_frames = 0;
    check_creation("no grant table", wrong, 0, -XEN_EINVAL);
    wrong = right;
    wrong.cpupool_id = 7;
    check_creation("a pool that is not there", wrong, 0, -XEN_ESRCH);
    wrong = right;
    wrong.iommu_opts = 1;
    check_creation("options of an IOMMU", wrong, 0, -XEN_EINVAL);
}

static void test_calls(void)
{
    struct xen_domctl op = {0};

    section("calls");
    op.cmd = XEN_DOMCTL_pausedomain;
    op.interface_version = 0x14;
    op.domain = self;
    check_result("another version", hypercall1(HYPERCALL_domctl, (uint64_t)&op), -XEN_EACCES);
    op.interface_version = 0;
    check_result("no version", hypercall1(HYPERCALL_domctl, (uint64_t)&op), -XEN_EACCES);
    check_result("no argument", hypercall1(HYPERCALL_domctl, 0), -XEN_EFAULT);
    check_result("an argument of Xen's", hypercall1(HYPERCALL_domctl, MACH2PHYS_VIRT_START - PAGE_SIZE), -XEN_EFAULT);
    check_result("a command that is none", domctl(&op, 999, self), -XEN_EOPNOTSUPP);
    check_result("nobody", domctl(&op, XEN_DOMCTL_pausedomain, 0x7000), -XEN_ESRCH);
    check_result("DOMID_SELF", domctl(&op, XEN_DOMCTL_pausedomain, DOMID_SELF), -XEN_ESRCH);
    check_result("DOMID_XEN", domctl(&op, XEN_DOMCTL_destroydomain, DOMID_XEN), -XEN_ESRCH);
    check_result("getdomaininfo of DOMID_SELF", domctl(&op, XEN_DOMCTL_getdomaininfo, DOMID_SELF), -XEN_EINVAL);
    check_result("getdomaininfo of nobody", domctl(&op, XEN_DOMCTL_getdomaininfo, 0x7000), -XEN_ESRCH);
    check_result("pausing itself", domctl(&op, XEN_DOMCTL_pausedomain, self), -XEN_EINVAL);
    check_result("destroying itself", domctl(&op, XEN_DOMCTL_destroydomain, self), -XEN_EINVAL);
    check_result("its own vCPU", domctl(&op, XEN_DOMCTL_setvcpucontext, self), -XEN_EINVAL);
    check_result("its own registers", domctl(&op, XEN_DOMCTL_getvcpucontext, self), -XEN_EINVAL);
    op.u.max_vcpus = 1;
    check_result("its own vCPUs", domctl(&op, XEN_DOMCTL_max_vcpus, self), -XEN_EINVAL);
    check_result("unpausing what runs", domctl(&op, XEN_DOMCTL_unpausedomain, self), -XEN_EINVAL);
    check_result("debugging itself", domctl(&op, XEN_DOMCTL_setdebugging, self), -XEN_EINVAL);
    check_result("domain 0's registers", domctl(&op, XEN_DOMCTL_setvcpucontext, 0), -XEN_EINVAL);
}

static void test_pauses(domid_t other)
{
    struct xen_domctl_getdomaininfo info;
    unsigned pauses = 0;

    section("pauses");
    check_result("unpausing it", domctl_simple(XEN_DOMCTL_unpausedomain, other), 0);
    check_result("unpausing it twice", domctl_simple(XEN_DOMCTL_unpausedomain, other), -XEN_EINVAL);
    while (pauses < 1000 && domctl_simple(XEN_DOMCTL_pausedomain, other) == 0)
        pauses++;
    check_equal("most pauses", pauses, 255);
    check_result("one more", domctl_simple(XEN_DOMCTL_pausedomain, other), -XEN_E2BIG);
    while (pauses-- > 1)
        check_result("unpausing", domctl_simple(XEN_DOMCTL_unpausedomain, other), 0);
    check_result("getdomaininfo", domain_info(other, &info), 0);
    check((info.flags & XEN_DOMINF_paused) != 0, "not paused any more");
}

static void test_vcpus(domid_t other)
{
    static struct vcpu_guest_context context;
    struct xen_domctl op = {0};
    uint8_t hard = 0, soft = 0xff;

    section("vCPUs");
    op.u.max_vcpus = 3;
    check_result("another number of vCPUs", domctl(&op, XEN_DOMCTL_max_vcpus, other), -XEN_EINVAL);
    op.u.vcpucontext = (struct xen_domctl_vcpucontext){0, &context};
    check_result("registers that were never set", domctl(&op, XEN_DOMCTL_getvcpucontext, other), -XEN_ENODATA);
    context.flags = VGCF_in_kernel | VGCF_online;
    check_result("a vCPU without tables", domctl(&op, XEN_DOMCTL_setvcpucontext, other), -XEN_EINVAL);
    context.ctrlreg[3] = virt_to_mfn((void *)start_info->pt_base) << PAGE_SHIFT;
    check_result("a vCPU on another's tables", domctl(&op, XEN_DOMCTL_setvcpucontext, other), -XEN_EINVAL);
    op.u.vcpucontext.vcpu = 2;
    check_result("a vCPU that is not there", domctl(&op, XEN_DOMCTL_setvcpucontext, other), -XEN_EINVAL);
    op.u.vcpucontext = (struct xen_domctl_vcpucontext){0, (void *)MACH2PHYS_VIRT_START - PAGE_SIZE};
    check_result("registers at Xen's", domctl(&op, XEN_DOMCTL_setvcpucontext, other), -XEN_EFAULT);
    op.u.vcpucontext = (struct xen_domctl_vcpucontext){0, NULL};
    check_result("a vCPU taken back", domctl(&op, XEN_DOMCTL_setvcpucontext, other), 0);
    op.u.getvcpuinfo.vcpu = 0;
    check_result("getvcpuinfo", domctl(&op, XEN_DOMCTL_getvcpuinfo, other), 0);
    check(!op.u.getvcpuinfo.online && !op.u.getvcpuinfo.running && op.u.getvcpuinfo.cpu_time == 0, "it has run");
    op.u.getvcpuinfo.vcpu = 9;
    check_result("getvcpuinfo of none", domctl(&op, XEN_DOMCTL_getvcpuinfo, other), -XEN_EINVAL);
    op.u.vcpuaffinity = (struct xen_domctl_vcpuaffinity){0, XEN_VCPUAFFINITY_HARD, {&hard, 8}, {&soft, 8}};
    check_result("no processor", domctl(&op, XEN_DOMCTL_setvcpuaffinity, other), -XEN_EINVAL);
    hard = 1;
    check_result("the first processor", domctl(&op, XEN_DOMCTL_setvcpuaffinity, other), 0);
    hard = 0xff;
    op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT;
    check_result("getvcpuaffinity", domctl(&op, XEN_DOMCTL_getvcpuaffinity, other), 0);
    check_equal("the affinity", hard, 1);
    op.u.vcpuaffinity.flags = 0;
    check_result("neither affinity", domctl(&op, XEN_DOMCTL_getvcpuaffinity, other), -XEN_EINVAL);
}

static void test_settings(domid_t other)
{
    static struct xen_cpuid_leaf leaves[256];
    struct xen_domctl op = {0};
    uint64_t nodes = 0;

    section("settings");
    op.u.scheduler_op = (struct xen_domctl_scheduler_op){XEN_SCHEDULER_CREDIT2, XEN_DOMCTL_SCHEDOP_putinfo, 512, 50};
    check_result("weight and cap", domctl(&op, XEN_DOMCTL_scheduler_op, other), 0);
    op.u.scheduler_op = (struct xen_domctl_scheduler_op){XEN_SCHEDULER_CREDIT2, XEN_DOMCTL_SCHEDOP_getinfo, 0, 0};
    check_result("scheduler_op", domctl(&op, XEN_DOMCTL_scheduler_op, other), 0);
    check(op.u.scheduler_op.weight == 512 && op.u.scheduler_op.cap == 50, "other weight or cap");
    op.u.scheduler_op.sched_id = 5;
    check_result("another scheduler", domctl(&op, XEN_DOMCTL_scheduler_op, other), -XEN_EINVAL);
    op.u.shadow_op = (struct xen_domctl_shadow_op){30, 0, 99};
    check_result("shadow memory", domctl(&op, XEN_DOMCTL_shadow_op, other), 0);
    check_equal("shadow memory", op.u.shadow_op.mb, 0);
    op.u.shadow_op.op = 2;
    check_result("a log of dirty pages", domctl(&op, XEN_DOMCTL_shadow_op, other), -XEN_EOPNOTSUPP);
    op.u.tsc_info = (struct xen_domctl_tsc_info){.tsc_mode = 9};
    check_result("an unknown TSC mode", domctl(&op, XEN_DOMCTL_settscinfo, other), -XEN_EINVAL);
    op.u.address_size = 16;
    check_result("16 bits", domctl(&op, XEN_DOMCTL_set_address_size, other), -XEN_EINVAL);
    op.u.nodemap = (struct xenctl_bitmap){&nodes, 64};
    check_result("no node", domctl(&op, XEN_DOMCTL_setnodeaffinity, other), -XEN_EINVAL);
    nodes = 1;
    check_result("node 0", domctl(&op, XEN_DOMCTL_setnodeaffinity, other), 0);
    check_result("an HVM context", domctl(&op, XEN_DOMCTL_gethvmcontext, other), -XEN_EINVAL);
    check_result("a paging pool", domctl(&op, XEN_DOMCTL_get_paging_mempool_size, other), -XEN_EOPNOTSUPP);
    op.u.time_offset_seconds = -3600;
    check_result("settimeoffset", domctl(&op, XEN_DOMCTL_settimeoffset, other), 0);
    check_result("setdomainhandle", domctl(&op, XEN_DOMCTL_setdomainhandle, other), 0);
    op.u.gmfn = virt_to_mfn((void *)start_info->pt_base);
    check_result("stubs in another's page", domctl(&op, XEN_DOMCTL_hypercall_init, other), -XEN_EINVAL);
    op.u.cpu_policy = (struct xen_domctl_cpu_policy){.nr_leaves = ARRAY_LENGTH(leaves), .leaves = leaves};
    check_result("get_cpu_policy", domctl(&op, XEN_DOMCTL_get_cpu_policy, other), 0);
    op.u.cpu_policy = (struct xen_domctl_cpu_policy){.nr_leaves = op.u.cpu_policy.nr_leaves, .leaves = leaves};
    check_result("the same policy", domctl(&op, XEN_DOMCTL_set_cpu_policy, other), 0);
    leaves[1].c ^= 1 << 5;
    check_result("a policy with VMX", domctl(&op, XEN_DOMCTL_set_cpu_policy, other), -XEN_EINVAL);
    check_equal("the leaf that is wrong", op.u.cpu_policy.err_leaf, 1);
    op.u.cpu_policy = (struct xen_domctl_cpu_policy){.nr_leaves = 1, .leaves = leaves};
    check_result("no room for the policy", domctl(&op, XEN_DOMCTL_get_cpu_policy, other), -XEN_ENOBUFS);
}

static void test_memory(domid_t other)
{
    static uint64_t frames[20], table[4];
    struct xen_domctl op = {0};
    struct xen_mem_acquire_resource resource = {other, XENMEM_resource_grant_table, 0, 0, 0, 0, NULL};
    struct xen_memory_reservation claim = {NULL, 8, 0, 0, other};
    struct mmu_update update;
    int64_t error;
    void *mapped;

    section("memory");
    check_equal("populated without a limit", populate(other, frames, 4), 0);
    op.u.max_memkb = 64;
    check_result("max_mem", domctl(&op, XEN_DOMCTL_max_mem, other), 0);
    check_result("a claim", hypercall_memory_op(XENMEM_claim_pages, &claim), 0);
    check_result("a second claim", hypercall_memory_op(XENMEM_claim_pages, &claim), -XEN_EINVAL);
    claim.nr_extents = 0;
    check_result("no claim", hypercall_memory_op(XENMEM_claim_pages, &claim), 0);
    claim.nr_extents = 17;
    check_result("a claim above the limit", hypercall_memory_op(XENMEM_claim_pages, &claim), -XEN_EINVAL);
    for (unsigned i = 0; i < ARRAY_LENGTH(frames); i++)
        frames[i] = i;
    check_equal("populated up to the limit", populate(other, frames, ARRAY_LENGTH(frames)), 16);

    mapped = map_foreign(other, frames, 16, &error);
    check_result("mapping its frames", error, 0);
    if (mapped != NULL) {
        struct mmuext_op pin = {MMUEXT_PIN_L4_TABLE, frames[0], 0};

        check_equal("a fresh page", *(uint64_t *)mapped, 0);
        update = (struct mmu_update){frames[3] << PAGE_SHIFT | 8 | MMU_NORMAL_PT_UPDATE, 0x1234567890};
        check_result("a word written in its page",
                     hypercall4(HYPERCALL_mmu_update, (uint64_t)&update, 1, 0, DOMID_SELF | (other + 1u) << 16), 0);
        check_equal("the word", ((uint64_t *)mapped)[3 * PAGE_SIZE / 8 + 1], update.val);
        check_result("pinning a page that is mapped", hypercall_mmuext_op(&pin, 1, NULL, other), -XEN_EINVAL);
        unmap_foreign(mapped, 16);
        check_result("pinning it then", hypercall_mmuext_op(&pin, 1, NULL, other), 0);
        check_result("pinning it twice", hypercall_mmuext_op(&pin, 1, NULL, other), -XEN_EINVAL);
        check(map_foreign(other, frames, 1, &error) == NULL, "a page table was mapped");
        check_result("mapping a page table", error, -XEN_EBUSY);
        pin.arg1 = frames[17];
        check_result("pinning what is not its", hypercall_mmuext_op(&pin, 1, NULL, other), -XEN_EINVAL);
    }
    frames[0] = virt_to_mfn((void *)start_info->pt_base);
    check(map_foreign(other, frames, 1, &error) == NULL, "a frame of another domain was mapped as its");
    check_result("mapping a frame that is not its", error, -XEN_EBUSY);
    check(map_foreign(0x7000, frames, 1, &error) == NULL, "a frame of nobody was mapped");
    check_result("mapping a frame of nobody", error, -XEN_ESRCH);
    update = (struct mmu_update){frames[0] << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 5};
    check_result("M2P entry of a frame that is not its", hypercall_mmu_update(&update, 1, NULL, other), -XEN_EINVAL);

    check_result("how large its grant table may be", hypercall_memory_op(XENMEM_acquire_resource, &resource), 0);
    check_equal("frames of grant table", resource.nr_frames, 64);
    resource = (struct xen_mem_acquire_resource){other, XENMEM_resource_grant_table, 0, 4, 0, 0, table};
    check_result("its grant table", hypercall_memory_op(XENMEM_acquire_resource, &resource), 0);
    check(table[0] != table[3], "one frame twice");
    resource.frame = 61;
    check_result("beyond its grant table", hypercall_memory_op(XENMEM_acquire_resource, &resource), -XEN_EINVAL);
    resource.frame = 0;
    resource.id = 1;
    check_result("marks of a table of version 1", hypercall_memory_op(XENMEM_acquire_resource, &resource), -XEN_EINVAL);
    resource.id = 9;
    check_result("another list", hypercall_memory_op(XENMEM_acquire_resource, &resource), -XEN_EINVAL);
    resource.domid = self;
    check_result("its own grant table", hypercall_memory_op(XENMEM_acquire_resource, &resource), -XEN_EPERM);
}

static void test_events(domid_t other)
{
    struct evtchn_alloc_unbound port = {other, 0, 0};
    struct evtchn_reset reset = {other};
    struct sched_remote_shutdown shutdown = {other, 99};
    struct xen_domctl_getdomaininfo info;

    section("events and shutdown");
    check_result("a port for domain 0", hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &port), 0);
    check_result("reset", hypercall_event_channel_op(EVTCHNOP_reset, &reset), 0);
    check(event_bind_interdomain(other, port.port, NULL, NULL) < 0, "a port that was reset was bound");
    check_result("a reason that is none", hypercall_sched_op(SCHEDOP_remote_shutdown, &shutdown), -XEN_EINVAL);
    shutdown.reason = SHUTDOWN_reboot;
    check_result("remote_shutdown", hypercall_sched_op(SCHEDOP_remote_shutdown, &shutdown), 0);
    check_result("getdomaininfo", domain_info(other, &info), 0);
    check_equal("the reason", info.flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask, SHUTDOWN_reboot);
    check_result("resumedomain", domctl_simple(XEN_DOMCTL_resumedomain, other), 0);
    check_result("getdomaininfo", domain_info(other, &info), 0);
    check((info.flags & XEN_DOMINF_shutdown) == 0, "it is still shut down");
}

void test_errors(void)
{
    uint64_t before = free_pages();
    int64_t other;

    test_calls();
    other = create_domain(0, 2);
    if (!check(other > 0, "createdomain returned -%s", xen_error_name(other)))
        return;
    test_creation(other);
    test_pauses(other);
    test_vcpus(other);
    test_settings(other);
    test_memory(other);
    test_events(other);
    check_result("destroydomain", destroy_domain(other), 0);
    check_result("destroying nobody", destroy_domain(other), -XEN_ESRCH);
    check_equal("free pages", free_pages(), before);
}
