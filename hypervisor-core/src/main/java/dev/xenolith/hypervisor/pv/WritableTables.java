package dev.xenolith.hypervisor.pv;

import dev.xenolith.cpu.interpret.Stepper;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.paging.Mmu;
import dev.xenolith.cpu.processor.MemoryPort;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.ProcessorState;
import dev.xenolith.cpu.processor.Stop;
import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.memory.MemoryOwner;
import dev.xenolith.hypervisor.paging.Pte;
import dev.xenolith.hypervisor.paging.TableUpdates;
import org.jspecify.annotations.Nullable;

/**
 * The writable-pagetables assist (xen/arch/x86/pv/ro-page-fault.c): executes the faulting instruction on a scratch processor, whose
 * stores to the table become checked updates. Any instruction will do whose only store is to that page, aligned and at most 8 bytes
 * long; of others nothing happens.
 */
public final class WritableTables implements TableWriteEmulation {
    private static final int PF_PRESENT = 1;
    private static final int PF_WRITE = 1 << 1;
    private static final int PF_USER = 1 << 2;

    private final PhysicalMemory ram;
    private final TableUpdates updates;
    private final Processor scratch;
    private final ProcessorState state = new ProcessorState();
    private final Port port = new Port();

    public WritableTables(Domains domains, MachineClock clock, CpuModel model) {
        ram = domains.memory.ram();
        updates = domains.updates;
        scratch = Processor.scratch(clock, port, model, new Stepper(model::has));
    }

    @Override
    public boolean emulate(PvProcessor processor, Vcpu vcpu, long address) {
        MemoryOwner owner = vcpu.domain.memory;
        long at = updates.findL1Entry(vcpu.tables().walkRoot(), address, owner);
        if (at < 0) {
            return false;
        }
        long entry = ram.read64(at);
        if (!Pte.isPresent(entry) || Pte.isWritable(entry) || !updates.takesStores(Pte.frame(entry), owner)) {
            return false;
        }
        Processor p = processor.cpu;
        port.begin(p.mmu(), owner, address & -PhysicalMemory.FRAME_SIZE, Pte.frame(entry));
        state.save(p);
        state.load(scratch);
        boolean done = scratch.step().kind == Stop.Kind.BUDGET && port.stored;
        if (done) {
            System.arraycopy(scratch.gpr, 0, p.gpr, 0, 16);
            p.rip = scratch.rip;
            p.setRflags(scratch.rflags());
        }
        return done;
    }

    /** Memory as the instruction sees it: the guest's, and its stores to one page table. */
    private final class Port implements MemoryPort {
        private @Nullable Mmu mmu;
        private @Nullable MemoryOwner owner;
        private long page;
        private long table;
        private boolean stored;

        void begin(Mmu guest, MemoryOwner tableOwner, long pageAddress, long tableFrame) {
            mmu = guest;
            owner = tableOwner;
            page = pageAddress;
            table = tableFrame;
            stored = false;
        }

        private long read(Processor p, long address, int size, int access) {
            long value = 0;
            for (int i = 0; i < size; i++) {
                value |= (long) ram.read8(translate(p, address + i, access)) << 8 * i;
            }
            return value;
        }

        private long translate(Processor p, long address, int access) {
            Mmu guest = mmu;
            long physical = guest == null
                    ? -1
                    : guest.translate(address, access, p.cpl == 3 ? Mmu.USER : Mmu.SUPERVISOR);
            if (physical < 0 || !ram.isMemory(physical >>> PhysicalMemory.FRAME_SHIFT)) {
                throw p.raisePageFault(address, PF_USER);
            }
            return physical;
        }

        /** Machine address of what may be stored at {@code address}; else the store is the guest's own fault. */
        private long target(Processor p, long address, int size) {
            boolean one = size <= Long.BYTES && (address & size - 1) == 0
                    && (address & -PhysicalMemory.FRAME_SIZE) == page;
            if (!one || stored) {
                throw p.raisePageFault(address, PF_PRESENT | PF_WRITE | PF_USER);
            }
            return (table << PhysicalMemory.FRAME_SHIFT) + (address - page);
        }

        @Override
        public long load(Processor p, long address, int size) {
            return read(p, address, size, Mmu.READ);
        }

        @Override
        public void store(Processor p, long address, int size, long value) {
            long at = target(p, address, size);
            MemoryOwner tableOwner = owner;
            if (tableOwner == null || !updates.emulateStore(tableOwner, at, size, value)) {
                throw p.raisePageFault(address, PF_PRESENT | PF_WRITE | PF_USER);
            }
            stored = true;
        }

        @Override
        public void probeStore(Processor p, long address, int size) {
            target(p, address, size);
        }

        @Override
        public long compareExchange(Processor p, long address, int size, long expected, long value) {
            long at = target(p, address, size);
            long found = ram.read(at, size);
            if (found == (size == Long.BYTES ? expected : expected & (1L << size * 8) - 1)) {
                store(p, address, size, value);
            } else {
                stored = true;
            }
            return found;
        }

        @Override
        public long fetch(Processor p, long address, int size) {
            return read(p, address, size, Mmu.EXECUTE);
        }
    }
}
