package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.memory.HostMemory;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.memory.WriteLog;
import dev.xenolith.cpu.paging.Mmu;
import dev.xenolith.cpu.paging.Tlb;
import dev.xenolith.cpu.paging.TlbTable;
import org.jspecify.annotations.Nullable;

/**
 * The processor's door to memory: loads and stores at linear addresses, with the TLB tested inline and {@link MemoryPort} as the
 * slow path. A part of {@link Processor}, apart only to keep the hot methods in one place; see {@code paging} for the tags.
 */
abstract sealed class LinearMemory permits Processor {
    /** Where loads and stores go that the TLB cannot serve. */
    public final MemoryPort port;

    final @Nullable Mmu mmu;

    /** For processors without a TLB, and stores that are logged: nothing is ever put into it. */
    private static final TlbTable EMPTY = new TlbTable();

    private final Processor self = (Processor) this;
    private final long readTable;
    /** That of the TLB, or while writes are logged one that is always empty. */
    private long writeTable;
    private final long fetchTable;
    private final long hostBase;
    /** What the tag of a data access is compared with besides the page: privilege and context. */
    private long dataContext;
    private long fetchContext;

    /** Memory behind {@code port} alone: the TLB stays empty. */
    LinearMemory(MemoryPort port) {
        this.port = port;
        mmu = null;
        readTable = EMPTY.address;
        writeTable = EMPTY.address;
        fetchTable = EMPTY.address;
        hostBase = 0;
    }

    /** Memory translated by {@code mmu} and found in {@code map}. */
    LinearMemory(Mmu mmu, PhysicalMap map) {
        this.mmu = mmu;
        port = new MmuPort(mmu, map);
        readTable = mmu.tlb.read.address;
        writeTable = mmu.tlb.write.address;
        fetchTable = mmu.tlb.fetch.address;
        hostBase = map.memory().hostBase();
    }

    /** Sets who makes accesses from now on: a privilege of {@link Mmu} each, and the TLB's context (of data: maybe none). */
    final void setContexts(int dataContext, int dataPrivilege, int fetchContext, int fetchPrivilege) {
        this.dataContext = (long) dataContext << Tlb.CONTEXT_SHIFT | dataPrivilege | Tlb.VALID;
        this.fetchContext = (long) fetchContext << Tlb.CONTEXT_SHIFT | fetchPrivilege | Tlb.VALID;
    }

    /** What the tags of {@link Tlb} are compared with for data, besides the page. */
    public final long dataContext() {
        return dataContext;
    }

    /** Host address of the TLB's table for reading. */
    public final long readTable() {
        return readTable;
    }

    /** The same for writing; one that stays empty while writes are logged. */
    public final long writeTable() {
        return writeTable;
    }

    /**
     * Has the TLB find {@code size} bytes at {@code address}, which it did not have, and changes nothing else. Returns where they are on
     * the host; 0 if the TLB still has not got them, or if code has changed, because the walk set bits in a page table that is code too.
     */
    public final long refill(long address, int size, boolean write) {
        if (mmu == null || !(port instanceof MmuPort own) || !own.refill(self, address, size, write)) {
            return 0;
        }
        long entry = TlbTable.entry(write ? mmu.tlb.write.address : readTable, address + size - 1);
        if (!TlbTable.has(entry, address & -4096 | dataContext)) {
            return 0;
        }
        long host = TlbTable.host(entry, address);
        if (write && mmu.log != null) {
            mmu.log.store(host, size);
        }
        return host;
    }

    /**
     * Has each store from now on noted in {@code log} before it is done; null ends that. Meanwhile no store finds its page in the table for
     * writing, so that the fast path need not know of logs: all take the slow path.
     */
    public final void log(@Nullable WriteLog log) {
        if (mmu == null) {
            throw new IllegalStateException("what goes to a port cannot be logged");
        }
        mmu.log = log;
        writeTable = log == null ? mmu.tlb.write.address : EMPTY.address;
    }

    public final long load8(long address) {
        long entry = TlbTable.entry(readTable, address);
        if (TlbTable.has(entry, address & -4096 | dataContext)) {
            return HostMemory.get8(TlbTable.host(entry, address));
        }
        return port.load(self, address, 1);
    }

    public final long load16(long address) {
        long entry = TlbTable.entry(readTable, address + 1);
        if (TlbTable.has(entry, address & -4096 | dataContext)) {
            return HostMemory.get16(TlbTable.host(entry, address));
        }
        return port.load(self, address, 2);
    }

    public final long load32(long address) {
        long entry = TlbTable.entry(readTable, address + 3);
        if (TlbTable.has(entry, address & -4096 | dataContext)) {
            return HostMemory.get32(TlbTable.host(entry, address)) & 0xffff_ffffL;
        }
        return port.load(self, address, 4);
    }

    public final long load64(long address) {
        long entry = TlbTable.entry(readTable, address + 7);
        if (TlbTable.has(entry, address & -4096 | dataContext)) {
            return HostMemory.get64(TlbTable.host(entry, address));
        }
        return port.load(self, address, 8);
    }

    public final void store8(long address, long value) {
        long entry = TlbTable.entry(writeTable, address);
        if (TlbTable.has(entry, address & -4096 | dataContext)) {
            HostMemory.put8(TlbTable.host(entry, address), (int) value);
        } else {
            port.store(self, address, 1, value);
        }
    }

    public final void store16(long address, long value) {
        long entry = TlbTable.entry(writeTable, address + 1);
        if (TlbTable.has(entry, address & -4096 | dataContext)) {
            HostMemory.put16(TlbTable.host(entry, address), (int) value);
        } else {
            port.store(self, address, 2, value);
        }
    }

    public final void store32(long address, long value) {
        long entry = TlbTable.entry(writeTable, address + 3);
        if (TlbTable.has(entry, address & -4096 | dataContext)) {
            HostMemory.put32(TlbTable.host(entry, address), (int) value);
        } else {
            port.store(self, address, 4, value);
        }
    }

    public final void store64(long address, long value) {
        long entry = TlbTable.entry(writeTable, address + 7);
        if (TlbTable.has(entry, address & -4096 | dataContext)) {
            HostMemory.put64(TlbTable.host(entry, address), value);
        } else {
            port.store(self, address, 8, value);
        }
    }

    /**
     * Stores {@code value} to up to {@code count} elements of {@code size} bytes from {@code address} on, all in one page that the TLB
     * has.
     *
     * @return how many were stored; 0 if the page, or its TLB entry, does not allow it like this
     */
    final int fill(long address, int size, long value, long count) {
        long entry = TlbTable.entry(writeTable, address);
        if (!TlbTable.has(entry, address & -4096 | dataContext)) {
            return 0;
        }
        int elements = (int) Math.min(count, leftInPage(address) / size);
        long host = TlbTable.host(entry, address);
        if (size == 1) {
            HostMemory.fill(host, elements, (int) value);
        } else {
            for (int i = 0; i < elements; i++) {
                HostMemory.put(host + (long) i * size, size, value);
            }
        }
        return elements;
    }

    /**
     * Copies up to {@code count} elements of {@code size} bytes upwards, one after the other, all in one page each that the TLB has.
     *
     * @return how many were copied; 0 if the pages, or their TLB entries, do not allow it like this
     */
    final int copy(long source, long destination, int size, long count) {
        long sourceEntry = TlbTable.entry(readTable, source);
        long entry = TlbTable.entry(writeTable, destination);
        if (!TlbTable.has(sourceEntry, source & -4096 | dataContext)
                || !TlbTable.has(entry, destination & -4096 | dataContext)) {
            return 0;
        }
        int elements = (int) Math.min(count, Math.min(leftInPage(source), leftInPage(destination)) / size);
        long from = TlbTable.host(sourceEntry, source);
        long to = TlbTable.host(entry, destination);
        if (Long.compareUnsigned(to - from, (long) elements * size) >= 0) {
            HostMemory.copy(from, to, (long) elements * size);
        } else {
            // What is copied is copied again: a pattern spreads.
            for (int i = 0; i < elements; i++) {
                long at = (long) i * size;
                HostMemory.put(to + at, size, HostMemory.get(from + at, size));
            }
        }
        return elements;
    }

    /**
     * As {@link #copy}, but downwards: {@code source} and {@code destination} are the addresses of the first element, which is the highest.
     */
    final int copyDown(long source, long destination, int size, long count) {
        int elements = (int) Math.min(count,
                Math.min(elementsDown(source, size), elementsDown(destination, size)));
        long sourceEntry = TlbTable.entry(readTable, source);
        long entry = TlbTable.entry(writeTable, destination);
        if (elements == 0 || !TlbTable.has(sourceEntry, source & -4096 | dataContext)
                || !TlbTable.has(entry, destination & -4096 | dataContext)) {
            return 0;
        }
        long below = (long) (elements - 1) * size;
        long from = TlbTable.host(sourceEntry, source) - below;
        long to = TlbTable.host(entry, destination) - below;
        if (Long.compareUnsigned(from - to, below + size) >= 0) {
            HostMemory.copy(from, to, below + size);
        } else {
            for (long at = below; at >= 0; at -= size) {
                HostMemory.put(to + at, size, HostMemory.get(from + at, size));
            }
        }
        return elements;
    }

    /** How many elements there are in the page from that at {@code address} on downwards; 0 if that is not all in it. */
    static int elementsDown(long address, int size) {
        return leftInPage(address) < size ? 0 : (int) (address & 4095) / size + 1;
    }

    private static int leftInPage(long address) {
        return 4096 - ((int) address & 4095);
    }

    /** Loads the destination of a read-modify-write instruction: checked for write, so the store that follows cannot fault. */
    public final long loadForWrite8(long address) {
        long entry = TlbTable.entry(writeTable, address);
        if (TlbTable.has(entry, address & -4096 | dataContext)) {
            return HostMemory.get8(TlbTable.host(entry, address));
        }
        return loadForWrite(address, 1);
    }

    public final long loadForWrite16(long address) {
        long entry = TlbTable.entry(writeTable, address + 1);
        if (TlbTable.has(entry, address & -4096 | dataContext)) {
            return HostMemory.get16(TlbTable.host(entry, address));
        }
        return loadForWrite(address, 2);
    }

    public final long loadForWrite32(long address) {
        long entry = TlbTable.entry(writeTable, address + 3);
        if (TlbTable.has(entry, address & -4096 | dataContext)) {
            return HostMemory.get32(TlbTable.host(entry, address)) & 0xffff_ffffL;
        }
        return loadForWrite(address, 4);
    }

    public final long loadForWrite64(long address) {
        long entry = TlbTable.entry(writeTable, address + 7);
        if (TlbTable.has(entry, address & -4096 | dataContext)) {
            return HostMemory.get64(TlbTable.host(entry, address));
        }
        return loadForWrite(address, 8);
    }

    private long loadForWrite(long address, int size) {
        port.probeStore(self, address, size);
        return port.load(self, address, size);
    }

    /**
     * What an operand of {@code size} bytes, 16 or 32, that is accessed in several parts and is not aligned may raise as a whole. #AC
     * is about double quadwords.
     */
    public final void checkUnaligned(long address, int size) {
        if (port instanceof MmuPort own) {
            own.checkVector(self, address, size);
        }
    }

    /** Checks that {@code size} bytes at {@code address} can be written, and changes nothing. */
    public final void probeStore(long address, int size) {
        long entry = TlbTable.entry(writeTable, address + size - 1);
        if (!TlbTable.has(entry, address & -4096 | dataContext)) {
            port.probeStore(self, address, size);
        }
    }

    /**
     * Physical address of the code at {@code address}, for execution at the current privilege; -1 if there is no memory: then
     * the bytes come from {@link MemoryPort#fetch}. Throws #PF or #GP.
     */
    public final long translateFetch(long address) {
        long entry = TlbTable.entry(fetchTable, address);
        if (TlbTable.has(entry, address & -4096 | fetchContext)) {
            return TlbTable.host(entry, address) - hostBase;
        }
        return port instanceof MmuPort own ? own.translateFetch(self, address) : -1;
    }

    /** Reads {@code size} bytes at a physical address, as an access of the processor's own; all ones where there is no MMU. */
    final long readPhysical(long address, int size) {
        return port instanceof MmuPort own ? own.readPhysical(self, address, size) : -1;
    }

    final void writePhysical(long address, int size, long value) {
        if (port instanceof MmuPort own) {
            own.writePhysical(self, address, size, value);
        }
    }

    /** Loads from a descriptor table or TSS: a supervisor access at any CPL. */
    final long loadSystem(long address, int size) {
        if (port instanceof MmuPort own) {
            long value = own.load(self, address, size, self.systemPrivilege());
            self.debugger.noteWatched(address, size, false);
            return value;
        }
        return port.load(self, address, size);
    }

    /** Stores to a descriptor table or a stack of another privilege level. */
    final void storeSystem(long address, int size, long value, int privilege) {
        if (port instanceof MmuPort own) {
            own.store(self, address, size, value, privilege);
            self.debugger.noteWatched(address, size, true);
        } else {
            port.store(self, address, size, value);
        }
    }

    final void probeSystem(long address, int size, int privilege) {
        if (port instanceof MmuPort own) {
            own.probeStore(self, address, size, privilege);
        } else {
            port.probeStore(self, address, size);
        }
    }
}
