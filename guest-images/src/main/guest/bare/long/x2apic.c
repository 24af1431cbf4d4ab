/* The x2APIC: transitions of IA32_APIC_BASE, registers as MSRs, an interrupt to itself (SDM 3A 11.12). */
#include "bare.h"

#define APIC_BASE 0x1b
#define ENABLE (1ul << 11)
#define EXTENDED (1ul << 10)
#define ID 0x802
#define EOI 0x80b
#define SVR 0x80f
#define SELF_IPI 0x83f

static volatile int interrupts;

static void note(struct frame *frame) {
    (void)frame;
    interrupts++;
    wrmsr(EOI, 0);
}

void test(void) {
    uint64_t base = rdmsr(APIC_BASE) & ~(ENABLE | EXTENDED);
    check_equal(try_rdmsr(ID), GP_VECTOR, "the MSRs without x2APIC mode");
    check_equal(try_wrmsr(APIC_BASE, base | EXTENDED), GP_VECTOR, "x2APIC mode without the APIC");
    check_equal(try_wrmsr(APIC_BASE, base | ENABLE | EXTENDED), NO_VECTOR, "to x2APIC mode");
    check_equal(try_wrmsr(APIC_BASE, base | ENABLE), GP_VECTOR, "and back at once");
    check_equal(rdmsr(ID), 0, "ID");
    check_equal(try_wrmsr(ID, 0), GP_VECTOR, "the ID is read-only");
    check_equal(try_wrmsr(EOI, 1), GP_VECTOR, "EOI other than 0");
    check_equal(try_wrmsr(SELF_IPI, 0x100), GP_VECTOR, "a reserved bit of SELF IPI");
    check_equal(try_rdmsr(SELF_IPI), GP_VECTOR, "SELF IPI is write-only");
    handlers[0x90] = note;
    wrmsr(SVR, 0x1ff);
    wrmsr(SELF_IPI, 0x90);
    check_equal(interrupts, 0, "with interrupts off");
    asm volatile("sti; nop; cli");
    check_equal(interrupts, 1, "with interrupts on");
    check_equal(try_wrmsr(APIC_BASE, base), NO_VECTOR, "off");
    check_equal(try_wrmsr(APIC_BASE, base | ENABLE), NO_VECTOR, "to xAPIC mode");
}
