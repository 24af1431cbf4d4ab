#include "bare.h"

#define COM1 0x3f8
#define LINE_CONTROL 3
#define EIGHT_BITS 3
#define LINE_STATUS 5
#define TRANSMITTER_EMPTY 0x20
#define PIC1_MASK 0x21
#define DEBUG_EXIT 0xf4

/* What the boot loader tells, as far as it is read here (Multiboot Specification 0.6.96, 3.3). */
struct multiboot_information {
    uint32_t flags, memory_lower, memory_upper, boot_device, command_line;
};
#define HAS_COMMAND_LINE (1 << 2)

const char *command_line = "";
handler *handlers[256];
volatile int caught_vector;
volatile word caught_error;
volatile word recovery;

static bool failed;

extern const char interrupt_stubs[];
extern const char user_return[];
extern char user_start[], user_end[], kernel_stack_end[];

/* ---- what it says ---- */

static void put(char c) {
    while (!(inb(COM1 + LINE_STATUS) & TRANSMITTER_EMPTY)) {
    }
    outb(COM1, c);
}

void print(const char *text) {
    while (*text) {
        put(*text++);
    }
}

static void print_hex(uint64_t value) {
    for (int shift = 60; shift >= 0; shift -= 4) {
        put("0123456789abcdef"[value >> shift & 15]);
    }
}

static void end(void) __attribute__((noreturn));

static void end(void) {
    print("VERDICT " GUEST);
    print(failed ? " FAIL\n" : " PASS\n");
    for (;;) {
        outb(DEBUG_EXIT, failed);
    }
}

void check(bool ok, const char *what) {
    if (!ok) {
        failed = true;
        print("failed: ");
        print(what);
        print("\n");
    }
}

void check_equal(uint64_t found, uint64_t expected, const char *what) {
    check(found == expected, what);
    if (found != expected) {
        print("  found ");
        print_hex(found);
        print(", expected ");
        print_hex(expected);
        print("\n");
    }
}

void fail(const char *reason) {
    check(false, reason);
    end();
}

/* ---- interrupts ---- */

/* From the stubs, for whatever comes. */
void interrupt(struct frame *frame) {
    if (handlers[frame->vector]) {
        handlers[frame->vector](frame);
    } else if (recovery) {
        caught_vector = frame->vector;
        caught_error = frame->error;
        frame->ip = recovery;
        recovery = 0;
    } else {
        print("vector ");
        print_hex(frame->vector);
        print(" error ");
        print_hex(frame->error);
        print(" at ");
        print_hex(frame->ip);
        print("\n");
        fail("nothing expects this exception");
    }
}

struct table_register {
    uint16_t limit;
    void *base;
} __attribute__((packed));

#ifdef __x86_64__
struct gate {
    uint16_t offset0, selector;
    uint8_t stack, type;
    uint16_t offset16;
    uint32_t offset32, zero;
};
static uint8_t tss[104] __attribute__((aligned(16)));
#else
struct gate {
    uint16_t offset0, selector;
    uint8_t zero, type;
    uint16_t offset16;
};
static uint32_t tss[26] __attribute__((aligned(16)));
#endif

static struct gate idt[256] __attribute__((aligned(16)));

static void set_gate(int vector, const char *code, int dpl) {
    word address = (word)code;
    struct gate *gate = &idt[vector];
    gate->offset0 = address;
    gate->offset16 = address >> 16;
#ifdef __x86_64__
    gate->offset32 = address >> 32;
#endif
    gate->selector = KERNEL_CODE;
    /* Present, interrupt gate. */
    gate->type = 0x8e | dpl << 5;
}

static void load_tables(void) {
    for (int vector = 0; vector < 256; vector++) {
        set_gate(vector, interrupt_stubs + vector * 16, vector == 3 || vector == 4 ? 3 : 0);
    }
    set_gate(0x80, user_return, 3);
    struct table_register idtr = {sizeof(idt) - 1, idt};
    asm volatile("lidt %0" ::"m"(idtr));

    /* Available TSS, present; it is below 4 GiB. */
    word base = (word)tss;
    gdt[TSS_SELECTOR / 8] = (sizeof(tss) - 1) | (uint64_t)(base & 0xffffff) << 16 | 0x89ull << 40
            | (uint64_t)(base >> 24 & 0xff) << 56;
#ifdef __x86_64__
    *(uint64_t *)(tss + 4) = (word)kernel_stack_end;
    *(uint16_t *)(tss + 102) = sizeof(tss);
#else
    tss[1] = (word)kernel_stack_end;
    tss[2] = KERNEL_DATA;
    tss[25] = sizeof(tss) << 16;
#endif
    asm volatile("ltr %w0" ::"r"(TSS_SELECTOR));
}

int try_wrmsr(uint32_t index, uint64_t value) {
    return TRY("wrmsr", , "c"(index) AND "a"((uint32_t)value) AND "d"((uint32_t)(value >> 32)));
}

int try_rdmsr(uint32_t index) {
    uint32_t low, high;
    return TRY("rdmsr", "=a"(low) AND "=d"(high), "c"(index));
}

#ifdef __x86_64__
uint64_t first_table[512] __attribute__((aligned(4096)));

/* Small pages for the first 2 MiB, so that USER code and data can be ring 3's. */
static void split_first_pages(void) {
    for (int i = 0; i < 512; i++) {
        word address = i * PAGE_SIZE;
        bool user = address >= (word)user_start && address < (word)user_end;
        first_table[i] = address | (user ? 7 : 3);
    }
    page_tables[2][0] = (word)first_table | 7;
    write_cr3((word)page_tables);
}
#endif

void runtime_main(const struct multiboot_information *information) {
    if (information->flags & HAS_COMMAND_LINE) command_line = (const char *)(word)information->command_line;
    outb(COM1 + LINE_CONTROL, EIGHT_BITS);
    /* A BIOS has left the timer's interrupt on, at a vector that is an exception's. */
    outb(PIC1_MASK, 0xff);
#ifdef __x86_64__
    split_first_pages();
#endif
    load_tables();
    test();
    end();
}
