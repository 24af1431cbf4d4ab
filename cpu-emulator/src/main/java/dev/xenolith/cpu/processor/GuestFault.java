package dev.xenolith.cpu.processor;

/**
 * Leaves an instruction that cannot complete: thrown by memory access and by system instructions, caught by the engine's
 * block loop, and where a fault while delivering another one makes a double fault. Preallocated, without a stack trace; the particulars are in the processor's {@code fault*} fields.
 */
public final class GuestFault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    GuestFault() {
        super(null, null, false, false);
    }
}
