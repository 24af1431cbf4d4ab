package dev.xenolith.hypervisor.pv;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.ProcessorBuilder;
import dev.xenolith.cpu.Processors;
import dev.xenolith.cpu.decode.OpcodeTable;
import dev.xenolith.cpu.interpret.Interpreter;
import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.cpu.translate.Translation;
import dev.xenolith.hypervisor.AuditHolders;
import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.abi.Hypercall;
import dev.xenolith.hypervisor.console.Log;
import dev.xenolith.hypervisor.console.LogLevel;
import dev.xenolith.hypervisor.console.LogThreshold;
import dev.xenolith.hypervisor.console.XenVersion;
import dev.xenolith.hypervisor.control.Handles;
import dev.xenolith.hypervisor.control.VcpuContexts;
import dev.xenolith.hypervisor.domain.Dispatcher;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.DomainGrants;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.hypercall.CompatOp;
import dev.xenolith.hypervisor.hypercall.Controls;
import dev.xenolith.hypervisor.hypercall.DomctlOp;
import dev.xenolith.hypervisor.hypercall.EventChannelOp;
import dev.xenolith.hypervisor.hypercall.Hypercalls;
import dev.xenolith.hypervisor.hypercall.MemoryHandlers;
import dev.xenolith.hypervisor.hypercall.PlatformOp;
import dev.xenolith.hypervisor.hypercall.SchedOp;
import dev.xenolith.hypervisor.hypercall.SetTimerOp;
import dev.xenolith.hypervisor.hypercall.SysctlOp;
import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.memory.Preempt;
import dev.xenolith.hypervisor.memory.TranslationCaches;
import dev.xenolith.hypervisor.paging.Audit;
import dev.xenolith.hypervisor.paging.ExtendedOperations;
import dev.xenolith.hypervisor.paging.PageTypes;
import dev.xenolith.hypervisor.paging.PagingContext;
import dev.xenolith.hypervisor.paging.TableUpdates;
import dev.xenolith.hypervisor.schedule.Credit2;
import dev.xenolith.hypervisor.time.PvClock;
import dev.xenolith.hypervisor.trace.Trace;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;

/** Real processors with the PV layer on them, without a machine thread: {@link #run} takes turns until all is idle. */
final class PvMachine implements AutoCloseable {
    private static final int TIMER = 0xfa;
    private static final int EVENT_CHECK = 0xfb;
    private static final long TURN = 50_000;

    final MachineClock clock = new MachineClock();
    final PhysicalMemory ram = new PhysicalMemory(MemoryLayout.flat(64 << 20));
    final List<String> console = new ArrayList<>();
    final Log log = new Log(1 << 16, LogThreshold.STANDARD, new LogThreshold(LogLevel.DEBUG, LogLevel.DEBUG),
            clock::now, console::add);
    final Processors processors;
    final Trace trace;
    final Memory memory;
    final Dispatcher dispatcher;
    final Domains domains;
    final ContextSwitch contexts;
    final PvExecution pv;
    final GuestContext guestContext;
    final Hypercalls[] hypercalls;
    final Audit audit;
    private final DomainGrants grants;

    PvMachine(int count, CpuModel model) {
        PhysicalMap map = new PhysicalMap(ram);
        Interpreter interpreter = new Interpreter(ram, model::has);
        Translation.byDefault().install(interpreter, model::has);
        processors = new ProcessorBuilder(clock, map, interpreter).model(model).count(count).build();
        trace = new Trace(clock, count);
        memory = new Memory(ram, new Caches(), Checks.ALL);
        PageTypes types = new PageTypes(memory, false, model.physicalBits());
        TableUpdates updates = new TableUpdates(types);
        dispatcher = new Dispatcher(clock, new Apics(), trace,
                control -> new Credit2(control, Credit2.Parameters.DEFAULT));
        domains = new Domains(clock, dispatcher, types, updates, log, trace);
        grants = new DomainGrants(domains);
        domains.addHolder(grants);
        contexts = new ContextSwitch(processors.all(), ram, new RegisterDump(log, ram));
        int page14 = memory.allocateHypervisorFrame();
        int page15 = memory.allocateHypervisorFrame();
        long flat = ((long) page14 << 12) - ArchX86.FIRST_RESERVED_GDT_BYTE;
        ram.write64(flat + (ArchX86.FLAT_RING3_CS32 & ~7), 0x00cf_fb00_0000_ffffL);
        ram.write64(flat + (ArchX86.FLAT_RING3_DS32 & ~7), 0x00cf_f300_0000_ffffL);
        ram.write64(flat + (ArchX86.FLAT_RING3_CS64 & ~7), 0x00af_fb00_0000_ffffL);
        domains.setVcpuState(contexts, page14, page15, page14);
        long root = (long) memory.allocateHypervisorFrame() << 12;
        for (Processor processor : processors.all()) {
            ContextSwitch.prepare(processor, root);
        }
        PvTime time = new PvTime(clock, ram, new PvClock(model.tscScale(), 0), processors.get(0).mmu());
        pv = new PvExecution(domains, contexts, time, OpcodeTable.load(), new Stops());
        guestContext = new GuestContext(domains, contexts);
        Hypercalls.Table table = new Hypercalls.Table()
                .add(Hypercall.EVENT_CHANNEL_OP, new EventChannelOp(domains.events))
                .add(Hypercall.SCHED_OP, new SchedOp(domains)).add(Hypercall.SET_TIMER_OP, new SetTimerOp());
        PvHypercalls.addTo(table, domains, pv);
        CompatOp.addTo(table, domains);
        audit = new Audit(domains.types);
        AuditHolders.register(audit, domains, grants);
        Controls controls = controls(model);
        MemoryHandlers.addTo(table, domains, grants, controls);
        table.add(Hypercall.DOMCTL, new DomctlOp(domains, controls, model.physicalBits()))
                .add(Hypercall.SYSCTL,
                        new SysctlOp(controls, count, memory.frames().size(), model.physicalBits()))
                .add(Hypercall.PLATFORM_OP, new PlatformOp());
        hypercalls = new Hypercalls[count];
        for (int i = 0; i < count; i++) {
            hypercalls[i] = new Hypercalls(table, clock, trace, domains.preemption);
        }
    }

    private Controls controls(CpuModel model) {
        VcpuContexts states = new VcpuContexts() {
            @Override
            public int set(Vcpu vcpu, byte[] context) {
                return guestContext.set(vcpu, context);
            }

            @Override
            public byte[] get(Vcpu vcpu) {
                return guestContext.get(vcpu);
            }
        };
        Handles handles = new Handles(clock, domains, grants, states, log, trace, XenVersion.of(""), processors, audit,
                new CpuPolicies(processors.get(0))::of);
        return new Controls(handles::control, handles::host);
    }

    private final class Caches implements TranslationCaches {
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

    private final class Apics implements Dispatcher.Interrupts {
        Apics() {
            for (Processor processor : processors.all()) {
                long base = 0xfee0_0800L | (processor.index == 0 ? 0x100 : 0);
                assertThat(processor.apic.setBaseMsr(base, 46)).isTrue();
                assertThat(processor.apic.setBaseMsr(base | 0x400, 46)).isTrue();
                processor.apic.writeMsr(0x80f, 0x1ff);
                processor.apic.writeMsr(0x832, 2 << 17 | TIMER);
            }
        }

        @Override
        public int processors() {
            return processors.count();
        }

        @Override
        public void interrupt(int processor) {
            processors.get(0).apic.writeMsr(0x830, (long) processors.get(processor).apic.id() << 32 | EVENT_CHECK);
        }

        @Override
        public void arm(int processor, long deadline) {
            processors.get(processor).apic.setTscDeadline(
                    deadline == Long.MAX_VALUE ? 0 : processors.model().tscScale().ticks(deadline) + 1);
        }
    }

    private final class Stops implements PvExecution.Handler {
        @Override
        public void hypercall(PvProcessor processor, Vcpu vcpu) {
            hypercalls[processor.cpu.index].execute(vcpu, processor.cpu, processor.memory);
        }

        @Override
        public void interrupt(Processor processor, int vector) {
            processor.apic.writeMsr(0x80b, 0);
            if (vector == TIMER) {
                dispatcher.timers(processor.index).expire(clock.now());
            } else {
                assertThat(vector).isEqualTo(EVENT_CHECK);
            }
        }

        @Override
        public void ran() {
        }
    }

    /** Takes turns for {@code duration} ns of machine time, skipping idle time, or until nothing is left to happen. */
    void run(long duration) {
        long end = clock.now() + duration;
        Stops stops = new Stops();
        while (clock.now() < end) {
            boolean busy = false;
            for (Processor processor : processors.all()) {
                busy |= turn(processor, stops);
            }
            if (!busy) {
                long next = processors.nextDeadline();
                if (next >= end) {
                    return;
                }
                clock.advanceTo(next);
            }
        }
    }

    private boolean turn(Processor processor, Stops stops) {
        int index = processor.index;
        long end = clock.now() + TURN;
        dispatcher.setExecuting(index);
        domains.preemption.beginTurn(index, end);
        if (processor.apic.nextDeadline() <= clock.now()) {
            processor.apic.expire();
        }
        while (processor.apic.hasInterrupt()) {
            stops.interrupt(processor, processor.apic.acknowledge());
        }
        Vcpu current = dispatcher.current(index);
        if (current == null || !current.isRunnable() || dispatcher.scheduleRequested(index)) {
            Vcpu next = dispatcher.schedule(index);
            if (next != null && next != current) {
                pv.enter(next, index);
            }
            current = next;
        }
        if (current != null) {
            pv.run(current, index, end);
        }
        dispatcher.setExecuting(-1);
        return current != null;
    }

    /** A PV domain with room for {@code vcpus} and {@code pages} pages, paused. */
    Guest guest(int vcpus, int pages) {
        return guest(vcpus, pages, false);
    }

    /** As {@link #guest(int, int)}; it may have the privilege. */
    Guest guest(int vcpus, int pages, boolean privileged) {
        int domid = domains.create(new Domain.Parameters(new UUID(1, 2), Domain.Kind.PV, privileged, vcpus, 1023));
        assertThat(domid).isPositive();
        return new Guest(Objects.requireNonNull(domains.table.find(domid)), pages);
    }

    /**
     * A guest whose pages are mapped in order from {@link #BASE}, writable, but for its page tables at the end; in user mode the
     * same tables serve. Code is assembled by the test.
     */
    final class Guest {
        static final long BASE = 0xffff_ffff_8000_0000L;
        /** Pages for tables: L4, L3, L2, L1, and a second L4 for user mode. */
        private static final int TABLES = 5;
        /** Page where shared_info is mapped. */
        static final int SHARED_INFO = 100;

        final Domain domain;
        final int[] mfn;
        final int dataPages;

        Guest(Domain domain, int pages) {
            this.domain = domain;
            domain.memory.setMaxPages(pages);
            mfn = new int[pages];
            for (int i = 0; i < pages; i++) {
                mfn[i] = memory.allocatePage(domain.memory);
                assertThat(mfn[i]).isPositive();
            }
            dataPages = pages - TABLES;
            int l4 = mfn[dataPages];
            int l3 = mfn[dataPages + 1];
            int l2 = mfn[dataPages + 2];
            int l1 = mfn[dataPages + 3];
            int user = mfn[dataPages + 4];
            entry(l4, 511, l3, 7);
            entry(user, 511, l3, 7);
            entry(l3, 510, l2, 7);
            entry(l2, 0, l1, 7);
            for (int i = 0; i < pages; i++) {
                entry(l1, i, mfn[i], i < dataPages ? 7 : 5);
            }
            entry(l1, SHARED_INFO, domain.sharedInfoFrame, 7);
            ExtendedOperations extended = new ExtendedOperations(domains.types);
            assertThat(extended.pin(new PagingContext(Preempt.NEVER), domain.memory, l4, 4)).isZero();
            assertThat(extended.pin(new PagingContext(Preempt.NEVER), domain.memory, user, 4)).isZero();
        }

        private void entry(int table, int index, int target, int flags) {
            ram.write64(((long) table << 12) + index * 8L, (long) target << 12 | flags);
        }

        /** Linear address of byte {@code offset} of page {@code page}. */
        long address(int page, int offset) {
            return BASE + page * 4096L + offset;
        }

        long physical(int page, int offset) {
            return ((long) mfn[page] << 12) + offset;
        }

        void write(int page, int offset, byte[] bytes) {
            ram.copyIn(bytes, 0, physical(page, offset), bytes.length);
        }

        long read(int page, int offset) {
            return ram.read64(physical(page, offset));
        }

        int kernelRoot() {
            return mfn[dataPages];
        }

        int userRoot() {
            return mfn[dataPages + 4];
        }

        Vcpu vcpu(int id) {
            return domain.vcpus[id];
        }

        /** Sets a vCPU's context and, if it is online in it, lets it run when the domain does. */
        void start(int vcpu, ContextBuilder context) {
            int rc;
            do {
                rc = guestContext.set(domain.vcpus[vcpu], context.build());
            } while (rc == -Errno.ERESTART);
            assertThat(rc).isZero();
        }

        void unpause() {
            assertThat(domains.unpauseByController(domain)).isZero();
        }

        /** Ends the domain completely. */
        void destroy() {
            int rc;
            do {
                rc = domains.destroy(domain, Preempt.NEVER);
            } while (rc == -Errno.ERESTART);
            assertThat(rc).isZero();
        }
    }

    @Override
    public void close() {
        ram.close();
    }
}
