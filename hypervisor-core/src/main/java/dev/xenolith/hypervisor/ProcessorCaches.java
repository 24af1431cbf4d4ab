package dev.xenolith.hypervisor;

import dev.xenolith.cpu.Processors;
import dev.xenolith.hypervisor.memory.TranslationCaches;

/** The processors' TLBs, for memory management. */
final class ProcessorCaches implements TranslationCaches {
    private final Processors processors;

    ProcessorCaches(Processors processors) {
        this.processors = processors;
    }

    @Override
    public int processors() {
        return processors.count();
    }

    @Override
    public long now() {
        return processors.flushClock().now();
    }

    @Override
    public long flushStamp(int processor) {
        return processors.get(processor).mmu().tlb.flushStamp();
    }

    @Override
    public void flush(int processor) {
        processors.get(processor).flushAll();
    }

    @Override
    public void invalidate(int processor, long address) {
        processors.get(processor).flushPage(address);
    }
}
