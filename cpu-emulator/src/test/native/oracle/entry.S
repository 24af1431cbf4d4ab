/* The few places of the silicon runner that C cannot express: process start, the way into a snippet and out of it. */

        .text
        .globl  _start, enter_snippet, leave_snippet, signal_entry, signal_return

_start:
        xorl    %ebp, %ebp
        movq    %rsp, %rdi
        andq    $-16, %rsp
        call    start
        hlt

/* enter_snippet(rdi: struct entry_frame): loads every register from the frame. */
enter_snippet:
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, resume_stack(%rip)
        movq    %rdi, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rdi
        popq    %rsi
        popq    %rbp
        popq    %rbx
        popq    %rdx
        popq    %rcx
        popq    %rax
        iretq

/* leave_snippet(): abandons the signal frame and returns from enter_snippet. No handler masks a signal. */
leave_snippet:
        movq    resume_stack(%rip), %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        ret

/* Handler of every signal: rdi number, rsi siginfo, rdx ucontext. The kernel clears DF, RF and TF, but leaves AC and NT. */
signal_entry:
        pushq   $0x202
        popfq
        subq    $8, %rsp
        call    handle_signal
        addq    $8, %rsp
        ret

signal_return:
        movl    $15, %eax               /* rt_sigreturn */
        syscall

        .bss
        .balign 8
resume_stack:
        .quad   0

        .section .note.GNU-stack, "", @progbits
