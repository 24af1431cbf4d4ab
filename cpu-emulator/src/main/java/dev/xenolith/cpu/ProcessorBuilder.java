package dev.xenolith.cpu;

import dev.xenolith.cpu.apic.ApicBus;
import dev.xenolith.cpu.interpret.Interpreter;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.paging.FlushClock;
import dev.xenolith.cpu.processor.Engine;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.time.MachineClock;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Makes the processors of one machine: they share memory, engine, clock and APIC bus. */
public final class ProcessorBuilder {
    /** Most processors that a machine can have. */
    public static final int MAX_PROCESSORS = 8;

    private final MachineClock clock;
    private final PhysicalMap map;
    private @Nullable Engine engine;
    private CpuModel model = CpuModel.intel();
    private int count = 1;
    private LongSupplier entropy = new SplittableRandom(0)::nextLong;

    /** Processors that find {@code map} at physical addresses. */
    public ProcessorBuilder(MachineClock clock, PhysicalMap map) {
        this.clock = clock;
        this.map = map;
    }

    /** The same with {@code engine} in place of an interpreter of their own. */
    public ProcessorBuilder(MachineClock clock, PhysicalMap map, Engine engine) {
        this(clock, map);
        this.engine = engine;
    }

    /** Which model the processors are; Intel's if not said. */
    public ProcessorBuilder model(CpuModel value) {
        model = value;
        return this;
    }

    /** How many processors, 1 to {@link #MAX_PROCESSORS}; 1 if not said. */
    public ProcessorBuilder count(int value) {
        if (value < 1 || value > MAX_PROCESSORS) {
            throw new IllegalArgumentException(value + " processors: a machine has 1 to " + MAX_PROCESSORS);
        }
        count = value;
        return this;
    }

    /** What RDRAND and RDSEED of all processors draw from, on the machine thread; the same numbers each time if not said. */
    public ProcessorBuilder entropy(LongSupplier value) {
        entropy = value;
        return this;
    }

    public Processors build() {
        Engine shared = engine != null ? engine : new Interpreter(map.memory(), model::has);
        FlushClock flushClock = new FlushClock();
        ApicBus bus = new ApicBus();
        List<Processor> processors = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Processor processor = new Processor(i, clock, shared, map, flushClock, model);
            processor.sharesTurns = count > 1;
            processor.entropy = entropy;
            bus.connect(processor.apic);
            processors.add(processor);
        }
        return new Processors(processors, map, bus, flushClock, model);
    }
}
