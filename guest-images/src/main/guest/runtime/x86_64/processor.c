/* Callbacks, contexts of further vCPUs, and what a register dump shows. */
#include "internal.h"

void callbacks_init(void)
{
    register_callback(CALLBACKTYPE_event, event_entry);
    register_callback(CALLBACKTYPE_failsafe, failsafe_entry);
    register_callback(CALLBACKTYPE_syscall, syscall_entry);
    register_callback(CALLBACKTYPE_sysenter, sysenter_entry);
    register_callback(CALLBACKTYPE_syscall32, syscall32_entry);
}

void context_fill(struct vcpu_guest_context *context, unsigned long sp, void (*function)(void *), void *arg)
{
    context->callbacks.event_callback_eip = (uint64_t)event_entry;
    context->callbacks.failsafe_callback_eip = (uint64_t)failsafe_entry;
    context->callbacks.syscall_callback_eip = (uint64_t)syscall_entry;
    context->user_regs.rip = (uint64_t)vcpu_entry;
    context->user_regs.cs = FLAT_RING3_CS64;
    context->user_regs.ss = FLAT_RING3_SS64;
    context->user_regs.rsp = sp;
    context->user_regs.rflags = 0x202;
    context->user_regs.rdi = (uint64_t)function;
    context->user_regs.rsi = (uint64_t)arg;
}

void registers_print(const struct trap_frame *frame)
{
    print("RIP %04x:%016lx  RFLAGS %08lx  upcall mask %u\n", frame->cs & 0xffff, frame->ip, frame->flags,
          frame->saved_upcall_mask & 0xff);
    print("RSP %04lx:%016lx  RBP %016lx\n", frame->ss & 0xffff, frame->sp, frame->bp);
    print("RAX %016lx  RBX %016lx  RCX %016lx  RDX %016lx\n", frame->ax, frame->bx, frame->cx, frame->dx);
    print("RSI %016lx  RDI %016lx  R8  %016lx  R9  %016lx\n", frame->si, frame->di, frame->r8, frame->r9);
    print("R10 %016lx  R11 %016lx  R12 %016lx  R13 %016lx\n", frame->r10, frame->r11, frame->r12, frame->r13);
    print("R14 %016lx  R15 %016lx\n", frame->r14, frame->r15);
}
