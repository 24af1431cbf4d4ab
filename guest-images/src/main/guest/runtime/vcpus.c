/* struct cpu of each vCPU, and starting and stopping of the ones beyond the first. */
#include "internal.h"

struct cpu *cpu_of(uint32_t vcpu)
{
    return (struct cpu *)&vcpu_stacks[vcpu][STACK_SIZE - CPU_AREA_SIZE];
}

void cpu_init(uint32_t vcpu)
{
    struct cpu *cpu = cpu_of(vcpu);

    memset(cpu, 0, sizeof(*cpu));
    cpu->id = vcpu;
    cpu->info = &shared_info->vcpu_info[vcpu];
}

uint32_t vcpu_count(void)
{
    uint32_t count = 1;

    while (count < MAX_VCPUS && hypercall_vcpu_op(VCPUOP_is_up, count, NULL) >= 0)
        count++;
    return count;
}

bool vcpu_is_up(uint32_t vcpu) { return hypercall_vcpu_op(VCPUOP_is_up, vcpu, NULL) == 1; }

void vcpu_main(void (*function)(void *), void *arg);
void vcpu_main(void (*function)(void *), void *arg)
{
    events_enable();
    function(arg);
    for (;;)
        vcpu_stop_self();
}

int64_t vcpu_start(uint32_t vcpu, void (*function)(void *), void *arg)
{
    /* 5,168 bytes: too much for a stack. One vCPU starts others, so one is enough. */
    static struct vcpu_guest_context context;
    int64_t error;

    if (vcpu == 0 || vcpu >= MAX_VCPUS)
        return -XEN_EINVAL;
    cpu_init(vcpu);
    memset(&context, 0, sizeof(context));
    context.flags = VGCF_in_kernel;
    traps_fill(context.trap_ctxt);
    context.kernel_ss = FLAT_RING3_SS64;
    context.kernel_sp = (uint64_t)cpu_of(vcpu);
    context.ctrlreg[3] = paging_root() << PAGE_SHIFT;
    context.event_callback_eip = (uint64_t)event_entry;
    context.failsafe_callback_eip = (uint64_t)failsafe_entry;
    context.syscall_callback_eip = (uint64_t)syscall_entry;
    context.user_regs.rip = (uint64_t)vcpu_entry;
    context.user_regs.cs = FLAT_RING3_CS64;
    context.user_regs.ss = FLAT_RING3_SS64;
    context.user_regs.rsp = (uint64_t)cpu_of(vcpu);
    context.user_regs.rflags = 0x202;
    context.user_regs.rdi = (uint64_t)function;
    context.user_regs.rsi = (uint64_t)arg;
    error = hypercall_vcpu_op(VCPUOP_initialise, vcpu, &context);
    if (error == 0)
        error = hypercall_vcpu_op(VCPUOP_up, vcpu, NULL);
    return error;
}

void vcpu_stop_self(void) { hypercall_vcpu_op(VCPUOP_down, this_cpu()->id, NULL); }
