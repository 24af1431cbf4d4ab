/* A far call to a TSS: the state of both tasks, NT and the link, IRET back; the T flag's #DB (SDM 3A 8). */
#include "bare.h"

struct tss {
    uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
    uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi, es, cs, ss, ds, fs, gs, ldt;
    uint16_t trap, io_map;
};

static struct tss main_task, other_task;
static uint8_t stack[1024] __attribute__((aligned(16)));
static volatile uint32_t seen_flags, seen_link, seen_eax;
static volatile int debug_traps;
static volatile word debug_dr6;

static void note(struct frame *frame) {
    (void)frame;
    debug_traps++;
    debug_dr6 = read_dr6();
}

static void other(void) __attribute__((noreturn, naked));

static void other(void) {
    asm volatile("1: mov %eax, seen_eax\n"
                 "pushf; pop seen_flags\n"
                 "mov other_task, %eax; mov %eax, seen_link\n"
                 "mov $0x5678, %eax\n"
                 "iret\n"
                 "jmp 1b");
}

static void set_tss(int selector, struct tss *tss) {
    uint32_t base = (uint32_t)tss;
    gdt[selector / 8] = (sizeof(*tss) - 1) | (uint64_t)(base & 0xffffff) << 16 | 0x89ull << 40
            | (uint64_t)(base >> 24) << 56;
}

static int type(int selector) { return gdt[selector / 8] >> 40 & 15; }

void test(void) {
    set_tss(FREE_SELECTOR, &main_task);
    set_tss(FREE_SELECTOR + 8, &other_task);
    asm volatile("ltr %w0" ::"r"(FREE_SELECTOR));
    other_task = (struct tss){.eip = (uint32_t)other, .eflags = 2, .eax = 0x1234, .esp = (uint32_t)(stack + sizeof(stack)),
            .es = KERNEL_DATA, .cs = KERNEL_CODE, .ss = KERNEL_DATA, .ds = KERNEL_DATA, .fs = KERNEL_DATA, .gs = KERNEL_DATA,
            .io_map = sizeof(struct tss)};
    word eax = 0x9abc;
    asm volatile("lcall %1, $0" : "+a"(eax) : "i"(FREE_SELECTOR + 8) : "memory");
    check_equal(eax, 0x9abc, "a register after the task has come back");
    check_equal(seen_eax, 0x1234, "a register of the other task");
    check_equal(seen_flags >> 14 & 1, 1, "NT");
    check_equal(seen_link, FREE_SELECTOR, "link");
    check_equal(type(FREE_SELECTOR), 11, "this task is busy");
    check_equal(type(FREE_SELECTOR + 8), 9, "the other is not");
    check_equal(other_task.eax, 0x5678, "what IRET saved");
    check_equal(other_task.eflags >> 14 & 1, 0, "NT is cleared in what IRET saved");
    check(read_cr0() >> 3 & 1, "CR0.TS");
    asm volatile("clts");

    handlers[DB_VECTOR] = note;
    write_dr6(0xffff0ff0);
    other_task.trap = 1;
    asm volatile("lcall %0, $0" ::"i"(FREE_SELECTOR + 8) : "eax", "memory");
    check_equal(debug_traps, 1, "the T flag");
    check_equal(debug_dr6 >> 15 & 1, 1, "DR6.BT");

    check_equal(TRY("lcall %0, $0", , "i"(FREE_SELECTOR)), GP_VECTOR, "a call to the busy task");
    check_equal(caught_error, FREE_SELECTOR, "error code");
}
