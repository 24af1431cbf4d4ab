/* What is left: versions, console, multicalls, and the interfaces of privileged domains. */
#include "torture.h"

static int64_t xen_version(void)
{
    return hypercall_xen_version(one_in(8) ? odd_number() : below(12), spoil(argument(2048)));
}

static int64_t console_write_call(void)
{
    static const char text[] = "torture\n";
    char *copy = argument(sizeof(text));

    memcpy(copy, text, sizeof(text));
    return hypercall_console_io(CONSOLEIO_write, one_in(4) ? odd_number() & 0xff : sizeof(text) - 1,
                                one_in(2) ? copy : spoil(copy));
}

static int64_t console_read_call(void) { return hypercall_console_io(CONSOLEIO_read, below(64), argument(64)); }
static int64_t console_unknown(void) { return hypercall_console_io(2 + below(100), 1, argument(8)); }

/* Its entries must not lie where another entry's output goes: Xen would call whatever was written there. */
static int64_t multicall(void)
{
    unsigned count = 1 + below(8);
    struct multicall_entry *calls = argument_at_end(count * sizeof(*calls));

    for (unsigned i = 0; i < count; i++) {
        switch (below(7)) {
        case 0:
            calls[i] = (struct multicall_entry){HYPERCALL_xen_version, 0, {below(12), (uint64_t)spoil(argument(2048))}};
            break;
        case 1:
            calls[i] = (struct multicall_entry){HYPERCALL_update_va_mapping, 0,
                                                {any_sandbox_va(), any_pte(), below(8)}};
            break;
        case 2:
            calls[i] = (struct multicall_entry){HYPERCALL_sched_op, 0, {SCHEDOP_yield, 0}};
            break;
        case 3:
            calls[i] = (struct multicall_entry){HYPERCALL_multicall, 0, {(uint64_t)calls, 1}};
            break;
        case 4:
            calls[i] = (struct multicall_entry){HYPERCALL_stack_switch, 0, {FLAT_RING3_SS64, odd_number()}};
            break;
        case 5:
            calls[i] = (struct multicall_entry){HYPERCALL_fpu_taskswitch, 0, {0}};
            break;
        default:
            calls[i] = (struct multicall_entry){64 + below(1000), 0, {odd_number()}};
        }
    }
    return hypercall_multicall(spoil_early(calls), one_in(16) ? odd_number() : count);
}

/* A block with a command or an interface version first, then noise and handles. */
static void *privileged_block(uint32_t first, uint32_t second)
{
    uint64_t *block = argument(144);

    for (unsigned i = 1; i < 18; i++)
        block[i] = one_in(4) ? (uint64_t)spoil(argument(64)) : odd_number();
    ((uint32_t *)block)[0] = first;
    ((uint32_t *)block)[1] = second;
    ((uint16_t *)block)[4] = any_domain();
    return spoil(block);
}

static int64_t sysctl(void)
{
    return hypercall1(HYPERCALL_sysctl, (uint64_t)privileged_block(1 + below(32), one_in(8) ? odd_number() : 0x15));
}

static int64_t domctl(void)
{
    return hypercall1(HYPERCALL_domctl, (uint64_t)privileged_block(1 + below(90), one_in(8) ? odd_number() : 0x15));
}

static int64_t platform_op(void)
{
    return hypercall1(HYPERCALL_platform_op,
                      (uint64_t)privileged_block(1 + below(64), one_in(8) ? odd_number() : 0x03000001));
}

static int64_t call(uint64_t number, unsigned commands)
{
    return hypercall3(number, one_in(8) ? odd_number() : below(commands), (uint64_t)privileged_block(below(8), below(8)),
                      below(4));
}

/* Set I/O privilege is the one that a guest may always do. */
static int64_t physdev_op(void)
{
    uint32_t *block = argument(64);

    for (unsigned i = 0; i < 16; i++)
        block[i] = one_in(2) ? below(8) : odd_number();
    if (one_in(4)) {
        block[0] = 1;
        return hypercall2(HYPERCALL_physdev_op, 6, (uint64_t)spoil(block));
    }
    return hypercall2(HYPERCALL_physdev_op, one_in(8) ? odd_number() : below(33), (uint64_t)spoil(block));
}

static int64_t hvm_op(void) { return call(HYPERCALL_hvm_op, 26); }
static int64_t xsm_op(void) { return call(HYPERCALL_xsm_op, 26); }
static int64_t kexec_op(void) { return call(HYPERCALL_kexec_op, 8); }
static int64_t xenoprof_op(void) { return call(HYPERCALL_xenoprof_op, 16); }
static int64_t argo_op(void) { return call(HYPERCALL_argo_op, 6); }
static int64_t xenpmu_op(void) { return call(HYPERCALL_xenpmu_op, 8); }
static int64_t hypfs_op(void) { return call(HYPERCALL_hypfs_op, 4); }
static int64_t mca(void) { return hypercall1(48, (uint64_t)privileged_block(1 + below(6), 0x03000001)); }

static int64_t dm_op(void)
{
    uint64_t *buffers = argument(64);

    for (unsigned i = 0; i < 8; i += 2) {
        buffers[i] = (uint64_t)spoil(argument(128));
        buffers[i + 1] = one_in(4) ? odd_number() : below(128);
    }
    return hypercall3(HYPERCALL_dm_op, any_domain(), one_in(8) ? odd_number() : below(4), (uint64_t)spoil(buffers));
}

/* Numbers without a hypercall. Not one of them reaches iret, stack_switch or another that takes bare registers. */
static int64_t no_hypercall(void)
{
    static const uint8_t unused[] = {11, 38, 43, 44, 45, 46, 47, 49, 50, 51, 52, 53, 54, 55, 56, 63};
    uint64_t number = one_in(2) ? unused[below(ARRAY_LENGTH(unused))] : 64 + (odd_number() & ~63ul);

    if (number < 43 && number != 11 && number != 38)
        number = 63;
    return hypercall5(number, odd_number(), odd_number(), odd_number(), odd_number(), odd_number());
}

static const struct operation list[] = {
    {"xen_version", xen_version, 8},
    {"console_io.write", console_write_call, 1},
    {"console_io.read", console_read_call, 1},
    {"console_io (unknown)", console_unknown, 1},
    {"multicall", multicall, 16},
    {"sysctl", sysctl, 4},
    {"domctl", domctl, 6},
    {"platform_op", platform_op, 3},
    {"physdev_op", physdev_op, 6},
    {"hvm_op", hvm_op, 4},
    {"xsm_op", xsm_op, 2},
    {"kexec_op", kexec_op, 2},
    {"xenoprof_op", xenoprof_op, 2},
    {"argo_op", argo_op, 2},
    {"xenpmu_op", xenpmu_op, 2},
    {"hypfs_op", hypfs_op, 2},
    {"dm_op", dm_op, 4},
    {"mca", mca, 2},
    {"(no hypercall)", no_hypercall, 4},
};
const struct operations control_operations = OPERATIONS(list);
