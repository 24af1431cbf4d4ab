/* Protected mode as Multiboot leaves it, with segments of our own; the stubs of the IDT; to ring 3 and back. */

    .section .multiboot, "a"
    .align 4
    .long 0x1badb002, 0, -0x1badb002

    .text
    .globl start
start:
    cld
    lgdt gdt_register
    ljmp $0x08, $1f
1:  mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov %eax, %fs
    mov %eax, %gs
    mov $kernel_stack_end - 0x2000, %esp
    call runtime_main

    .align 16
    .globl interrupt_stubs
interrupt_stubs:
    vector = 0
    .rept 256
    .align 16
    .if vector != 8 && (vector < 10 || vector > 14) && vector != 17 && vector != 21 && vector != 29 && vector != 30
    push $0
    .endif
    pushl $vector
    jmp interrupt_common
    vector = vector + 1
    .endr

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
    .skip 0x6000
    .globl kernel_stack_end
kernel_stack_end:

    .section .user.data, "aw"
    .align 16
    .skip 4096
user_stack_end:
