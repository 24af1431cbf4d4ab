/* vCPUs, scheduling, traps, time: what concerns the processor rather than memory. */
#include "torture.h"

static uint32_t any_vcpu(void) { return one_in(6) ? odd_number() : below(3); }
static uint32_t other_vcpu(void) { return one_in(6) ? odd_number() | 64 : 1 + below(2); }

static int64_t vcpu(uint32_t op, uint32_t target, void *block) { return hypercall_vcpu_op(op, target, spoil(block)); }

static void park(void *arg)
{
    (void)arg;
    for (;;)
        vcpu_stop_self();
}

/* vCPU 1 gets a context that works, or one that Xen must refuse: one that starts and then faults would end the domain. */
static int64_t initialise(void)
{
    static struct vcpu_guest_context context;

    if (one_in(64))
        return vcpu_start(1, park, NULL);
    memset(&context, 0, sizeof(context));
    context.flags = one_in(2) ? VGCF_in_kernel : odd_number() | VGCF_in_kernel;
    context.ctrlreg[3] = (one_in(2) ? virt_to_mfn(start_info) : foreign_mfn()) << PAGE_SHIFT;
    context.user_regs.rip = odd_number();
    context.gdt_ents = one_in(4) ? odd_number() : 0;
    context.ldt_ents = one_in(4) ? odd_number() : 0;
    for (unsigned i = 0; i < ARRAY_LENGTH(context.gdt_frames); i++)
        context.gdt_frames[i] = foreign_mfn();
    context.callbacks.event_callback_eip = odd_number();
    context.bases.fs_base = odd_number();
    context.vm_assist = odd_number();
    return vcpu(VCPUOP_initialise, other_vcpu(), &context);
}

static int64_t up(void) { return vcpu(VCPUOP_up, other_vcpu(), NULL); }
static int64_t down(void) { return vcpu(VCPUOP_down, other_vcpu(), NULL); }
static int64_t is_up(void) { return vcpu(VCPUOP_is_up, any_vcpu(), NULL); }

static int64_t get_runstate(void)
{
    return vcpu(VCPUOP_get_runstate_info, any_vcpu(), argument(sizeof(struct vcpu_runstate_info)));
}

/* Xen goes on writing to the area: in the sandbox its page may vanish under it. */
static uint64_t area(void)
{
    return one_in(4) ? any_va() : any_sandbox_va() + below(PAGE_SIZE);
}

static int64_t register_runstate(void)
{
    struct vcpu_register_area *block = argument(sizeof(*block));

    block->address = area();
    return vcpu(VCPUOP_register_runstate_memory_area, any_vcpu(), block);
}

static int64_t register_time(void)
{
    struct vcpu_register_area *block = argument(sizeof(*block));

    block->address = area();
    return vcpu(VCPUOP_register_vcpu_time_memory_area, any_vcpu(), block);
}

static int64_t periodic(void)
{
    struct vcpu_set_periodic_timer *block = argument(sizeof(*block));

    block->period_ns = one_in(2) ? 10 * NS_PER_MS : odd_number();
    return vcpu(VCPUOP_set_periodic_timer, any_vcpu(), block);
}

static int64_t stop_periodic(void) { return vcpu(VCPUOP_stop_periodic_timer, any_vcpu(), NULL); }

static int64_t singleshot(void)
{
    struct vcpu_set_singleshot_timer *block = argument(sizeof(*block));

    block->timeout_abs_ns = one_in(2) ? system_time() + below(NS_PER_MS) : odd_number();
    block->flags = one_in(2) ? 0 : odd_number();
    return vcpu(VCPUOP_set_singleshot_timer, one_in(4) ? any_vcpu() : 0, block);
}

static int64_t stop_singleshot(void) { return vcpu(VCPUOP_stop_singleshot_timer, any_vcpu(), NULL); }

/* Not of vCPU 0, whose info the runtime finds in the shared info page. */
static int64_t register_info(void)
{
    struct vcpu_register_vcpu_info *block = argument(sizeof(*block));

    block->mfn = one_in(2) ? foreign_mfn() : any_pool_mfn();
    block->offset = one_in(2) ? 64 * below(64) : odd_number();
    return vcpu(VCPUOP_register_vcpu_info, other_vcpu(), block);
}

static int64_t send_nmi(void) { return vcpu(VCPUOP_send_nmi, one_in(2) ? 0 : 64 + below(100), NULL); }
static int64_t get_physid(void) { return vcpu(VCPUOP_get_physid, any_vcpu(), argument(8)); }
static int64_t vcpu_unknown(void) { return vcpu(14 + below(100), any_vcpu(), argument(64)); }

static int64_t sched_yield_call(void) { return hypercall_sched_op(SCHEDOP_yield, NULL); }

static int64_t block(void)
{
    int64_t result;

    events_disable();                          /* a timer that fires before the call still ends it */
    timer_set(system_time() + 100000);
    result = hypercall_sched_op(SCHEDOP_block, NULL);
    events_enable();
    return result;
}

/* Each shutdown that Xen accepts is the end. */
static int64_t shutdown_refused(void)
{
    return hypercall_sched_op(SCHEDOP_shutdown, (void *)(MACH2PHYS_VIRT_START + below(1ul << 30)));
}

static int64_t poll(void)
{
    struct sched_poll *poll = argument(sizeof(*poll));
    evtchn_port_t *ports = argument(4 * sizeof(*ports));

    for (unsigned i = 0; i < 4; i++)
        ports[i] = any_port();
    poll->ports = spoil(ports);
    poll->nr_ports = one_in(8) ? odd_number() : below(5);
    poll->timeout = 1 + (one_in(2) ? 0 : system_time() + below(100000));
    return hypercall_sched_op(SCHEDOP_poll, spoil_early(poll));
}

static int64_t remote_shutdown(void)
{
    struct {
        domid_t domain;
        uint32_t reason;
    } *request = argument(8);

    request->domain = any_domain();
    request->reason = odd_number();
    return hypercall_sched_op(SCHEDOP_remote_shutdown, spoil(request));
}

/* A watchdog that is never to bark: disarmed right after it was armed. Id 0 arms a new one, at once when with time 0. */
static int64_t watchdog(void)
{
    struct {
        uint32_t id, timeout;
    } *request = argument(8);
    int64_t result;

    request->id = below(4);
    request->timeout = request->id != 0 && one_in(2) ? 0 : 1000 + below(1000000);
    result = hypercall_sched_op(SCHEDOP_watchdog, spoil_early(request));
    for (request->id = 1; request->id < 4; request->id++) {
        request->timeout = 0;
        hypercall_sched_op(SCHEDOP_watchdog, request);
    }
    return result;
}

static int64_t pin_override(void)
{
    int32_t *processor = argument(4);

    *processor = odd_number();
    return hypercall_sched_op(SCHEDOP_pin_override, spoil(processor));
}

static int64_t sched_unknown(void) { return hypercall_sched_op(8 + below(100), argument(64)); }

/* Gates above the exceptions: nothing here raises them. A table ends with address 0, which a short list always has. */
static int64_t set_trap_table(void)
{
    struct trap_info *table = argument(4 * sizeof(*table));

    for (unsigned i = 0; i < 3; i++)
        table[i] = (struct trap_info){32 + below(224), below(8), one_in(2) ? FLAT_RING3_CS64 : random_bits(),
                                      one_in(2) ? (uint64_t)software_entry : odd_number() | 1};
    table = spoil(table);
    /* A null pointer empties the whole table, also of the handlers that keep this guest alive. */
    return hypercall_set_trap_table(table == NULL ? (void *)MACH2PHYS_VIRT_START : table);
}

static int64_t stack_switch(void)
{
    return hypercall_stack_switch(one_in(2) ? FLAT_RING3_SS64 : odd_number(), odd_number());
}

/* The event callback stays what it is; others do not matter in kernel mode. */
static int64_t callback_register(void)
{
    static const uint16_t types[] = {CALLBACKTYPE_syscall, CALLBACKTYPE_sysenter, CALLBACKTYPE_syscall32, 3, 6, 8, 99};
    struct callback_register *block = argument(sizeof(*block));

    block->type = types[below(ARRAY_LENGTH(types))];
    block->flags = below(4);
    block->address = odd_number();
    if (one_in(4)) {
        block->type = CALLBACKTYPE_event;
        block->address = 1ul << 47;
    }
    return hypercall_callback_op(CALLBACKOP_register, spoil_early(block));
}

static int64_t callback_unregister(void)
{
    uint16_t *block = argument(4);

    block[0] = below(9) | 2;                   /* not the event callback, should Xen allow that */
    return hypercall_callback_op(CALLBACKOP_unregister, spoil(block));
}

static int64_t callback_unknown(void) { return hypercall_callback_op(2 + below(100), argument(16)); }

static int64_t set_callbacks(void)
{
    return hypercall3(HYPERCALL_set_callbacks, 1ul << 47, odd_number(), odd_number());
}

static int64_t nmi_op(void)
{
    enum { XENNMI_register_callback = 0, XENNMI_unregister_callback = 1 };

    uint64_t *callback = argument(16);
    int64_t result = hypercall2(HYPERCALL_nmi_op, XENNMI_unregister_callback + (one_in(2) ? 0 : below(10)),
                                (uint64_t)spoil(callback));

    callback[0] = (uint64_t)exception_entries[2];
    hypercall2(HYPERCALL_nmi_op, XENNMI_register_callback, (uint64_t)callback);
    return result;
}

static int64_t set_segment_base(void)
{
    return hypercall_set_segment_base(one_in(8) ? odd_number() : below(4), odd_number());
}

/* Breakpoints may hit: #DB is ignored. */
static int64_t set_debugreg(void)
{
    static const uint64_t controls[] = {0, 0x400, 0x2, 0x000d0002, 0x00990055};

    if (one_in(3))
        return hypercall_set_debugreg(7, one_in(4) ? odd_number() & ~0xfful : controls[below(5)]);
    return hypercall_set_debugreg(one_in(8) ? odd_number() : below(4), one_in(4) ? any_va() : (uint64_t)&park);
}

static int64_t get_debugreg(void)
{
    int64_t value = hypercall_get_debugreg(one_in(8) ? 8 + below(100) : below(8));

    return value < 0 && value > -4096 ? value : 0;
}

static int64_t fpu_taskswitch(void)
{
    int64_t result = hypercall_fpu_taskswitch(below(2));

    hypercall_fpu_taskswitch(0);
    return result;
}

static int64_t set_timer_op(void)
{
    return hypercall_set_timer_op(one_in(2) ? system_time() + below(NS_PER_MS) : odd_number());
}

/* Back to the next instruction, with flags of all kinds; what must not reach RFLAGS is Xen's to remove. */
static int64_t iret(void)
{
    uint64_t rflags = (one_in(2) ? random_bits() : 1ul << below(32)) & ~0x40500ul;   /* not AC, DF, TF */
    uint64_t after;

    __asm__ volatile("movq %%rsp, %%rcx\n\t"
                     "pushq %[ss]; pushq %%rcx; pushq %[rflags]; pushq %[cs]; leaq 1f(%%rip), %%rcx; pushq %%rcx\n\t"
                     "pushq $0; pushq $0; pushq $0; pushq $0\n\t"
                     "movl %[number], %%eax; syscall\n"
                     "1: pushfq; popq %[after]"
                     : [after] "=&r"(after)
                     : [ss] "r"((uint64_t)FLAT_RING3_SS64), [cs] "r"((uint64_t)FLAT_RING3_CS64 & ~3ul),
                       [rflags] "r"(rflags), [number] "i"(HYPERCALL_iret)
                     : "rax", "rcx", "r11", "memory", "cc");
    events_enable();
    if ((after & 0x23000) != 0)
        panic("RFLAGS 0x%lx after iret with 0x%lx", after, rflags);
    return 0;
}

static const struct operation list[] = {
    {"vcpu_op.initialise", initialise, 6},
    {"vcpu_op.up", up, 3},
    {"vcpu_op.down", down, 3},
    {"vcpu_op.is_up", is_up, 3},
    {"vcpu_op.get_runstate_info", get_runstate, 4},
    {"vcpu_op.register_runstate_memory_area", register_runstate, 4},
    {"vcpu_op.set_periodic_timer", periodic, 3},
    {"vcpu_op.stop_periodic_timer", stop_periodic, 3},
    {"vcpu_op.set_singleshot_timer", singleshot, 4},
    {"vcpu_op.stop_singleshot_timer", stop_singleshot, 2},
    {"vcpu_op.register_vcpu_info", register_info, 3},
    {"vcpu_op.send_nmi", send_nmi, 2},
    {"vcpu_op.get_physid", get_physid, 2},
    {"vcpu_op.register_vcpu_time_memory_area", register_time, 4},
    {"vcpu_op (unknown)", vcpu_unknown, 1},
    {"sched_op.yield", sched_yield_call, 2},
    {"sched_op.block", block, 2},
    {"sched_op.shutdown (unreadable argument)", shutdown_refused, 1},
    {"sched_op.poll", poll, 4},
    {"sched_op.remote_shutdown", remote_shutdown, 3},
    {"sched_op.watchdog", watchdog, 2},
    {"sched_op.pin_override", pin_override, 2},
    {"sched_op (unknown)", sched_unknown, 1},
    {"set_trap_table", set_trap_table, 4},
    {"stack_switch", stack_switch, 3},
    {"callback_op.register", callback_register, 4},
    {"callback_op.unregister", callback_unregister, 2},
    {"callback_op (unknown)", callback_unknown, 1},
    {"set_callbacks (bad address)", set_callbacks, 1},
    {"nmi_op", nmi_op, 2},
    {"set_segment_base", set_segment_base, 4},
    {"set_debugreg", set_debugreg, 4},
    {"get_debugreg", get_debugreg, 3},
    {"fpu_taskswitch", fpu_taskswitch, 2},
    {"set_timer_op", set_timer_op, 3},
    {"iret", iret, 6},
};
const struct operations cpu_operations = OPERATIONS(list);
