package dev.xenolith.hypervisor.pv;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.memory.GuestLinear;
import org.jspecify.annotations.Nullable;

/** One processor as PV guests use it: whose registers it holds, and the door to that guest's memory. */
public final class PvProcessor {
    public final Processor cpu;
    /** Memory of the loaded vCPU in its present mode. */
    public final GuestLinear memory;
    @Nullable
    Vcpu loaded;

    PvProcessor(Processor cpu, PhysicalMemory ram) {
        this.cpu = cpu;
        this.memory = new GuestLinear(cpu.mmu(), ram);
    }
}
