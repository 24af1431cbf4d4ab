package dev.xenolith.cpu.processor;

/**
 * Told of what a bare processor does besides executing instructions: exceptions, interrupts and accesses to devices. Who listens must not
 * change anything. See {@link Processor#monitor}.
 */
public interface ProcessorMonitor {
    /** An external interrupt or NMI (vector 2) is delivered; RIP is where it interrupts. */
    void interrupt(Processor p, int vector);

    /**
     * An exception is delivered at RIP; a fault on the way to its handler is another call.
     *
     * @param errorCode what is pushed, if the vector has one; CR2 has been written
     */
    void exception(Processor p, int vector, int errorCode);

    /** INT n, INT3, INTO or INT1 goes to its handler; RIP is after it. */
    void softwareInterrupt(Processor p, int vector);

    /**
     * IN or OUT.
     *
     * @param size bytes: 1, 2 or 4
     * @param value what was read or is to be written, zero-extended
     */
    void portAccess(Processor p, int port, int size, long value, boolean write);

    /** An access to physical addresses that are no memory: those of a device, of the local APIC, or of nothing. */
    void deviceAccess(Processor p, long physical, int size, long value, boolean write);
}
