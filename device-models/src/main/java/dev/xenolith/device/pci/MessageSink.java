package dev.xenolith.device.pci;

/** Where message signalled interrupts go: the writes by which functions interrupt (PCI Local Bus Specification 3.0, 6.8). */
@FunctionalInterface
public interface MessageSink {
    /** Nobody listens. */
    MessageSink NONE = (address, data) -> {};

    /** A write of the 32 bits {@code data} at {@code address}. */
    void write(long address, int data);
}
