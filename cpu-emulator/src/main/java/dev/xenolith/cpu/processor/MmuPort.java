package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.apic.ApicRegisters;
import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.memory.Attention;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.memory.WriteLog;
import dev.xenolith.cpu.paging.Mmu;

/**
 * A processor's own slow path: translates, refills the TLB, and reaches memory, a device or the local APIC. Nothing happens
 * before every page of an access has been checked, and nothing at a device before the instruction executes precisely.
 */
final class MmuPort implements MemoryPort {
    private static final long APIC_PAGE = -4096L;

    private final Mmu mmu;
    private final PhysicalMap map;
    private final PhysicalMemory memory;

    MmuPort(Mmu mmu, PhysicalMap map) {
        this.mmu = mmu;
        this.map = map;
        this.memory = map.memory();
    }

    @Override
    public long load(Processor p, long address, int size) {
        checkAddress(p, address, size);
        boolean watched = p.debugger.watches(address, size, false);
        long value = load(p, address, size, p.dataPrivilege());
        Breakpoints.noteData(p, address, size, false);
        if (watched) {
            p.debugger.noteWatched(address, size, false);
        }
        return value;
    }

    @Override
    public void store(Processor p, long address, int size, long value) {
        checkAddress(p, address, size);
        boolean watched = p.debugger.watches(address, size, true);
        store(p, address, size, value, p.dataPrivilege());
        Breakpoints.noteData(p, address, size, true);
        if (watched) {
            p.debugger.noteWatched(address, size, true);
        }
    }

    @Override
    public void probeStore(Processor p, long address, int size) {
        checkAddress(p, address, size);
        p.debugger.watches(address, size, true);
        probeStore(p, address, size, p.dataPrivilege());
    }

    @Override
    public long compareExchange(Processor p, long address, int size, long expected, long value) {
        checkAddress(p, address, size);
        int privilege = p.dataPrivilege();
        probeStore(p, address, size, privilege);
        long found = load(p, address, size, privilege);
        if (found == (size == 8 ? expected : expected & (1L << size * 8) - 1)) {
            store(p, address, size, value, privilege);
        }
        return found;
    }

    @Override
    public long fetch(Processor p, long address, int size) {
        int privilege = p.cpl == 3 ? Mmu.USER : Mmu.SUPERVISOR;
        return load(p, address, size, Mmu.EXECUTE, privilege);
    }

    /** Translates {@code address} for data, all of it in one page; false if it cannot, or if code has changed by that. */
    boolean refill(Processor p, long address, int size, boolean write) {
        if (inFirstPage(address, size) != size || !p.is64Bit() || !mmu.isCanonical(address)) {
            return false;
        }
        long changes = memory.codeChanges();
        return mmu.translate(address, write ? Mmu.WRITE : Mmu.READ, p.dataPrivilege()) >= 0
                && memory.codeChanges() == changes;
    }

    long translateFetch(Processor p, long address) {
        long physical = translate(p, address, Mmu.EXECUTE, p.cpl == 3 ? Mmu.USER : Mmu.SUPERVISOR);
        return memory.isMemory(physical >>> PhysicalMemory.FRAME_SHIFT) ? physical : -1;
    }

    long load(Processor p, long address, int size, int privilege) {
        return load(p, address, size, Mmu.READ, privilege);
    }

    private long load(Processor p, long address, int size, int access, int privilege) {
        long physical = translate(p, address, access, privilege);
        int first = inFirstPage(address, size);
        if (first == size) {
            return read(p, physical, size);
        }
        long second = translate(p, nextPage(p, address), access, privilege);
        checkPrecise(p, physical);
        checkPrecise(p, second);
        return readPieces(p, physical, first) | readPieces(p, second, size - first) << first * 8;
    }

    void store(Processor p, long address, int size, long value, int privilege) {
        long physical = translate(p, address, Mmu.WRITE, privilege);
        int first = inFirstPage(address, size);
        if (first == size) {
            write(p, physical, size, value);
            return;
        }
        long second = translate(p, nextPage(p, address), Mmu.WRITE, privilege);
        checkPrecise(p, physical);
        checkPrecise(p, second);
        writePieces(p, physical, first, value);
        writePieces(p, second, size - first, value >>> first * 8);
    }

    void probeStore(Processor p, long address, int size, int privilege) {
        long physical = translate(p, address, Mmu.WRITE, privilege);
        checkPrecise(p, physical);
        if (inFirstPage(address, size) != size) {
            checkPrecise(p, translate(p, nextPage(p, address), Mmu.WRITE, privilege));
        }
    }

    private long translate(Processor p, long address, int access, int privilege) {
        long physical = mmu.translate(address, access, privilege);
        if (physical < 0) {
            throw Mmu.isPageFault(physical)
                    ? p.raisePageFault(address, Mmu.errorCode(physical))
                    : p.raiseNonCanonical(address);
        }
        return physical;
    }

    private static int inFirstPage(long address, int size) {
        return Math.min(size, PhysicalMemory.FRAME_SIZE - (int) (address & PhysicalMemory.FRAME_SIZE - 1));
    }

    private static long nextPage(Processor p, long address) {
        long next = (address | PhysicalMemory.FRAME_SIZE - 1) + 1;
        return p.is64Bit() ? next : next & 0xffff_ffffL;
    }

    /**
     * What faults before any translation: an access of which a byte is not canonical, or outside 64-bit mode beyond 4 GiB, and one
     * that is misaligned at CPL 3 while alignment is checked (SDM 3A 5.3, 6.15).
     */
    private void checkAddress(Processor p, long address, int size) {
        checkReachable(p, address, size);
        checkAlignment(p, address, size);
    }

    /** The same for a vector operand of 16 or 32 bytes, whose double quadwords shall be aligned. */
    void checkVector(Processor p, long address, int size) {
        checkReachable(p, address, size);
        checkAlignment(p, address, 16);
    }

    private void checkReachable(Processor p, long address, int size) {
        boolean reachable = p.is64Bit()
                ? mmu.isCanonical(address) && mmu.isCanonical(address + size - 1)
                : address + size - 1 >>> 32 == 0;
        if (!reachable) {
            throw p.raiseNonCanonical(address);
        }
    }

    private static void checkAlignment(Processor p, long address, int size) {
        if ((p.codeContext & Mode.ALIGNMENT) != 0 && (address & size - 1) != 0) {
            throw p.raise(Vector.AC, 0);
        }
    }

    /** Devices are touched only where {@link Processor#retired} is exact. */
    private void checkPrecise(Processor p, long physical) {
        if (!p.precise && !memory.isMemory(physical >>> PhysicalMemory.FRAME_SHIFT)) {
            throw p.restartPrecisely();
        }
    }

    private long read(Processor p, long physical, int size) {
        if (memory.isMemory(physical >>> PhysicalMemory.FRAME_SHIFT)) {
            return memory.read(physical, size);
        }
        checkPrecise(p, physical);
        p.publishTime();
        long value = (physical & APIC_PAGE) == p.apic.mmioBase()
                ? p.apic.readMmio((int) (physical & ~APIC_PAGE), size)
                : map.read(physical, size);
        if (p.monitor != null) {
            p.monitor.deviceAccess(p, physical, size, value, false);
        }
        return value;
    }

    private void write(Processor p, long physical, int size, long value) {
        long frame = physical >>> PhysicalMemory.FRAME_SHIFT;
        if (memory.isMemory(frame)) {
            if ((memory.attention(frame) & Attention.ROM) == 0) {
                WriteLog log = mmu.log;
                if (log != null) {
                    log.store(memory.hostBase() + physical, size);
                }
                memory.write(physical, size, value);
            } else {
                memory.ignoreWrite(physical, size, value);
            }
            return;
        }
        checkPrecise(p, physical);
        p.publishTime();
        if (p.monitor != null) {
            p.monitor.deviceAccess(p, physical, size, size == 8 ? value : value & (1L << size * 8) - 1, true);
        }
        if ((physical & APIC_PAGE) == p.apic.mmioBase()) {
            int register = (int) (physical & ~APIC_PAGE);
            p.apic.writeMmio(register, size, value);
            if (register == ApicRegisters.ICR && p.apic.interruptsOthers()) {
                p.endTurn();
            }
        } else {
            map.write(physical, size, value);
        }
    }

    long readPhysical(Processor p, long physical, int size) {
        return read(p, physical, size);
    }

    void writePhysical(Processor p, long physical, int size, long value) {
        write(p, physical, size, value);
    }

    private long readPieces(Processor p, long physical, int size) {
        long value = 0;
        for (int i = 0; i < size; i++) {
            value |= read(p, physical + i, 1) << i * 8;
        }
        return value;
    }

    private void writePieces(Processor p, long physical, int size, long value) {
        for (int i = 0; i < size; i++) {
            write(p, physical + i, 1, value >>> i * 8);
        }
    }
}
