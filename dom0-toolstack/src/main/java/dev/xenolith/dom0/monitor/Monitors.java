package dev.xenolith.dom0.monitor;

import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.ProcessorMonitor;
import java.util.ArrayList;
import java.util.List;

/** Those who listen to the processors of one machine; without any, the processors tell nobody. Machine thread. */
public final class Monitors implements ProcessorMonitor {
    private final List<Processor> processors;
    private final List<ProcessorMonitor> all = new ArrayList<>();

    public Monitors(List<Processor> processors) {
        this.processors = processors;
    }

    public void add(ProcessorMonitor monitor) {
        all.add(monitor);
        processors.forEach(processor -> processor.monitor = this);
    }

    @Override
    public void interrupt(Processor p, int vector) {
        all.forEach(each -> each.interrupt(p, vector));
    }

    @Override
    public void exception(Processor p, int vector, int errorCode) {
        all.forEach(each -> each.exception(p, vector, errorCode));
    }

    @Override
    public void softwareInterrupt(Processor p, int vector) {
        all.forEach(each -> each.softwareInterrupt(p, vector));
    }

    @Override
    public void portAccess(Processor p, int port, int size, long value, boolean write) {
        all.forEach(each -> each.portAccess(p, port, size, value, write));
    }

    @Override
    public void deviceAccess(Processor p, long physical, int size, long value, boolean write) {
        all.forEach(each -> each.deviceAccess(p, physical, size, value, write));
    }
}
