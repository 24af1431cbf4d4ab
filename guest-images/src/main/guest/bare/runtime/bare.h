/*
 * Runtime of the bare guests: Multiboot kernels that test the processor and the board themselves. Flat segments, an IDT whose
 * vectors C can take over, ring 3, COM1 for what there is to say, and the debug-exit port for the verdict: 0 is success.
 * "long" guests run in 64-bit mode with 4 GiB mapped to themselves, "protected" ones in 32-bit protected mode without paging.
 */
#ifndef BARE_H
#define BARE_H

#include <stdbool.h>
#include <stdint.h>

typedef uintptr_t word;

/* Selectors; user code and data are in the order that SYSRET wants. */
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_CODE_32 0x1b
#define USER_DATA 0x23
#define USER_CODE 0x2b
#define TSS_SELECTOR 0x30
/* The first of four that a guest may set. */
#define FREE_SELECTOR 0x40

#define DB_VECTOR 1
#define UD_VECTOR 6
#define GP_VECTOR 13
#define PF_VECTOR 14
#define NO_VECTOR (-1)

#define PAGE_SIZE 4096ul

#define TF (1ul << 8)
#define IF (1ul << 9)
#define RF (1ul << 16)
#define AC (1ul << 18)
#define VIF (1ul << 19)

/* What an exception or interrupt finds on the stack, from the runtime's stub upwards. */
struct frame {
#ifdef __x86_64__
    word r15, r14, r13, r12, r11, r10, r9, r8, bp, di, si, dx, cx, bx, ax;
#else
    word es, ds, di, si, bp, unused, bx, dx, cx, ax;
#endif
    word vector, error, ip, cs, flags;
    /* Outside 64-bit mode only where the privilege level changed. */
    word sp, ss;
};

typedef void handler(struct frame *frame);

/* Called for a vector instead of what the runtime does: go on at the place that TRY has set, or fail. */
extern handler *handlers[256];

/* Of the latest exception that TRY has caught. */
extern volatile int caught_vector;
extern volatile word caught_error;
extern volatile word recovery;

/* Executes instructions; the vector of the exception they raise, or NO_VECTOR. */
#define TRY(instructions, outputs, inputs)                                                    \
    ({                                                                                        \
        caught_vector = NO_VECTOR;                                                            \
        asm volatile("mov" WORD " $77f, recovery\n" instructions "\n77: mov" WORD             \
                     " $0, recovery"                                                          \
                     : outputs                                                                \
                     : inputs                                                                 \
                     : "memory", "cc");                                                       \
        caught_vector;                                                                        \
    })
#define AND ,
#ifdef __x86_64__
#define WORD "q"
#else
#define WORD "l"
#endif

/* What the guest tests. */
void test(void);

/* From the boot loader. Some put the name of the image in front. */
extern const char *command_line;

/* Prints a line for a check that fails, which makes the verdict a failure. */
void check(bool ok, const char *what);
/* The same, with the two values that should be equal. */
void check_equal(uint64_t found, uint64_t expected, const char *what);
void print(const char *text);
/* Ends the guest with a verdict of failure. */
void fail(const char *reason) __attribute__((noreturn));

/* Runs code in ring 3 until it executes INT 80h; it must be USER. What it leaves in (E)AX. */
word run_user(void (*code)(void));
#define USER __attribute__((section(".user.text"), noinline))
#define USER_DATA_SECTION __attribute__((section(".user.data")))
#define USER_RETURN() asm volatile("int $0x80" ::: "memory")

static inline void outb(uint16_t port, uint8_t value) { asm volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }
static inline void outl(uint16_t port, uint32_t value) { asm volatile("outl %0, %1" ::"a"(value), "Nd"(port)); }
static inline uint8_t inb(uint16_t port) {
    uint8_t value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint64_t rdmsr(uint32_t index) {
    uint32_t low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
    return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t index, uint64_t value) {
    asm volatile("wrmsr" ::"c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

/* The vector of the exception that WRMSR or RDMSR raises, or NO_VECTOR. */
int try_wrmsr(uint32_t index, uint64_t value);
int try_rdmsr(uint32_t index);

struct cpuid {
    uint32_t a, b, c, d;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf) {
    struct cpuid r;
    asm volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(subleaf));
    return r;
}

static inline bool is_intel(void) { return cpuid(0, 0).b == 0x756e6547; }

#define CONTROL_REGISTER(name)                                                                \
    static inline word read_##name(void) {                                                    \
        word value;                                                                           \
        asm volatile("mov %%" #name ", %0" : "=r"(value));                                    \
        return value;                                                                         \
    }                                                                                         \
    static inline void write_##name(word value) { asm volatile("mov %0, %%" #name ::"r"(value) : "memory"); }
CONTROL_REGISTER(cr0)
CONTROL_REGISTER(cr2)
CONTROL_REGISTER(cr3)
CONTROL_REGISTER(cr4)
CONTROL_REGISTER(dr0)
CONTROL_REGISTER(dr1)
CONTROL_REGISTER(dr2)
CONTROL_REGISTER(dr6)
CONTROL_REGISTER(dr7)

extern uint64_t gdt[];
#ifdef __x86_64__
/* The last-level entries of the first 2 MiB, where the image is; the pages of USER code and data can be used in ring 3. */
extern uint64_t first_table[512];
/* The tables above: level 4, level 3, and four of level 2. */
extern uint64_t page_tables[6][512];
#endif

#endif
