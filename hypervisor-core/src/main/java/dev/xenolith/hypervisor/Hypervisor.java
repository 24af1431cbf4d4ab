package dev.xenolith.hypervisor;

import dev.xenolith.cpu.Processors;
import dev.xenolith.cpu.decode.OpcodeTable;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.device.board.Machine;
import dev.xenolith.device.board.Supervisor;
import dev.xenolith.hypervisor.abi.EventChannel;
import dev.xenolith.hypervisor.abi.Hypercall;
import dev.xenolith.hypervisor.console.CommandLine;
import dev.xenolith.hypervisor.console.Log;
import dev.xenolith.hypervisor.console.XenVersion;
import dev.xenolith.hypervisor.control.Handles;
import dev.xenolith.hypervisor.control.VcpuContexts;
import dev.xenolith.hypervisor.domain.Dispatcher;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.DomainGrants;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.JavaVcpu;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.hypercall.CompatOp;
import dev.xenolith.hypervisor.hypercall.ConsoleIo;
import dev.xenolith.hypervisor.hypercall.Controls;
import dev.xenolith.hypervisor.hypercall.DomctlOp;
import dev.xenolith.hypervisor.hypercall.EventChannelOp;
import dev.xenolith.hypervisor.hypercall.Hypercalls;
import dev.xenolith.hypervisor.hypercall.MemoryHandlers;
import dev.xenolith.hypervisor.hypercall.PlatformOp;
import dev.xenolith.hypervisor.hypercall.SchedOp;
import dev.xenolith.hypervisor.hypercall.SetTimerOp;
import dev.xenolith.hypervisor.hypercall.SplitArguments;
import dev.xenolith.hypervisor.hypercall.SysctlOp;
import dev.xenolith.hypervisor.hypercall.XenVersionOp;
import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.HostControl;
import dev.xenolith.hypervisor.paging.Audit;
import dev.xenolith.hypervisor.paging.PageTypes;
import dev.xenolith.hypervisor.paging.TableUpdates;
import dev.xenolith.hypervisor.pv.ContextSwitch;
import dev.xenolith.hypervisor.pv.CpuPolicies;
import dev.xenolith.hypervisor.pv.GuestContext;
import dev.xenolith.hypervisor.pv.PvExecution;
import dev.xenolith.hypervisor.pv.PvHypercalls;
import dev.xenolith.hypervisor.pv.PvProcessor;
import dev.xenolith.hypervisor.pv.PvTime;
import dev.xenolith.hypervisor.pv.RegisterDump;
import dev.xenolith.hypervisor.pv.WritableTables;
import dev.xenolith.hypervisor.schedule.Credit2;
import dev.xenolith.hypervisor.time.Charges;
import dev.xenolith.hypervisor.time.PvClock;
import dev.xenolith.hypervisor.trace.Trace;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The hypervisor: boots on a machine, owns its processors, and gives each turn of one to the vCPU that the scheduler chooses.
 *
 * <p>It depends on the processors' architectural state alone: it programs their control registers, local APICs and page tables, and
 * learns what guests do from the stops of {@code run(n)}. A defect that shows while a guest is served costs that guest its life and
 * nobody else's ({@link #contain}).
 */
public final class Hypervisor implements Supervisor {
    private static final int DOM0 = 0;
    private static final long DEFAULT_DOM0_KIB = 32 << 10;
    private static final int DOM0_MAX_PORT = EventChannel.EVTCHN_FIFO_NR_CHANNELS - 1;
    private static final long NANOS = 1_000_000_000L;
    /** A machine that shows more defects than this does nothing useful any more. */
    private static final long MOST_BUGS = 1000;

    private final Machine machine;
    private final MachineClock clock;
    private final Log log;
    private final Trace trace;
    private final Memory memory;
    private final ApicInterrupts interrupts;
    private final Dispatcher dispatcher;
    private final Domains domains;
    private final PvExecution pv;
    private final Hypercalls[] hypercalls;
    private final Audit audit;
    private final Handles handles;
    private final Domain dom0;

    /** Brings the hypervisor up on {@code machine}, which must not have been started; domain 0 exists and runs when this returns. */
    public static Hypervisor boot(Machine machine, String commandLine, long wallClockSeconds,
            Consumer<String> console) {
        return bootWith(Checks.ALL, machine, commandLine, wallClockSeconds, console);
    }

    /** As {@link #boot}, with checks of which a test has disabled one. */
    public static Hypervisor bootWith(Checks checks, Machine machine, String commandLine, long wallClockSeconds,
            Consumer<String> console) {
        return new Hypervisor(machine, CommandLine.parse(commandLine), wallClockSeconds, console, checks);
    }

    private Hypervisor(Machine machine, CommandLine options, long wallClockSeconds, Consumer<String> console,
            Checks checks) {
        this.machine = machine;
        this.clock = machine.clock();
        Processors processors = machine.processorSet();
        PhysicalMemory ram = machine.memory();
        HostControl.Version version = XenVersion.of(options.text());
        log = new Log(options.ringSize(), options.standard(), options.guest(), clock::now, console);
        trace = new Trace(clock, processors.count());
        BootLog boot = new BootLog(log);
        boot.begin(version, options);

        memory = new Memory(ram, new ProcessorCaches(processors), checks);
        // The processor models say RDCL_NO: entries that are not present may hold anything.
        PageTypes types = new PageTypes(memory, false, processors.model().physicalBits());
        TableUpdates updates = new TableUpdates(types);
        boot.memory(ram.layout(), memory);

        interrupts = new ApicInterrupts(processors);
        boot.processors(processors);
        Credit2.Parameters credit2 = options.ratelimitMicros().isPresent()
                ? new Credit2.Parameters(options.ratelimitMicros().getAsInt() * 1000L,
                        Credit2.Parameters.DEFAULT.capPeriod(),
                        Credit2.Parameters.DEFAULT.queuePerProcessor())
                : Credit2.Parameters.DEFAULT;
        dispatcher = new Dispatcher(clock, interrupts, trace, control -> new Credit2(control, credit2));
        boot.scheduler(dispatcher.scheduler(), processors.count());

        domains = new Domains(clock, dispatcher, types, updates, log, trace);
        domains.onMachineEnd(machine::stop);
        DomainGrants grants = new DomainGrants(domains);
        domains.addHolder(grants);
        ContextSwitch contexts = new ContextSwitch(processors.all(), ram, new RegisterDump(log, ram));
        int page14 = hypervisorFrame();
        int page15 = hypervisorFrame();
        ReservedDescriptors.write(ram, page14);
        int compatPage14 = hypervisorFrame();
        ReservedDescriptors.writeCompat(ram, compatPage14);
        domains.setVcpuState(contexts, page14, page15, compatPage14);
        long initialRoot = (long) hypervisorFrame() << PhysicalMemory.FRAME_SHIFT;
        for (Processor processor : processors.all()) {
            ContextSwitch.prepare(processor, initialRoot);
        }
        PvTime time = new PvTime(clock, ram, new PvClock(processors.model().tscScale(), wallClockSeconds * NANOS),
                processors.get(0).mmu());
        pv = new PvExecution(domains, contexts, time, OpcodeTable.load(), new Stops());
        pv.setTableWrites(new WritableTables(domains, clock, processors.model()));
        ConsoleIo consoleIo = new ConsoleIo(log);
        domains.onEnd(consoleIo::forget);
        Hypercalls.Table table = new Hypercalls.Table()
                .add(Hypercall.EVENT_CHANNEL_OP, new EventChannelOp(domains.events))
                .add(Hypercall.SCHED_OP, new SchedOp(domains)).add(Hypercall.XEN_VERSION, new XenVersionOp(version))
                .add(Hypercall.CONSOLE_IO, consoleIo).add(Hypercall.SET_TIMER_OP, new SetTimerOp())
                .addCompat(Hypercall.SET_TIMER_OP, new SplitArguments(new SetTimerOp(), 0, 1));
        PvHypercalls.addTo(table, domains, pv);
        CompatOp.addTo(table, domains);
        audit = new Audit(domains.types);
        CpuPolicies policies = new CpuPolicies(processors.get(0));
        handles = new Handles(clock, domains, grants, vcpuContexts(new GuestContext(domains, contexts)), log, trace,
                version, processors, audit, policies::of);
        Controls controls = new Controls(handles::control, handles::host);
        int physicalBits = processors.model().physicalBits();
        MemoryHandlers.addTo(table, domains, grants, controls);
        table.add(Hypercall.DOMCTL, new DomctlOp(domains, controls, physicalBits))
                .add(Hypercall.SYSCTL,
                        new SysctlOp(controls, processors.count(), memory.frames().size(), physicalBits))
                .add(Hypercall.PLATFORM_OP, new PlatformOp());
        hypercalls = new Hypercalls[processors.count()];
        for (int i = 0; i < hypercalls.length; i++) {
            hypercalls[i] = new Hypercalls(table, clock, trace, domains.preemption);
        }

        AuditHolders.register(audit, domains, grants);
        dom0 = createDom0(options);
        boot.dom0(dom0.memory.totalPages(), dom0.vcpus.length);
    }

    private static VcpuContexts vcpuContexts(GuestContext contexts) {
        return new VcpuContexts() {
            @Override
            public int set(Vcpu vcpu, byte[] context) {
                return contexts.set(vcpu, context);
            }

            @Override
            public byte[] get(Vcpu vcpu) {
                return contexts.get(vcpu);
            }
        };
    }

    private int hypervisorFrame() {
        int frame = memory.allocateHypervisorFrame();
        if (frame < 0) {
            throw new IllegalStateException("not enough memory even for the hypervisor");
        }
        return frame;
    }

    private Domain createDom0(CommandLine options) {
        int vcpus = options.dom0MaxVcpus().orElse(1);
        int rc = domains.create(DOM0,
                new Domain.Parameters(new UUID(0, 0), Domain.Kind.JAVA, true, vcpus, DOM0_MAX_PORT));
        Domain domain = domains.table.find(DOM0);
        if (rc < 0 || domain == null) {
            throw new IllegalStateException("domain 0 cannot be created: error " + rc);
        }
        long pages = options.dom0MemoryKiB().orElse(DEFAULT_DOM0_KIB) / 4;
        domain.memory.setMaxPages(pages);
        for (long i = 0; i < pages; i++) {
            if (memory.allocatePage(domain.memory) < 0) {
                throw new IllegalStateException("dom0_mem: " + pages / 256 + " MiB for domain 0 are not there");
            }
        }
        for (Vcpu vcpu : domain.vcpus) {
            dispatcher.up(vcpu);
        }
        domains.unpauseByController(domain);
        return domain;
    }

    // ---- what the embedding host sees ----

    /** The door of domain 0. */
    public DomainHandle dom0() {
        return handles.of(dom0);
    }

    /** Re-derives every reference and type count and compares; returns what is wrong. For tests and debugging: it takes long. */
    public List<String> audit() {
        return audit.run();
    }

    /** Digest of all memory that domain {@code domid} owns, and of which frames these are; 0 if there is no such domain. */
    public long memoryDigest(int domid) {
        Domain domain = domains.table.find(domid);
        long digest = 0;
        if (domain != null) {
            int mfn = domain.memory.firstPage();
            for (; mfn != FrameTable.NO_FRAME; mfn = memory.nextPage(mfn)) {
                digest = digest * 31 + mfn;
                digest = digest * 31 + memory.ram().digest((long) mfn << PhysicalMemory.FRAME_SHIFT,
                        PhysicalMemory.FRAME_SIZE);
            }
        }
        return digest;
    }

    /** How many hypercalls domain {@code domid} has made; 0 if there is no such domain. */
    public long hypercalls(int domid) {
        Domain domain = domains.table.find(domid);
        long count = 0;
        if (domain != null) {
            for (Vcpu vcpu : domain.vcpus) {
                count += vcpu.hypercalls;
            }
        }
        return count;
    }

    /** How many hypercalls there have been, of all domains. */
    public long hypercalls() {
        long count = 0;
        for (Hypercalls ofProcessor : hypercalls) {
            count += ofProcessor.executed();
        }
        return count;
    }

    /** Defects of our own that have shown; see {@code xl dmesg}. */
    public long bugs() {
        return log.bugs();
    }

    /** Hash over all trace records so far: equal for equal runs. */
    public long traceDigest() {
        return trace.digest();
    }

    // ---- turns ----

    @Override
    public boolean turn(Processor processor, long budget) {
        int index = processor.index;
        long end = clock.now() + budget;
        interrupts.setSender(index);
        dispatcher.setExecuting(index);
        domains.preemption.beginTurn(index, end);
        try {
            boolean busy = false;
            do {
                serviceInterrupts(processor);
                Vcpu vcpu = choose(index);
                if (vcpu == null) {
                    return busy;
                }
                busy = true;
                if (vcpu.domain.kind == Domain.Kind.PV) {
                    if (!pv.run(vcpu, index, end)) {
                        return true;
                    }
                } else {
                    runHandlers(vcpu, index, end);
                }
            } while (clock.now() < end);
            return busy;
        } finally {
            dispatcher.setExecuting(-1);
        }
    }

    private @Nullable Vcpu choose(int index) {
        Vcpu current = dispatcher.current(index);
        if (current != null && current.isRunnable() && !dispatcher.scheduleRequested(index)) {
            return current;
        }
        Vcpu next = dispatcher.schedule(index);
        if (next != null && next != current) {
            clock.advance(Charges.SWITCH);
            if (next.domain.kind == Domain.Kind.PV) {
                pv.enter(next, index);
            }
        }
        return next;
    }

    /** Runs handlers of a Java domain until there is none, or its time is up. */
    private void runHandlers(Vcpu vcpu, int index, long end) {
        JavaVcpu java = vcpu.java();
        while (vcpu.isRunnable() && !dispatcher.scheduleRequested(index) && clock.now() < end) {
            if (!java.isReady()) {
                dispatcher.block(vcpu);
                return;
            }
            clock.advance(Charges.HANDLER);
            java.runNext();
            machine.settle();
        }
    }

    /** Takes what the local APIC has for us while no guest runs. */
    private void serviceInterrupts(Processor processor) {
        if (processor.apic.nextDeadline() <= clock.now()) {
            processor.apic.expire();
        }
        while (processor.apic.hasInterrupt()) {
            interrupt(processor, processor.apic.acknowledge());
        }
    }

    private void interrupt(Processor processor, int vector) {
        clock.advance(Charges.INTERRUPT);
        ApicInterrupts.endOfInterrupt(processor);
        if (vector == ApicInterrupts.TIMER_VECTOR) {
            dispatcher.timers(processor.index).expire(clock.now());
        } else if (vector != ApicInterrupts.EVENT_CHECK_VECTOR) {
            log.warning("CPU" + processor.index + ": unexpected interrupt vector 0x" + Integer.toHexString(vector));
        }
    }

    /** What stops of hosted runs need from up here. */
    private final class Stops implements PvExecution.Handler {
        @Override
        public void hypercall(PvProcessor processor, Vcpu vcpu) {
            hypercalls[processor.cpu.index].execute(vcpu, processor.cpu, processor.memory);
        }

        @Override
        public void interrupt(Processor processor, int vector) {
            Hypervisor.this.interrupt(processor, vector);
        }

        @Override
        public void ran() {
            machine.settle();
        }
    }

    @Override
    public boolean contain(Processor processor, Throwable bug) {
        boolean machineIsLost = bug instanceof VirtualMachineError && !(bug instanceof StackOverflowError);
        if (machineIsLost || log.bugs() >= MOST_BUGS) {
            return false;
        }
        Vcpu current = dispatcher.current(processor.index);
        if (current == null) {
            log.bug("no domain was running on CPU" + processor.index, bug);
        } else {
            log.bug(current + " was running on CPU" + processor.index, bug);
            if (current.domain.kind == Domain.Kind.PV) {
                domains.quarantine(current.domain);
            } else if (!current.domain.privileged) {
                // A driver domain's own code: nobody else need know of it.
                domains.crash(current.domain, "a handler failed: " + bug);
            }
        }
        return true;
    }
}
