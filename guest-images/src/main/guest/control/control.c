/* control: see toolstack.h. Without the privilege it checks that everything is refused. */
#include "toolstack.h"

domid_t self;
static struct child child;

static void find_self(void)
{
    char value[16];
    uint64_t number = 0;

    check(xenstore_read(0, "domid", value, sizeof(value)) > 0 && parse_number(value, &number), "no domid in xenstore");
    self = number;
}

/* Lists the domains, and returns how many there are. */
static unsigned list_domains(void)
{
    static struct xen_domctl_getdomaininfo list[64];
    struct xen_sysctl op = {0};

    op.u.getdomaininfolist = (struct xen_sysctl_getdomaininfolist){0, ARRAY_LENGTH(list), list, 0};
    check_result("getdomaininfolist", sysctl(&op, XEN_SYSCTL_getdomaininfolist), 0);
    print("  ID  pages  vcpus  state    cpu time\n");
    for (unsigned i = 0; i < op.u.getdomaininfolist.num_domains; i++) {
        const struct xen_domctl_getdomaininfo *info = &list[i];
        uint32_t flags = info->flags;

        print("%4u %6lu %6u  %c%c%c%c%c %8lu us\n", info->domain, info->tot_pages, info->nr_online_vcpus,
              flags & XEN_DOMINF_running ? 'r' : '-', flags & XEN_DOMINF_blocked ? 'b' : '-',
              flags & XEN_DOMINF_paused ? 'p' : '-', flags & XEN_DOMINF_shutdown ? 's' : '-',
              flags & XEN_DOMINF_dying ? 'd' : '-', info->cpu_time / 1000);
    }
    return op.u.getdomaininfolist.num_domains;
}

/* ---- the console ----------------------------------------------------------------------------------------------------- */

static char line[256];
static unsigned line_length, lines;
static bool hello_seen, good_bye_seen;

static void end_line(void)
{
    line[line_length] = 0;
    print("  d%u: %s\n", child.domid, line);
    hello_seen |= strncmp(line, "Hello from a PV guest", 21) == 0;
    good_bye_seen |= strcmp(line, "Good-bye.") == 0;
    line_length = 0;
    lines++;
}

/* Takes what is in the ring, as xenconsoled does. */
static bool drain(volatile struct xencons_interface *ring)
{
    uint32_t consumed = ring->out_cons, produced = ring->out_prod;

    memory_barrier();
    if (consumed == produced || produced - consumed > sizeof(ring->out))
        return false;
    for (; consumed != produced; consumed++) {
        char c = ring->out[consumed % sizeof(ring->out)];

        if (c == '\n' || line_length == sizeof(line) - 1)
            end_line();
        if (c != '\n' && c != '\r')
            line[line_length++] = c;
    }
    memory_barrier();
    ring->out_cons = consumed;
    return true;
}

static void woken(evtchn_port_t port, void *arg)
{
    (void)port;
    (void)arg;
}

/* Maps the console's page by its grant, as a console daemon that is no builder has to. */
static void check_grant(const volatile struct xencons_interface *ring)
{
    uint64_t va = window_alloc(1);
    struct gnttab_map_grant_ref op = {va, GNTMAP_host_map, 0, child.domid, 99, 0, 0};
    struct gnttab_unmap_grant_ref unmap = {va, 0, 0, 99};

    check_result("tables for a grant", map_page(va, 0), 0);
    check_result("map_grant_ref", hypercall_grant_table_op(GNTTABOP_map_grant_ref, &op, 1), 0);
    if (!check_result("granted console page", op.status, GNTST_okay))
        return;
    check_equal("the granted page", ((volatile struct xencons_interface *)va)->out_prod, ring->out_prod);
    unmap.handle = op.handle;
    hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1);
    check_result("unmapping the granted page", unmap.status, GNTST_okay);
}

static void follow_console(void)
{
    struct xen_domctl_getdomaininfo info = {0};
    uint64_t deadline = system_time() + 20 * NS_PER_S;
    uint64_t va = window_alloc(1);
    volatile struct xencons_interface *ring = (void *)va;
    int64_t port;

    check_result("tables for the console", map_page(va, 0), 0);
    if (!check_result("update_va_mapping_otherdomain",
                      hypercall4(HYPERCALL_update_va_mapping_otherdomain, va,
                                 mfn_to_pte(child.frames[child.console_pfn], PTE_KERNEL), UVMF_INVLPG, child.domid),
                      0))
        return;
    check_grant(ring);
    port = event_bind_interdomain(child.domid, child.console_port, woken, NULL);
    check(port > 0, "binding the console's event channel: %ld", port);
    check_result("unpausedomain", domctl_simple(XEN_DOMCTL_unpausedomain, child.domid), 0);
    for (;;) {
        evtchn_port_t polled = port;

        event_clear(port);
        if (drain(ring)) {
            event_send(port);
            continue;
        }
        check_result("getdomaininfo", domain_info(child.domid, &info), 0);
        if ((info.flags & XEN_DOMINF_shutdown) != 0 || system_time() > deadline)
            break;
        sched_poll(&polled, 1, system_time() + 10 * NS_PER_MS);
    }
    check((info.flags & XEN_DOMINF_shutdown) != 0, "the domain has not shut down");
    check_equal("the reason", info.flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask, SHUTDOWN_poweroff);
    check(hello_seen && good_bye_seen, "%u lines, not those of hello", lines);

    /* A page that is still mapped keeps the domain as a zombie. */
    check_result("destroydomain", destroy_domain(child.domid), 0);
    check_result("getdomaininfo of a zombie", domain_info(child.domid, &info), 0);
    check((info.flags & XEN_DOMINF_dying) != 0, "a domain of which a page is mapped is not dying");
    check_equal("pages of a zombie", info.tot_pages, 1);
    check_result("destroydomain again", destroy_domain(child.domid), 0);
    unmap_foreign((void *)va, 1);
    check_result("getdomaininfo of nobody", domain_info(child.domid, &info), -XEN_ESRCH);
    check_result("closing the port", event_close(port), 0);
}

static void test_life(void)
{
    uint64_t before, domains;
    int64_t made;

    section("a domain's life");
    domains = list_domains();
    before = free_pages();
    made = create_domain(0, 1);
    if (!check(made > 0, "createdomain returned -%s", xen_error_name(made)))
        return;
    child.domid = made;
    check(start_info->mod_len != 0, "no image: ramdisk is not set");
    if (build_child(&child, (const void *)start_info->mod_start, start_info->mod_len, CHILD_PAGES)) {
        check_equal("domains", list_domains(), domains + 1);
        follow_console();
    } else {
        destroy_domain(child.domid);
    }
    check_equal("domains afterwards", list_domains(), domains);
    check_equal("free pages afterwards", free_pages(), before);
}

/*
 * For tests of who else looks after domains: leaves a domain behind that is built and paused; or, if it is to stay mapped, one that runs
 * while its frames are mapped here.
 */
static void leave_domain(bool mapped)
{
    int64_t made = create_domain(0, 1), error = 0;

    child.domid = made;
    if (!check(made > 0, "createdomain returned -%s", xen_error_name(made)) ||
        !build_child(&child, (const void *)start_info->mod_start, start_info->mod_len, CHILD_PAGES))
        verdict("control");
    if (mapped) {
        map_foreign(child.domid, child.frames, 1, &error);
        check_result("mapping a frame", error, 0);
        map_foreign(child.domid, &child.frames[child.console_pfn], 1, &error);
        check_result("mapping the console", error, 0);
        event_bind_interdomain(child.domid, child.console_port, woken, NULL);
        check_result("unpausedomain", domctl_simple(XEN_DOMCTL_unpausedomain, child.domid), 0);
    }
    print("LEFT %u\n", child.domid);
    while (mapped)
        sched_block();
}

/* With domain 0 the machine ends. */
static void end_machine(void)
{
    struct sched_remote_shutdown shutdown = {0, SHUTDOWN_poweroff};

    print("ending domain 0\n");
    console_flush();
    hypercall_sched_op(SCHEDOP_remote_shutdown, &shutdown);
    sched_block();
}

void guest_main(void)
{
    const char *leave = cmdline_option("leave");

    find_self();
    if (cmdline_option("end") != NULL) {
        end_machine();
        return;
    }
    if (leave != NULL) {
        leave_domain(strncmp(leave, "mapped", 6) == 0);
        return;
    }
    if ((start_info->flags & SIF_PRIVILEGED) == 0) {
        test_refused();
    } else {
        test_host();
        test_life();
        test_errors();
    }
    verdict("control");
}
