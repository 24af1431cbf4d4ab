/* Protected mode as Multiboot leaves it, with segments of our own; the stubs of the IDT; to ring 3 and back. */
#include "start.inc"

    multiboot_header

    .text
    .globl start
start:
    cld
    lgdt gdt_register
    ljmp $0x08, $1f
1:  load_data_segments
    mov $kernel_stack_end - 0x2000, %esp
    push %ebx
    call runtime_main

    interrupt_stubs_of_all_vectors

interrupt_common:
    pusha
    push %ds
    push %es
    cld
    mov %esp, %ebx
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    and $-16, %esp
    sub $12, %esp
    push %ebx
    call interrupt
    mov %ebx, %esp
    pop %es
    pop %ds
    popa
    add $8, %esp
    iret

    /* word run_user(void (*code)(void)) */
    .globl run_user
run_user:
    mov 4(%esp), %eax
    push %ebx
    push %ebp
    push %esi
    push %edi
    mov %esp, kernel_stack_pointer
    mov $0x23, %ecx
    mov %ecx, %ds
    mov %ecx, %es
    push $0x23
    push $user_stack_end
    push $2
    push $0x1b
    push %eax
    iret

    .globl user_return
user_return:
    mov $0x10, %ecx
    mov %ecx, %ds
    mov %ecx, %es
    mov %ecx, %fs
    mov %ecx, %gs
    mov kernel_stack_pointer, %esp
    pop %edi
    pop %esi
    pop %ebp
    pop %ebx
    ret

    .data
    .align 8
    .globl gdt
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff
    .quad 0x00cf93000000ffff
    .quad 0x00cffb000000ffff
    .quad 0x00cff3000000ffff
    .quad 0
    .quad 0, 0
    .quad 0, 0, 0, 0
gdt_end:
gdt_register:
    .word gdt_end - gdt - 1
    .long gdt
kernel_stack_pointer:
    .long 0

    .bss
    .align 16
    kernel_stack_and_user_stack
