package dev.xenolith.cpu;

import dev.xenolith.cpu.apic.ApicBus;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.paging.FlushClock;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.ProcessorSnapshot;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;

/**
 * The processors of a machine and what they share.
 *
 * @param all in the order of their indices
 * @param map what stands at which physical address
 * @param apicBus carries interrupts to and between them
 * @param flushClock orders their TLB flushes
 */
public record Processors(List<Processor> all, PhysicalMap map, ApicBus apicBus, FlushClock flushClock, CpuModel model) {
    /** A mask of every processor. */
    public static final long ALL = -1;

    public Processors {
        all = List.copyOf(all);
    }

    public int count() {
        return all.size();
    }

    public Processor get(int index) {
        return all.get(index);
    }

    /**
     * Does {@code action} on the processors whose bits are set in {@code mask}; returns when no target can execute another
     * instruction without having done it. They take turns on the machine thread, so it is done here and now.
     */
    public void on(long mask, Consumer<Processor> action) {
        for (Processor processor : all) {
            if ((mask >>> processor.index & 1) != 0) {
                action.accept(processor);
            }
        }
    }

    /** Machine time at which the first APIC timer expires, {@link Long#MAX_VALUE} if none is armed. */
    public long nextDeadline() {
        long first = Long.MAX_VALUE;
        for (int i = 0; i < all.size(); i++) {
            first = Math.min(first, all.get(i).apic.nextDeadline());
        }
        return first;
    }

    /** Writes the state of every processor; memory and clock are the machine's to save. */
    public void save(DataOutput out) throws IOException {
        for (Processor processor : all) {
            ProcessorSnapshot.save(processor, out);
        }
    }

    /** Restores what {@link #save} wrote; the clock has been set to the time of the save before. */
    public void restore(DataInput in) throws IOException {
        for (Processor processor : all) {
            ProcessorSnapshot.restore(processor, in);
        }
    }
}
