/* From Multiboot's protected mode to 64-bit mode; the stubs of the IDT; to ring 3 and back. */
#include "start.inc"

    multiboot_header

    .text
    .code32
    .globl start
start:
    cld
    mov $kernel_stack_end, %esp
    /* Level 4 and level 3 let everything through; level 2 maps pages of 2 MiB for ring 0. */
    movl $page_tables + 0x1007, page_tables
    mov $page_tables + 0x2007, %eax
    mov $page_tables + 0x1000, %edi
    mov $4, %ecx
1:  mov %eax, (%edi)
    add $8, %edi
    add $0x1000, %eax
    loop 1b
    mov $0x83, %eax
    mov $page_tables + 0x2000, %edi
    mov $4 * 512, %ecx
2:  mov %eax, (%edi)
    add $8, %edi
    add $0x200000, %eax
    loop 2b
    /* CR4.PAE; EFER.LME and NXE; CR0.PG and WP. */
    mov %cr4, %eax
    or $0x20, %eax
    mov %eax, %cr4
    mov $page_tables, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x900, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80010000, %eax
    mov %eax, %cr0
    lgdt gdt_register
    ljmp $0x08, $1f

    .code64
1:  load_data_segments
    mov $kernel_stack_end - 0x2000, %rsp
    mov %ebx, %edi
    call runtime_main

    interrupt_stubs_of_all_vectors

interrupt_common:
    push %rax
    push %rbx
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %rbp
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    cld
    mov %rsp, %rdi
    /* The ABI wants 16 bytes; the frame is a multiple of 8. */
    mov %rsp, %rbp
    and $-16, %rsp
    call interrupt
    mov %rbp, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rbp
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rbx
    pop %rax
    add $16, %rsp
    iretq

    /* word run_user(void (*code)(void)) */
    .globl run_user
run_user:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, kernel_stack_pointer
    push $0x23
    push $user_stack_end
    push $2
    push $0x2b
    push %rdi
    iretq

    .globl user_return
user_return:
    mov kernel_stack_pointer, %rsp
    mov $0x10, %ecx
    mov %ecx, %ss
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    .data
    .align 8
    .globl gdt
gdt:
    .quad 0
    .quad 0x00af9b000000ffff
    .quad 0x00cf93000000ffff
    .quad 0x00cffb000000ffff
    .quad 0x00cff3000000ffff
    .quad 0x00affb000000ffff
    .quad 0, 0
    .quad 0, 0, 0, 0
gdt_end:
gdt_register:
    .word gdt_end - gdt - 1
    .quad gdt
kernel_stack_pointer:
    .quad 0

    .bss
    .align 4096
    .globl page_tables
page_tables:
    .skip 6 * 4096
    kernel_stack_and_user_stack
