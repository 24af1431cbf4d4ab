package dev.xenolith.hypervisor.paging;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.memory.MemoryOwner;

/**
 * L1 entries that map granted pages of other domains. The grant code takes the reference and the use of the page first; from then on
 * they belong to the entry and go with it, whether the grant is unmapped or the guest overwrites the entry.
 */
public final class GrantEntries {
    private final Memory memory;
    private final PhysicalMemory ram;
    private final TableUpdates updates;
    private final PageTypes types;

    public GrantEntries(PageTypes types, TableUpdates updates) {
        this.types = types;
        this.updates = updates;
        memory = types.memory();
        ram = memory.ram();
    }

    /**
     * Writes an entry for {@code mfn}, which then owns the reference and use that the caller has taken.
     *
     * @param address any value: the linear address to map at, or the machine address of the entry itself
     * @param isEntry which of the two
     * @param flags bits of the entry
     * @return false if there is no such entry in a valid L1 table of the vCPU's domain: nothing has changed
     */
    public boolean create(VcpuTables vcpu, long address, boolean isEntry, int mfn, long flags) {
        long at = find(vcpu, address, isEntry);
        if (at < 0) {
            return false;
        }
        long old = ram.read64(at);
        ram.write64(at, Pte.adjust(Pte.of(mfn, flags), 1, vcpu.owner().isCompat()));
        types.l1Entries().put(old);
        return true;
    }

    /**
     * Removes the entry that {@link #create} wrote. Its reference and use belong to the caller again, who flushes before giving them
     * back.
     *
     * @param replacement a linear address whose entry is moved to the place, or 0 to leave it empty; not with {@code isEntry}
     * @return false if the entry there does not map {@code mfn}, with the same writability: nothing has changed
     */
    public boolean remove(VcpuTables vcpu, long address, boolean isEntry, int mfn, boolean writable,
            long replacement) {
        if (replacement != 0 && isEntry) {
            return false;
        }
        long at = find(vcpu, address, isEntry);
        if (at < 0) {
            return false;
        }
        long from = replacement == 0 ? -1 : find(vcpu, replacement, false);
        long old = ram.read64(at);
        if ((replacement != 0 && (from < 0 || from == at)) || !Pte.isPresent(old) || Pte.frame(old) != mfn
                || Pte.isWritable(old) != writable) {
            return false;
        }
        long moved = 0;
        if (from >= 0) {
            moved = ram.read64(from);
            ram.write64(from, 0);
        }
        ram.write64(at, moved);
        return true;
    }

    private long find(VcpuTables vcpu, long address, boolean isEntry) {
        MemoryOwner owner = vcpu.owner();
        if (!isEntry) {
            return updates.findL1Entry(vcpu.walkRoot(), address, owner);
        }
        boolean usable = (address & 7) == 0 && updates.isL1Table(address >>> PhysicalMemory.FRAME_SHIFT, owner);
        return usable ? address : -1;
    }
}
