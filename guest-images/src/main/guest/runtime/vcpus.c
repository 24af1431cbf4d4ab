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

long vcpu_start(uint32_t vcpu, void (*function)(void *), void *arg)
{
    /* Thousands of bytes: too much for a stack. One vCPU starts others, so one is enough. */
    static struct vcpu_guest_context context;
    long error;

    if (vcpu == 0 || vcpu >= MAX_VCPUS)
        return -XEN_EINVAL;
    cpu_init(vcpu);
    memset(&context, 0, sizeof(context));
    context.flags = VGCF_in_kernel;
    traps_fill(context.trap_ctxt);
    context.kernel_ss = FLAT_KERNEL_SS;
    context.kernel_sp = (unsigned long)cpu_of(vcpu);
    context.ctrlreg[3] = xen_pfn_to_cr3(paging_root());
    context_fill(&context, (unsigned long)cpu_of(vcpu), function, arg);
    error = hypercall_vcpu_op(VCPUOP_initialise, vcpu, &context);
    if (error == 0)
        error = hypercall_vcpu_op(VCPUOP_up, vcpu, NULL);
    return error;
}

void vcpu_stop_self(void) { hypercall_vcpu_op(VCPUOP_down, this_cpu()->id, NULL); }
