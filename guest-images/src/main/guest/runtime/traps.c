/* Trap table, callbacks, and dispatch to the handlers that a guest has set. */
#include "internal.h"

static trap_handler handlers[NR_VECTORS];
static struct trap_info gates[256];            /* indexed by vector; address 0: no gate */

static const struct {
    const char *mnemonic;
    uint8_t dpl;
} exceptions[] = {
    [0] = {"#DE", 0}, [1] = {"#DB", 0}, [2] = {"NMI", 0}, [3] = {"#BP", 3}, [4] = {"#OF", 3}, [5] = {"#BR", 0},
    [6] = {"#UD", 0}, [7] = {"#NM", 0}, [8] = {"#DF", 0}, [10] = {"#TS", 0}, [11] = {"#NP", 0}, [12] = {"#SS", 0},
    [13] = {"#GP", 0}, [14] = {"#PF", 0}, [16] = {"#MF", 0}, [17] = {"#AC", 0}, [18] = {"#MC", 0}, [19] = {"#XM", 0},
};

const char *exception_name(unsigned vector)
{
    switch (vector) {
    case VECTOR_EVENT: return "event";
    case VECTOR_FAILSAFE: return "failsafe callback";
    case VECTOR_SYSCALL: return "SYSCALL";
    case VECTOR_SYSENTER: return "SYSENTER";
    case VECTOR_SYSCALL32: return "32-bit SYSCALL";
    case VECTOR_SOFTWARE: return "software interrupt";
    }
    if (vector < ARRAY_LENGTH(exceptions) && exceptions[vector].mnemonic != NULL)
        return exceptions[vector].mnemonic;
    return "reserved vector";
}

void trap_set_handler(unsigned vector, trap_handler handler)
{
    if (vector < NR_VECTORS)
        handlers[vector] = handler;
}

void trap_set_gate(uint8_t vector, uint8_t flags, void (*entry)(void))
{
    struct trap_info table[2] = {{vector, flags, FLAT_KERNEL_CS, (unsigned long)entry}};

    gates[vector] = table[0];
    hypercall_set_trap_table(table);
}

void traps_fill(struct trap_info table[256])
{
    for (unsigned vector = 0; vector < 256; vector++)
        table[vector] = gates[vector];
}

void register_callback(uint16_t type, void (*entry)(void))
{
    struct callback_register callback = {type, CALLBACKF_mask_events, XEN_CALLBACK(entry)};

    hypercall_callback_op(CALLBACKOP_register, &callback);
}

void traps_init(void)
{
    struct trap_info table[ARRAY_LENGTH(exceptions) + 1];
    unsigned used = 0;

    for (unsigned vector = 0; vector < ARRAY_LENGTH(exceptions); vector++) {
        if (exceptions[vector].mnemonic == NULL)
            continue;
        gates[vector] = (struct trap_info){vector, exceptions[vector].dpl | TI_MASK_EVENTS, FLAT_KERNEL_CS,
                                           (unsigned long)exception_entries[vector]};
        table[used++] = gates[vector];
    }
    table[used].address = 0;
    if (hypercall_set_trap_table(table) != 0)
        panic("set_trap_table failed");

    callbacks_init();
}

void trap_dispatch(struct trap_frame *frame);
void trap_dispatch(struct trap_frame *frame)
{
    if (frame->vector == VECTOR_EVENT) {
        event_upcall();
        return;
    }
    if (frame->vector < NR_VECTORS && handlers[frame->vector] != NULL && handlers[frame->vector](frame))
        return;
    print("\n%s not handled", exception_name(frame->vector));
    if (frame->vector == 14)
        print(" at address %0*lx", WORD_BITS / 4, this_cpu()->info->cr2);
    print(", error code %x, on vCPU %u\n", (unsigned)frame->error_code, this_cpu()->id);
    trap_dump(frame);
    domain_shutdown(SHUTDOWN_crash);
}

void trap_dump(const struct trap_frame *frame)
{
    registers_print(frame);
    /* What data accesses see there: a difference from the image says that memory or its mapping has changed. */
    if (frame->ip - (unsigned long)text_start < (unsigned long)(text_end - text_start) - 16) {
        print("code");
        for (unsigned i = 0; i < 16; i++)
            print(" %02x", ((const volatile uint8_t *)frame->ip)[i]);
        print("\n");
    }
}

void panic(const char *format, ...)
{
    va_list args;

    print("\npanic: ");
    va_start(args, format);
    vprint(format, args);
    va_end(args);
    print("\n");
    domain_shutdown(SHUTDOWN_crash);
}
