/* The A20 gate: port 0x92 or the keyboard controller opens it; with both closed addresses lack bit 20. The image is below 1 MiB. */
#include "bare.h"

static void keyboard_gate(bool open) {
    while (inb(0x64) & 2) {
    }
    outb(0x64, 0xd1);
    while (inb(0x64) & 2) {
    }
    outb(0x60, open ? 0xdf : 0xdd);
    while (inb(0x64) & 2) {
    }
}

static void port_gate(bool open) { outb(0x92, (inb(0x92) & ~3) | (open ? 2 : 0)); }

static volatile uint32_t *const low = (uint32_t *)0x5000, *const high = (uint32_t *)0x105000;

static void expect(bool open, const char *what) {
    *low = 1;
    *high = 2;
    check_equal(*low, open ? 1 : 2, what);
    check_equal(*high, 2, what);
}

void test(void) {
    keyboard_gate(true);
    port_gate(true);
    expect(true, "both open it");
    port_gate(false);
    expect(true, "the keyboard controller opens it");
    keyboard_gate(false);
    expect(false, "neither opens it");
    port_gate(true);
    expect(true, "port 0x92 opens it");
}
