package dev.xenolith.cpu.processor;

/**
 * The slow path of a processor's loads and stores: what happens when the TLB has no entry. The processor's own port walks page
 * tables, refills the TLB and reaches RAM or devices; a scratch processor that emulates one instruction for the hypervisor has
 * the hypervisor's port and a TLB that stays empty.
 *
 * <p>Sizes are 1, 2, 4 or 8 bytes; an access may cross a page. A failing access records a fault in the processor and throws its
 * {@link GuestFault} before anything has changed.
 */
public interface MemoryPort {
    /** Loads {@code size} bytes at linear address {@code address}, zero-extended. */
    long load(Processor processor, long address, int size);

    /** Stores the low {@code size} bytes of {@code value} at linear address {@code address}. */
    void store(Processor processor, long address, int size, long value);

    /** Checks that {@code size} bytes at {@code address} can be written, as a store would, and changes nothing. */
    void probeStore(Processor processor, long address, int size);

    /**
     * Atomic compare and exchange for LOCKed instructions: if the {@code size} bytes at {@code address} equal {@code expected},
     * stores {@code value}. Always checks for write. Returns the value found.
     */
    long compareExchange(Processor processor, long address, int size, long expected, long value);

    /** Fetches {@code size} instruction bytes; with execute permission and the instruction-fetch bit in a fault's error code. */
    long fetch(Processor processor, long address, int size);
}
