package dev.xenolith.hypervisor;

import dev.xenolith.cpu.Processors;
import dev.xenolith.cpu.apic.LocalApic;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.hypervisor.domain.Dispatcher;

/**
 * The hypervisor's use of the local APICs: the timer in TSC-deadline mode is its only source of time, and interprocessor interrupts go
 * through the ICR (SDM 3A 11.5.4.1, 11.6.1). All in x2APIC mode, by MSR.
 */
final class ApicInterrupts implements Dispatcher.Interrupts {
    /** Vectors, with the numbers that Xen uses for the same. */
    static final int TIMER_VECTOR = 0xfa;
    static final int EVENT_CHECK_VECTOR = 0xfb;
    private static final int SPURIOUS_VECTOR = 0xff;

    private static final int MSR_EOI = 0x80b;
    private static final int MSR_SVR = 0x80f;
    private static final int MSR_ICR = 0x830;
    private static final int MSR_LVT_TIMER = 0x832;
    private static final int SVR_ENABLE = 1 << 8;
    private static final int LVT_TSC_DEADLINE = 2 << 17;

    private final Processors processors;
    private int sender;

    ApicInterrupts(Processors processors) {
        this.processors = processors;
        for (Processor processor : processors.all()) {
            LocalApic apic = processor.apic;
            long base = LocalApic.DEFAULT_BASE | LocalApic.BASE_ENABLE
                    | (processor.index == 0 ? LocalApic.BASE_BSP : 0);
            if (!apic.setBaseMsr(base, processor.model.physicalBits())
                    || !apic.setBaseMsr(base | LocalApic.BASE_X2APIC, processor.model.physicalBits())) {
                throw new IllegalStateException("processor " + processor.index + " has no x2APIC");
            }
            apic.writeMsr(MSR_SVR, SVR_ENABLE | SPURIOUS_VECTOR);
            apic.writeMsr(MSR_LVT_TIMER, LVT_TSC_DEADLINE | TIMER_VECTOR);
        }
    }

    /** Says which processor sends from now on: the one that executes. */
    void setSender(int processor) {
        sender = processor;
    }

    /** The end of an interrupt. */
    static void endOfInterrupt(Processor processor) {
        processor.apic.writeMsr(MSR_EOI, 0);
    }

    @Override
    public int processors() {
        return processors.count();
    }

    @Override
    public void interrupt(int processor) {
        long destination = processors.get(processor).apic.id();
        processors.get(sender).apic.writeMsr(MSR_ICR, destination << 32 | EVENT_CHECK_VECTOR);
    }

    @Override
    public void arm(int processor, long deadline) {
        LocalApic apic = processors.get(processor).apic;
        // Rounded up: an interrupt before the deadline would find nothing to do.
        apic.setTscDeadline(deadline == Long.MAX_VALUE ? 0 : processors.model().tscScale().ticks(deadline) + 1);
    }
}
