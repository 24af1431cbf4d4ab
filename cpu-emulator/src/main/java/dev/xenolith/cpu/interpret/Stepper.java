package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.decode.OpcodeTable;
import dev.xenolith.cpu.processor.Engine;
import dev.xenolith.cpu.processor.GuestFault;
import dev.xenolith.cpu.processor.Processor;
import java.util.function.Predicate;

/**
 * Executes one instruction after another, each fetched through the processor's {@link dev.xenolith.cpu.processor.MemoryPort}
 * and forgotten: the engine of scratch processors, which emulate single instructions for a hypervisor, and what executes code
 * that is not in memory.
 */
public final class Stepper implements Engine {
    private final OpFactory factory;
    private final InstructionFetcher fetcher;

    /** A stepper of the instructions that a processor with the CPUID features {@code hasFeature} has. */
    public Stepper(Predicate<String> hasFeature) {
        OpcodeTable table = OpcodeTable.load();
        factory = new OpFactory(table);
        fetcher = new InstructionFetcher(new Decoder(table, hasFeature));
    }

    Stepper(OpFactory factory, Decoder decoder) {
        this.factory = factory;
        fetcher = new InstructionFetcher(decoder);
    }

    @Override
    public void execute(Processor p, long budget) {
        long end = p.retired + budget;
        while (p.poll == 0 && p.retired < end) {
            step(p, end);
        }
    }

    /** Executes the instruction at RIP; a repeated one until {@code retired} is {@code end}. */
    void step(Processor p, long end) {
        long rip = p.wrap(p.rip);
        p.rip = rip;
        p.retireLimit = end;
        p.precise = true;
        DecodedInstruction instruction = null;
        try {
            instruction = fetcher.fetch(p);
            Op op = factory.make(instruction, p.codeContext);
            p.gpr[Processor.PAGE] = rip & -4096;
            p.instructionStart = rip;
            p.rip = rip + instruction.length;
            p.retired++;
            op.exec(p);
        } catch (GuestFault fault) {
            p.rip = rip;
            if (instruction == null) {
                p.fault(0);
            } else {
                p.retired--;
                Faults.deliver(p, instruction);
            }
        } finally {
            p.precise = false;
        }
    }

    @Override
    public void invalidateFrame(long frame) {
        // Keeps nothing.
    }

    @Override
    public void addressSpaceChanged(Processor processor) {
        // Keeps nothing.
    }
}
