/* The cases in turn; "case=NAME" on the command line is one that ends this domain, "disk=1" the hostile driver of a disk. */
#include "hostile.h"

struct caught caught;
domid_t self;

static bool catch(struct trap_frame *frame)
{
    caught.vector = frame->vector;
    caught.error_code = frame->error_code;
    caught.ip = frame->ip;
    if (caught.count++ > 100 || caught.resume == 0)
        return false;
    if (frame->vector != 1)
        frame->ip = caught.resume;
    /* A return that failed has left what it was to go to. */
    make_kernel_context(frame);
    frame->flags &= ~0x4500u;                  /* TF, DF, NT: the compiler's code wants them clear */
    return true;
}

void catch_traps(void)
{
    for (unsigned vector = 0; vector < 32; vector++)
        if (vector != 2 && vector != 8)
            trap_set_handler(vector, catch);
}

long pte_write_as(const volatile pte_t *entry, pte_t value, unsigned command)
{
    struct mmu_update update = {pte_machine_address(entry) | command, value};

    return hypercall_mmu_update(&update, 1, NULL, DOMID_SELF);
}

void guest_main(void)
{
    const char *how = cmdline_option("case");
    uint64_t domid = 0;
    char id[16];

    if (how != NULL)
        crash(how);
    section("start");
    if (!check(xenstore_read(0, "domid", id, sizeof(id)) > 0 && parse_number(id, &domid), "no domid in xenstore"))
        verdict("hostile");
    self = domid;
    catch_traps();
    if (cmdline_number("disk", 0) != 0) {
        test_disk();
        verdict("hostile");
    }
    check_result("grant_init", grant_init(), 0);
    test_tables();
    test_memory();
    test_grants();
    test_processor();
    test_calls();
    verdict("hostile");
}
