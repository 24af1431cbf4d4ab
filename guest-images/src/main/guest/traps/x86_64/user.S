/* Code for user mode: copied to a page there, so position-independent. Each piece ends in a trap to the kernel. */
#include "traps.h"

    .section .rodata.user_code, "a", @progbits
    .globl user_code, user_code_end
user_code:
    .macro piece name
    .globl user_\name
user_\name:
    .endm

piece ud
    ud2
piece divide
    xorl %edx, %edx
    xorl %ecx, %ecx
    divl %ecx
    ud2
piece read                              /* RDI: address */
    movq (%rdi), %rax
    ud2
piece write
    movq %rdi, (%rdi)
    ud2
piece jump
    jmp *%rdi
piece push
    pushq %rax
    ud2
piece breakpoint
    int3
    ud2
piece int_allowed
    int $USER_VECTOR
    ud2
piece int_forbidden
    int $KERNEL_VECTOR
    ud2
piece int_80
    int $0x80
    ud2
piece privileged
    hlt
    ud2
piece read_cr3
    movq %cr3, %rax
    ud2
piece gs
    movq %gs:0, %rax
    ud2
piece cpuid
    cpuid
    ud2
piece forced_cpuid
    .byte 0x0f, 0x0b, 0x78, 0x65, 0x6e
    cpuid
    ud2
piece step
    pushfq
    orq $0x100, (%rsp)
    popfq
    nop                                 /* the trap comes after this one */
    ud2

piece hypercall                         /* is a system call to the kernel here: XENVER_version */
    movl $17, %eax
    xorl %edi, %edi
    xorl %esi, %esi
    syscall
    ud2

piece registers                         /* all registers survive a system call; RAX then counts the wrong ones */
    movq $0x1111111111111111, %rbx
    movq $0x2222222222222222, %rdx
    movq $0x3333333333333333, %rsi
    movq $0x4444444444444444, %rdi
    movq $0x5555555555555555, %rbp
    movq $0x6666666666666666, %r8
    movq $0x7777777777777777, %r9
    movq $0x8888888888888888, %r10
    movq $0x9999999999999999, %r12
    movq $0xaaaaaaaaaaaaaaaa, %r13
    movq $0xbbbbbbbbbbbbbbbb, %r14
    movq $0xcccccccccccccccc, %r15
    movl $SYSCALL_RETURN, %eax
    syscall
    .macro verify register value
    movabsq $\value, %rcx
    cmpq %rcx, %\register
    je 1f
    incq %rax
1:
    .endm
    verify rbx 0x1111111111111111
    verify rdx 0x2222222222222222
    verify rsi 0x3333333333333333
    verify rdi 0x4444444444444444
    verify rbp 0x5555555555555555
    verify r8 0x6666666666666666
    verify r9 0x7777777777777777
    verify r10 0x8888888888888888
    verify r12 0x9999999999999999
    verify r13 0xaaaaaaaaaaaaaaaa
    verify r14 0xbbbbbbbbbbbbbbbb
    verify r15 0xcccccccccccccccc
    movq %rax, %rdi
    movl $SYSCALL_LEAVE, %eax
    syscall
    ud2
user_code_end:
