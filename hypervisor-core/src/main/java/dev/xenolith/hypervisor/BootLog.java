package dev.xenolith.hypervisor;

import dev.xenolith.cpu.Processors;
import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.hypervisor.console.CommandLine;
import dev.xenolith.hypervisor.console.Log;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.operations.HostControl;
import dev.xenolith.hypervisor.schedule.Scheduler;
import java.util.Locale;

/** What the hypervisor says while it comes up, in the order and the words of Xen where they are true here. */
final class BootLog {
    private final Log log;

    BootLog(Log log) {
        this.log = log;
    }

    private void line(String format, Object... arguments) {
        log.print(String.format(Locale.ROOT, format, arguments));
    }

    void begin(HostControl.Version version, CommandLine commandLine) {
        line("Xen version %d.%d%s (%s) (%s) debug=n", version.major(), version.minor(), version.extra(),
                version.compileBy(),
                version.compiler());
        line("Command line: %s", commandLine.text());
        commandLine.remarks().forEach(log::print);
    }

    void memory(MemoryLayout layout, Memory memory) {
        line("Xen-e820 RAM map:");
        for (MemoryLayout.Region region : layout.regions()) {
            line(" [%016x, %016x] (%s)", region.start(), region.end() - 1,
                    region.kind() == MemoryLayout.Kind.RAM ? "usable" : "reserved");
        }
        long kilobytes = layout.ramBytes() >> 10;
        line("System RAM: %dMB (%dkB)", kilobytes >> 10, kilobytes);
        line("Domain heap initialised: %d pages, %d for the hypervisor", memory.freeFrames(),
                memory.hypervisorFrames());
    }

    void processors(Processors processors) {
        line("CPU: %s", processors.model().brand().strip());
        line("x2APIC mode enabled");
        line("Detected %.3f MHz processor.", processors.model().tscScale().kilohertz() / 1000.0);
        line("Platform timer is the local APIC's, by TSC deadline");
        line("HVM: not supported yet");
        line("I/O virtualisation disabled");
    }

    void scheduler(Scheduler scheduler, int processors) {
        line("Using scheduler: %s (%s)", scheduler.name(), scheduler.optionName());
        line("Brought up %d CPUs", processors);
        line("Scheduling granularity: cpu, 1 CPU per sched-resource");
    }

    void dom0(long pages, int vcpus) {
        line("Dom0 alloc.: %d pages", pages);
        line("Dom0 kernel: Java, its memory is the host process's heap");
        line("Dom0 has maximum %d VCPUs", vcpus);
        log.printLevels();
    }
}
