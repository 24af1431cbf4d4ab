package dev.xenolith.hypervisor.paging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.paging.FlushClock;
import dev.xenolith.cpu.paging.Mmu;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.memory.MemoryOwner;
import dev.xenolith.hypervisor.memory.Preempt;
import dev.xenolith.hypervisor.memory.TranslationCaches;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.IntSupplier;

/** A machine's memory with real TLBs and some domains in it, without processors that execute. */
public final class World implements AutoCloseable {
    /** A domain: its memory, one vCPU, and the pages it got at first. */
    public final class Guest implements MemoryOwner.Events {
        public final MemoryOwner owner;
        public final DescriptorTables descriptors;
        public final VcpuTables vcpu;
        /** Frames it has had, in the order it got them. */
        public final List<Integer> pages = new ArrayList<>();
        public String crash = "";
        public boolean empty;

        Guest(int domid, int pageCount, boolean compat) {
            owner = memory.createOwner(domid, this);
            owner.setMaxPages(pageCount);
            descriptors = Objects.requireNonNull(DescriptorTables.create(types, owner, 1));
            vcpu = new VcpuTables(types, updates, owner, descriptors, 0, () -> preempt.check(),
                    new VcpuTables.Changes() {
                        @Override
                        public void rootChanged() {
                            memory.tlb().flush(0);
                        }

                        @Override
                        public void ldtChanged() {
                            // No processor to tell.
                        }
                    });
            if (compat) {
                assertThat(memory.m2p().takeCompat(memory)).isTrue();
                assertThat(vcpu.provideCompatL4()).isTrue();
                owner.setCompat();
            }
            for (int i = 0; i < pageCount; i++) {
                int mfn = memory.allocatePage(owner);
                assertThat(mfn).isNotNegative();
                memory.m2p().set(mfn, i);
                pages.add(mfn);
            }
            audit.addHolder(Audit.of(vcpu));
            audit.addHolder(Audit.of(descriptors));
        }

        @Override
        public void crash(String reason) {
            crash = reason;
        }

        @Override
        public void empty() {
            empty = true;
        }

        /** Writes as the guest would through a writable mapping of {@code mfn}, if it could have one. */
        public boolean poke(int mfn, int index, long value) {
            if (!memory.get(mfn, owner)) {
                return false;
            }
            boolean writable = types.get(mfn, FrameTable.WRITABLE);
            if (writable) {
                ram.write64(((long) mfn << 12) + index * 8L, value);
                types.put(mfn);
            }
            memory.put(mfn);
            return writable;
        }

        public int update(int table, int index, long value) {
            return complete(() -> {
                int rc = types.finishDeferred(vcpu.context());
                return rc != 0
                        ? rc
                        : updates.update(vcpu.context(), owner, owner, ((long) table << 12) + index * 8L, value, false);
            });
        }

        public int pin(int mfn, int level) {
            return complete(() -> {
                int rc = types.finishDeferred(vcpu.context());
                return rc != 0 ? rc : extended.pin(vcpu.context(), owner, mfn, level);
            });
        }

        public int unpin(int mfn) {
            assertThat(complete(() -> types.finishDeferred(vcpu.context()))).isZero();
            int rc = extended.unpin(vcpu.context(), owner, mfn);
            assertThat(complete(() -> types.finishDeferred(vcpu.context()))).isZero();
            return rc;
        }

        /** Ends the domain's use of memory; what others hold lingers. */
        public void destroy() {
            owner.setDying();
            assertThat(complete(vcpu::release)).isZero();
            Teardown teardown = new Teardown(types, owner, () -> preempt.check());
            Audit.Holder holder = Audit.of(teardown.context());
            audit.addHolder(holder);
            assertThat(complete(() -> {
                int rc = teardown.run();
                if (auditEachStep) {
                    assertSound();
                }
                return rc;
            })).isZero();
            audit.removeHolder(holder);
            if (owner.isCompat()) {
                vcpu.releaseCompatL4();
                memory.m2p().giveCompat(memory);
            }
            descriptors.release();
        }
    }

    public final PhysicalMemory ram;
    public final FlushClock clock = new FlushClock();
    public final Mmu[] mmus = new Mmu[2];
    public final Memory memory;
    public final FrameTable frames;
    public final PageTypes types;
    public final TableUpdates updates;
    public final ExtendedOperations extended;
    public final Reservations reservations;
    public final Audit audit;
    /** Asked by all guests' operations. */
    public Preempt preempt = Preempt.NEVER;
    public boolean auditEachStep;
    public int flushes;

    public World(int mebibytes, Checks checks) {
        this(mebibytes, checks, false);
    }

    public World(int mebibytes, Checks checks, boolean l1TerminalFault) {
        ram = new PhysicalMemory(MemoryLayout.flat((long) mebibytes << 20));
        for (int i = 0; i < mmus.length; i++) {
            mmus[i] = new Mmu(ram, clock, 46, true);
            mmus[i].enabled = true;
            mmus[i].writeProtect = true;
            mmus[i].noExecute = true;
            mmus[i].globalPages = true;
        }
        memory = new Memory(ram, new TranslationCaches() {
            @Override
            public int processors() {
                return mmus.length;
            }

            @Override
            public long now() {
                return clock.now();
            }

            @Override
            public long flushStamp(int processor) {
                return mmus[processor].tlb.flushStamp();
            }

            @Override
            public void flush(int processor) {
                flushes++;
                mmus[processor].tlb.flushAll();
            }

            @Override
            public void invalidate(int processor, long address) {
                mmus[processor].tlb.invalidatePage(address);
            }
        }, checks);
        frames = memory.frames();
        types = new PageTypes(memory, l1TerminalFault, 46);
        updates = new TableUpdates(types);
        extended = new ExtendedOperations(types);
        reservations = new Reservations(memory);
        audit = new Audit(types);
    }

    public Guest guest(int domid, int pages) {
        return new Guest(domid, pages, false);
    }

    /** A domain of 32 bits. */
    public Guest compatGuest(int domid, int pages) {
        return new Guest(domid, pages, true);
    }

    /** Repeats a preemptible operation until it is done. */
    public static int complete(IntSupplier operation) {
        int rc;
        int turns = 0;
        do {
            rc = operation.getAsInt();
            assertThat(turns++).as("restarts").isLessThan(1_000_000);
        } while (rc == -Errno.ERESTART);
        return rc;
    }

    public void assertSound() {
        assertThat(audit.run()).isEmpty();
    }

    /** A present, writable user entry for {@code mfn}. */
    public static long rw(int mfn) {
        return Pte.of(mfn, Pte.PRESENT | Pte.WRITABLE | Pte.USER | Pte.ACCESSED);
    }

    public static long ro(int mfn) {
        return Pte.of(mfn, Pte.PRESENT | Pte.USER | Pte.ACCESSED);
    }

    @Override
    public void close() {
        ram.close();
    }
}
