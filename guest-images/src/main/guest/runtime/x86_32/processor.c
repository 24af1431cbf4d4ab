/* Callbacks, contexts of further vCPUs, and what a register dump shows. */
#include "internal.h"

void callbacks_init(void)
{
    register_callback(CALLBACKTYPE_event, event_entry);
    register_callback(CALLBACKTYPE_failsafe, failsafe_entry);
    register_callback(CALLBACKTYPE_sysenter, sysenter_entry);
    register_callback(CALLBACKTYPE_syscall32, syscall32_entry);
}

void context_fill(struct vcpu_guest_context *context, unsigned long sp, void (*function)(void *), void *arg)
{
    struct cpu_user_regs *regs = &context->user_regs;

    context->callbacks.event_callback_cs = FLAT_KERNEL_CS;
    context->callbacks.event_callback_eip = (uint32_t)event_entry;
    context->callbacks.failsafe_callback_cs = FLAT_KERNEL_CS;
    context->callbacks.failsafe_callback_eip = (uint32_t)failsafe_entry;
    regs->eip = (uint32_t)vcpu_entry;
    regs->cs = FLAT_KERNEL_CS;
    regs->ds = regs->es = FLAT_KERNEL_DS;
    regs->ss = FLAT_KERNEL_SS;
    regs->esp = sp;
    regs->eflags = 0x202;
    regs->edi = (uint32_t)function;
    regs->esi = (uint32_t)arg;
}

void registers_print(const struct trap_frame *frame)
{
    print("EIP %04x:%08x  EFLAGS %08x  upcall mask %u\n", frame->cs, frame->ip, frame->flags, frame->saved_upcall_mask);
    if (trap_from_user(frame))
        print("ESP %04x:%08x", frame->ss & 0xffff, frame->sp);
    else
        print("ESP      %08lx", trap_sp(frame));
    print("  EBP %08x  DS %04x  ES %04x\n", frame->bp, frame->ds & 0xffff, frame->es & 0xffff);
    print("EAX %08x  EBX %08x  ECX %08x  EDX %08x\n", frame->ax, frame->bx, frame->cx, frame->dx);
    print("ESI %08x  EDI %08x\n", frame->si, frame->di);
}
