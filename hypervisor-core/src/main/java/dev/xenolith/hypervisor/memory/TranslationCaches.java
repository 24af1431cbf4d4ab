package dev.xenolith.hypervisor.memory;

/** The TLBs of the machine's processors, as far as memory management needs them. Effects are complete on return. */
public interface TranslationCaches {
    /** Number of processors, at most 64; they are numbered from 0. */
    int processors();

    /** A counter that moves with each complete flush of any processor ({@link dev.xenolith.cpu.paging.FlushClock}). */
    long now();

    /** Value of the counter after the latest complete flush of {@code processor}. */
    long flushStamp(int processor);

    /** Drops every translation of {@code processor}: all address spaces, global ones too. */
    void flush(int processor);

    /** Drops the translations of the page at linear address {@code address} on {@code processor}, in all address spaces. */
    void invalidate(int processor, long address);
}
