/*
 * Virtual-8086 mode with VME at IOPL 0: CLI, STI, PUSHF and POPF work on VIF, STI with VIP faults, and the bitmap in the TSS sends
 * INT n to the task's own vectors (SDM 3A 21.3).
 */
#include "bare.h"

#define VM (1ul << 17)
#define VIP (1ul << 20)
#define SEGMENT 0x700
#define VECTOR 0x60
#define HLT 0xf4

/* The processor reads it, which the compiler cannot see. */
static volatile struct {
    uint32_t tss[26];
    uint8_t redirection[32], io_map[2];
} __attribute__((packed, aligned(16))) task;

static volatile word end_flags, end_ax, end_code, resume, main_stack;

/* #GP in virtual-8086 mode ends it: HLT, or what is refused. */
static void leave(struct frame *frame) {
    end_flags = frame->flags;
    end_ax = frame->ax;
    end_code = *(volatile uint8_t *)(frame->cs * 16 + frame->ip);
    asm volatile("mov main_stack, %esp; jmp *resume");
    __builtin_unreachable();
}

/* Runs code in virtual-8086 mode until it faults. */
static void __attribute__((noinline)) run(const char *code, int size, word flags) {
    for (int i = 0; i < size; i++) {
        ((volatile uint8_t *)(SEGMENT * 16))[i] = code[i];
    }
    asm volatile("pusha\n"
                 "mov %%esp, main_stack\n"
                 "movl $1f, resume\n"
                 "push %1; push %1; push %1; push %1; push %1\n"
                 "push $0xff0; push %0; push %1; push $0\n"
                 "iret\n"
                 "1: mov $0x10, %%eax; mov %%eax, %%ds; mov %%eax, %%es; mov %%eax, %%fs; mov %%eax, %%gs\n"
                 "popa" ::"r"(flags | VM | 2), "r"(SEGMENT)
                 : "memory");
}
#define RUN(code, flags) run(code, sizeof(code) - 1, flags)

void test(void) {
    check(cpuid(1, 0).d >> 1 & 1, "VME");
    extern char kernel_stack_end[];
    task.tss[1] = (word)kernel_stack_end;
    task.tss[2] = KERNEL_DATA;
    task.tss[25] = __builtin_offsetof(typeof(task), io_map) << 16;
    task.io_map[0] = task.io_map[1] = 0xff;
    word base = (word)&task;
    gdt[FREE_SELECTOR / 8] = (sizeof(task) - 1) | (uint64_t)(base & 0xffffff) << 16 | 0x89ull << 40
            | (uint64_t)(base >> 24) << 56;
    asm volatile("ltr %w0" ::"r"(FREE_SELECTOR));
    handlers[GP_VECTOR] = leave;
    /* The task's own handler: mov ax, 1234h; hlt. */
    static const uint8_t own[] = {0xb8, 0x34, 0x12, HLT};
    for (unsigned i = 0; i < sizeof(own); i++) {
        ((volatile uint8_t *)0x6000)[i] = own[i];
    }
    volatile uint32_t *vectors = (uint32_t *)0;
    asm("" : "+r"(vectors));
    uint32_t saved = vectors[VECTOR];
    vectors[VECTOR] = 0x6000000;

    RUN("\xfa\xf4", IF);
    check_equal(end_code, 0xfa, "CLI without VME");
    RUN("\xcd\x60\xf4", IF);
    check_equal(end_code, 0xcd, "INT n without VME");
    write_cr4(read_cr4() | 1);
    RUN("\xfb\xf4", IF);
    check_equal(end_code, HLT, "STI");
    check_equal(end_flags & VIF, VIF, "VIF after STI");
    /* cli; pushf; pop ax; hlt */
    RUN("\xfa\x9c\x58\xf4", IF | VIF);
    check_equal(end_code, HLT, "CLI and PUSHF");
    check_equal(end_flags & (VIF | IF), IF, "VIF after CLI");
    check_equal(end_ax & 0x3200, 0x3000, "PUSHF: VIF in place of IF, IOPL 3");
    /* push 200h; popf; pushf; pop ax; hlt */
    RUN("\x68\x00\x02\x9d\x9c\x58\xf4", IF);
    check_equal(end_code, HLT, "POPF");
    check_equal(end_flags & VIF, VIF, "VIF after POPF");
    check_equal(end_ax & 0x200, 0x200, "and in PUSHF");
    RUN("\xfb\xf4", IF | VIP);
    check_equal(end_code, 0xfb, "STI with VIP");
    RUN("\xcd\x60\xf4", IF);
    check_equal(end_code, HLT, "INT n to the task's own handler");
    check_equal(end_ax & 0xffff, 0x1234, "which ran");
    task.redirection[VECTOR / 8] |= 1 << VECTOR % 8;
    RUN("\xcd\x60\xf4", IF);
    check_equal(end_code, 0xcd, "INT n that the bitmap keeps from it");
    vectors[VECTOR] = saved;
}
