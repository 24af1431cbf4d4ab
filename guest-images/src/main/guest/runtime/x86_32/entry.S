/*
 * Entry points: the start of the domain, of further vCPUs, and everything Xen calls back.
 *
 * Xen delivers a trap by pushing {[error code,] EIP, CS | saved upcall mask << 16, EFLAGS} on the kernel stack, and between EFLAGS and
 * what was there before {ESP, SS} if it came from user mode: the kernel runs in ring 1 and then keeps its stack. EFLAGS.IF in
 * that frame is the inverse of the upcall mask at the time of the trap, and the iret hypercall puts it back and looks for pending
 * events in one step. So returning has no window between unmasking and leaving the frame, and needs no critical-section fix-up as
 * an IRET in the guest would.
 */
#include "abi/core.h"
#include "layout.h"

    .section .text.entry, "ax", @progbits
    .globl guest_entry
guest_entry:                            /* ESI: start_info, ESP: the builder's boot stack */
    cld
    xorl %ebp, %ebp
    movl %esp, %eax
    movl $vcpu_stacks + STACK_SIZE - CPU_AREA_SIZE - 8, %esp
    pushl %eax
    pushl %esi
    call runtime_start
    ud2

    .globl vcpu_entry
vcpu_entry:                             /* a vCPU brought up by vcpu_start(): EDI: function, ESI: its argument */
    cld
    xorl %ebp, %ebp
    subl $8, %esp
    pushl %esi
    pushl %edi
    call vcpu_main
    ud2

    .text
    .macro trap_stub name vector error
    .balign 16
    .globl \name
\name:
    .if !\error
    pushl $0
    .endif
    pushl $\vector
    jmp trap_common
    .endm

    .macro exception_stub vector error
    trap_stub exception_\vector, \vector, \error
    .pushsection .rodata.exception_entries, "a"
    .long exception_\vector
    .popsection
    .endm

    .pushsection .rodata.exception_entries, "a"
    .balign 4
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
    trap_stub sysenter_entry, VECTOR_SYSENTER, 0
    trap_stub syscall32_entry, VECTOR_SYSCALL32, 0

    .balign 16
    .globl failsafe_entry
failsafe_entry:                         /* frame: DS, ES, FS, GS, then as for a trap */
    addl $4 * 4, %esp
    pushl $0
    pushl $VECTOR_FAILSAFE

trap_common:                            /* data segments are still those of the context that was interrupted */
    cld
    pushl %eax
    pushl %es
    pushl %ds
    pushl %ebp
    pushl %edi
    pushl %esi
    pushl %edx
    pushl %ecx
    pushl %ebx
    movl $FLAT_KERNEL_DS, %ecx
    movl %ecx, %ds
    movl %ecx, %es
    movl %esp, %ebx
    andl $-16, %esp
    subl $12, %esp
    pushl %ebx
    call trap_dispatch
    movl %ebx, %esp
    .globl trap_return
trap_return:                            /* ESP: a struct trap_frame */
    popl %ebx
    popl %ecx
    popl %edx
    popl %esi
    popl %edi
    popl %ebp
    popl %ds
    popl %es
    popl %eax
    addl $4, %esp                       /* vector */
    movl %eax, (%esp)                   /* in the place of the error code: iret takes EAX from there */
    movl $HYPERCALL_iret, %eax
    int $0x82
    ud2

/*
 * unsigned long user_enter(struct trap_frame *frame): goes to the frame's context; returns what user_leave() is given by
 * a trap handler. Traps out of user mode land below the frame that this call leaves on the stack.
 */
    .globl user_enter
user_enter:
    pushl %ebx
    pushl %ebp
    pushl %esi
    pushl %edi
    movl 20(%esp), %ebx
    movl %esp, %eax
    subl $8, %esp
    pushl %eax
    call user_prepare                   /* remembers ESP, makes it the stack for traps from user mode */
    movl %ebx, %esp
    jmp trap_return

    .globl user_leave_to
user_leave_to:                          /* value, ESP that user_prepare was given */
    movl 4(%esp), %eax
    movl 8(%esp), %esp
    popl %edi
    popl %esi
    popl %ebp
    popl %ebx
    ret
