/* Code for user mode: copied to a page there, so position-independent. Each piece ends in a trap to the kernel. */
#include "abi/arch.h"
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
piece read                              /* EDI: address */
    movl (%edi), %eax
    ud2
piece write
    movl %edi, (%edi)
    ud2
piece jump
    jmp *%edi
piece push
    pushl %eax
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
    movl %cr3, %eax
    ud2
piece cpuid
    cpuid
    ud2
piece forced_cpuid
    .byte 0x0f, 0x0b, 0x78, 0x65, 0x6e
    cpuid
    ud2
piece step
    pushfl
    orl $0x100, (%esp)
    popfl
    nop                                 /* the trap comes after this one */
    ud2
piece misaligned                        /* EDI: address */
    pushfl
    orl $0x40000, (%esp)
    popfl
    movl 1(%edi), %eax
    ud2
piece selector                          /* EDI: selector */
    movl %edi, %es
    ud2

piece hypercall                         /* the gate for hypercalls is the kernel's: XENVER_version */
    movl $17, %eax
    xorl %ebx, %ebx
    xorl %ecx, %ecx
    int $0x82
    ud2
piece syscall
    movl $17, %eax
    syscall
    ud2
piece sysenter
    movl $17, %eax
    sysenter
    ud2

piece registers                         /* all registers survive a system call; EAX then counts the wrong ones */
    movl $0x11111111, %ebx
    movl $0x22222222, %ecx
    movl $0x33333333, %edx
    movl $0x44444444, %esi
    movl $0x55555555, %edi
    movl $0x66666666, %ebp
    movl $SYSCALL_RETURN, %eax
    int $0x80
    .macro verify register value
    cmpl $\value, %\register
    je 1f
    incl %eax
1:
    .endm
    verify ebx 0x11111111
    verify ecx 0x22222222
    verify edx 0x33333333
    verify esi 0x44444444
    verify edi 0x55555555
    verify ebp 0x66666666
    movl %eax, %edi
    movl %ds, %eax
    cmpw $FLAT_USER_DS, %ax
    je 1f
    incl %edi
1:  movl %es, %eax
    cmpw $FLAT_USER_DS, %ax
    je 1f
    incl %edi
1:  movl $SYSCALL_LEAVE, %eax
    int $0x80
    ud2
user_code_end:
