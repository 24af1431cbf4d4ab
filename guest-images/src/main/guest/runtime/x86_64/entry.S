/*
 * Entry points: the start of the domain, of further vCPUs, and everything Xen calls back.
 *
 * Xen delivers a trap by pushing {RCX, R11, [error code,] RIP, CS | saved upcall mask << 32, RFLAGS, RSP, SS} on the
 * kernel stack. RFLAGS.IF in that frame is the inverse of the upcall mask at the time of the trap, and the iret
 * hypercall puts it back and looks for pending events in one step. So returning has no window between unmasking and
 * leaving the frame, and needs no critical-section fix-up as an IRETQ in the guest would.
 */
#include "abi/core.h"
#include "layout.h"

    .section .text.entry, "ax", @progbits
    .globl guest_entry
guest_entry:                            /* RSI: start_info, RSP: the builder's boot stack */
    cld
    xorl %ebp, %ebp
    movq %rsi, %rdi
    movq %rsp, %rsi
    movq $vcpu_stacks + STACK_SIZE - CPU_AREA_SIZE, %rsp
    call runtime_start
    ud2

    .globl vcpu_entry
vcpu_entry:                             /* a vCPU brought up by vcpu_start(): RDI: function, RSI: its argument */
    cld
    xorl %ebp, %ebp
    call vcpu_main
    ud2

    .text
    .macro trap_stub name vector error
    .balign 16
    .globl \name
\name:
    popq %rcx
    popq %r11
    .if !\error
    pushq $0
    .endif
    pushq $\vector
    jmp trap_common
    .endm

    .macro exception_stub vector error
    trap_stub exception_\vector, \vector, \error
    .pushsection .rodata.exception_entries, "a"
    .quad exception_\vector
    .popsection
    .endm

    .pushsection .rodata.exception_entries, "a"
    .balign 8
    .globl exception_entries
exception_entries:                      /* address of the entry point of each vector below 32 */
    .popsection

    .altmacro
    .set number, 0
    .rept 32
    .if (number == 8) || ((number >= 10) && (number <= 14)) || (number == 17) || (number == 21)
    exception_stub %number, 1
    .else
    exception_stub %number, 0
    .endif
    .set number, number + 1
    .endr
    .noaltmacro

    trap_stub software_entry, VECTOR_SOFTWARE, 0
    trap_stub event_entry, VECTOR_EVENT, 0
    trap_stub syscall_entry, VECTOR_SYSCALL, 0
    trap_stub sysenter_entry, VECTOR_SYSENTER, 0
    trap_stub syscall32_entry, VECTOR_SYSCALL32, 0

    .balign 16
    .globl failsafe_entry
failsafe_entry:                         /* frame: RCX, R11, DS, ES, FS, GS, then as for a trap */
    movq (%rsp), %rcx
    movq 8(%rsp), %r11
    addq $6 * 8, %rsp
    pushq $0
    pushq $VECTOR_FAILSAFE

trap_common:
    cld
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %rax
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, %rdi
    movq %rsp, %rbx
    andq $-16, %rsp
    call trap_dispatch
    movq %rbx, %rsp
    .globl trap_return
trap_return:                            /* RSP: a struct trap_frame */
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rax
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
    addq $16, %rsp                      /* vector, error code */
    pushq $0                            /* struct iret_context: flags, RCX, R11, RAX */
    pushq %rcx
    pushq %r11
    pushq %rax
    movl $HYPERCALL_iret, %eax
    syscall
    ud2

/*
 * uint64_t user_enter(struct trap_frame *frame): goes to the frame's context; returns what user_leave() is given by
 * a trap handler. Traps out of user mode land below the frame that this call leaves on the stack.
 */
    .globl user_enter
user_enter:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    pushq %rdi
    movq %rsp, %rdi
    call user_prepare                   /* remembers RSP, makes it the stack for traps from user mode */
    popq %rsp
    jmp trap_return

    .globl user_leave_to
user_leave_to:                          /* RDI: value, RSI: RSP that user_prepare saw */
    movq %rsi, %rsp
    movq %rdi, %rax
    popq %rdi
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret
