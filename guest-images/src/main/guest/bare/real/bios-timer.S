/*
 * A kernel below 1 MiB that goes to real mode and turns interrupts on: vectors, 8259As and timer are as a BIOS leaves them, so
 * that HLT ends by a tick and the count of ticks in the BIOS data area rises. INT 15h, whose service is not there, comes back.
 */
#include "start.inc"

    .set COM1, 0x3f8
    .set DEBUG_EXIT, 0xf4
    .set TICKS, 0x46c

    multiboot_header

    .text
    .code32
    .globl start
start:
    cli
    lgdt gdt_register
    ljmp $0x08, $1f
    .code16
1:  mov $0x10, %ax
    mov %ax, %ds
    mov %ax, %ss
    mov %cr0, %eax
    and $0xfe, %al
    mov %eax, %cr0
    ljmp $0, $1f
1:  xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $stack_end, %sp
    lidt idt_register
    mov $failed, %bx
    movl TICKS, %ecx
    sti
    hlt
    hlt
    mov $0xe820, %ax
    int $0x15
    cli
    movl TICKS, %eax
    sub %ecx, %eax
    cmp $2, %eax
    jne 1f
    mov $passed, %bx
1:  mov %bx, %si
    /* Eight bits a character. */
    mov $COM1 + 3, %dx
    mov $3, %al
    out %al, %dx
    mov $COM1, %dx
    cld
2:  lodsb
    test %al, %al
    jz 3f
    out %al, %dx
    jmp 2b
3:  xor %ax, %ax
    cmp $passed, %bx
    je 4f
    inc %ax
4:  out %al, $DEBUG_EXIT
    hlt

passed:
    .asciz "VERDICT bios-timer PASS\n"
failed:
    .asciz "VERDICT bios-timer FAIL\n"

    .align 8
gdt:
    .quad 0
    /* 16-bit code and data of 64 KiB. */
    .quad 0x00009b000000ffff
    .quad 0x000093000000ffff
gdt_end:
gdt_register:
    .word gdt_end - gdt - 1
    .long gdt
idt_register:
    .word 0x3ff
    .long 0

    .bss
    .skip 256
stack_end:
