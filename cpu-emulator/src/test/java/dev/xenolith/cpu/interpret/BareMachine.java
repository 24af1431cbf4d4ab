package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.Processors;
import dev.xenolith.cpu.ProcessorBuilder;
import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.cpu.translate.Translation;
import java.util.HexFormat;

/** A bare processor with 4 MiB of memory, about to execute at 0000:1000 in real-address mode with its stack below that. */
final class BareMachine implements AutoCloseable {
    static final int CODE = 0x1000;
    final PhysicalMemory memory = new PhysicalMemory(MemoryLayout.flat(4 << 20));
    final Interpreter engine;
    final Processor cpu;

    BareMachine() {
        this(CpuModel.intel());
    }

    BareMachine(CpuModel model) {
        engine = new Interpreter(memory, model::has);
        Translation.byDefault().install(engine, model::has);
        Processors processors = new ProcessorBuilder(new MachineClock(), new PhysicalMap(memory), engine).model(model)
                .build();
        cpu = processors.get(0);
        cpu.reset();
        cpu.segmentSelector[Processor.CS] = 0;
        cpu.segmentBase[Processor.CS] = 0;
        cpu.rip = CODE;
        cpu.gpr[Processor.RSP] = CODE;
        cpu.updateContext();
    }

    void code(long address, String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
        memory.copyIn(bytes, 0, address, bytes.length);
    }

    @Override
    public void close() {
        memory.close();
    }
}
