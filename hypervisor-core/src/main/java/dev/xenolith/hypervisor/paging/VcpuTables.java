package dev.xenolith.hypervisor.paging;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.GuestLinear;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.memory.MemoryOwner;
import dev.xenolith.hypervisor.memory.Preempt;

/**
 * The tables that one PV vCPU runs on: the root tables of kernel and user mode and the LDT, with what they hold, and what its last
 * paging operation has left to do.
 */
public final class VcpuTables {
    /** No root table. MFN 0 belongs to firmware, and is how a guest says "none". */
    public static final int NO_TABLE = 0;

    /** How the processor that the vCPU runs on learns of changes. */
    public interface Changes {
        /** CR3 must be loaded anew, with a flush of the vCPU's translations. */
        void rootChanged();

        /** LDTR must be loaded anew. */
        void ldtChanged();
    }

    private final Memory memory;
    private final PageTypes types;
    private final TableUpdates updates;
    private final MemoryOwner owner;
    private final DescriptorTables descriptors;
    private final int vcpu;
    private final Changes changes;
    private final PagingContext context;
    private int kernelRoot = NO_TABLE;
    private int userRoot = NO_TABLE;
    /** The L4 table, the hypervisor's own, whose entry 0 is the root of a 32-bit guest; NO_TABLE for 64-bit guests. */
    private int compatL4 = NO_TABLE;
    private long ldtBase;
    private int ldtEntries;

    public VcpuTables(PageTypes types, TableUpdates updates, MemoryOwner owner, DescriptorTables descriptors, int vcpu,
            Preempt preempt, Changes changes) {
        this.types = types;
        memory = types.memory();
        this.updates = updates;
        this.owner = owner;
        this.descriptors = descriptors;
        this.vcpu = vcpu;
        this.changes = changes;
        context = new PagingContext(preempt);
    }

    public MemoryOwner owner() {
        return owner;
    }

    public PagingContext context() {
        return context;
    }

    /** Root table of kernel mode, or {@link #NO_TABLE}. */
    public int kernelRoot() {
        return kernelRoot;
    }

    /** What the processor's CR3 is given for {@link #kernelRoot}: that, but for a 32-bit guest an L4 table of the hypervisor above it. */
    public int walkRoot() {
        return compatL4 == NO_TABLE || kernelRoot == NO_TABLE ? kernelRoot : compatL4;
    }

    /** Level of root tables: 4, of 32-bit guests 3. */
    int rootLevel() {
        return owner.isCompat() ? FrameTable.L3 : FrameTable.L4;
    }

    /**
     * Makes these the tables of a vCPU of a 32-bit guest, which the owner has become (setup_compat_l4). False if there is not enough
     * memory.
     */
    public boolean provideCompatL4() {
        int mfn = memory.allocateHypervisorFrame();
        if (mfn < 0) {
            return false;
        }
        types.writeHypervisorSlots(mfn, owner);
        compatL4 = mfn;
        return true;
    }

    private void setCompatRoot(int mfn) {
        long entry = mfn == NO_TABLE ? 0 : Pte.of(mfn, Pte.PRESENT | Pte.WRITABLE | Pte.USER | Pte.ACCESSED);
        memory.ram().write64((long) compatL4 << PhysicalMemory.FRAME_SHIFT, entry);
    }

    /** Gives back the hypervisor's L4 table of a 32-bit guest; no processor may use it any more. */
    public void releaseCompatL4() {
        if (compatL4 != NO_TABLE) {
            memory.releaseHypervisorFrame(compatL4);
            compatL4 = NO_TABLE;
        }
    }

    /** Root table of user mode, or {@link #NO_TABLE}: user mode then cannot be entered. */
    public int userRoot() {
        return userRoot;
    }

    /** Linear address of the LDT in the guest; meaningful if there are {@link #ldtEntries}. */
    public long ldtBase() {
        return ldtBase;
    }

    /** Descriptors of the LDT, 0 to 8192. */
    public int ldtEntries() {
        return ldtEntries;
    }

    /**
     * MMUEXT_NEW_BASEPTR: makes {@code mfn}, any value, the root of kernel mode. 0, -EINVAL, or -ERESTART: call again with the same
     * value; it may have taken effect already.
     */
    public int setKernelRoot(long mfn) {
        int rc = types.finishDeferred(context);
        if (rc != 0) {
            return rc;
        }
        int old = kernelRoot;
        if (mfn == old && old != NO_TABLE) {
            changes.rootChanged();
            return 0;
        }
        rc = types.getReferenceAndType(mfn, rootLevel(), owner, context);
        if (rc != 0) {
            return rc;
        }
        // The LDT is at a linear address of the old address space.
        descriptors.clearLdt(vcpu);
        kernelRoot = (int) mfn;
        if (compatL4 != NO_TABLE) {
            setCompatRoot(kernelRoot);
        }
        changes.rootChanged();
        return old == NO_TABLE ? 0 : types.putTypeAndReference(old, context);
    }

    /**
     * MMUEXT_NEW_USER_BASEPTR: makes {@code mfn}, any value, the root of user mode; 0 for none. As {@link #setKernelRoot}; -EINVAL in a
     * 32-bit guest, whose modes share one.
     */
    public int setUserRoot(long mfn) {
        if (owner.isCompat()) {
            return -EINVAL;
        }
        int rc = types.finishDeferred(context);
        if (rc != 0) {
            return rc;
        }
        int old = userRoot;
        if (mfn == old) {
            return 0;
        }
        if (mfn != NO_TABLE) {
            rc = types.getReferenceAndType(mfn, FrameTable.L4, owner, context);
            if (rc != 0) {
                return rc;
            }
        }
        userRoot = (int) mfn;
        changes.rootChanged();
        return old == NO_TABLE ? 0 : types.putTypeAndReference(old, context);
    }

    /**
     * MMUEXT_SET_LDT. Its pages are checked and mapped when they are first used ({@link #mapLdtPage}).
     *
     * @param linear any value; ignored if {@code entries} is 0
     * @param entries any value
     * @return 0 or -EINVAL
     */
    public int setLdt(long linear, int entries) {
        if (entries < 0 || entries > 8192) {
            return -EINVAL;
        }
        if (entries != 0 && ((linear & 0xfff) != 0 || !GuestLinear.isGuestAddress(linear))) {
            return -EINVAL;
        }
        if (entries != ldtEntries || (entries != 0 && linear != ldtBase)) {
            if (descriptors.clearLdt(vcpu)) {
                changes.rootChanged();
            }
            ldtBase = entries == 0 ? 0 : linear;
            ldtEntries = entries;
            changes.ldtChanged();
        }
        return 0;
    }

    /**
     * The processor found no page at byte {@code offset} of the LDT: maps the guest's, if it has one there that may hold
     * descriptors. Returns whether the access can be tried again; if not, it is the guest's own page fault at
     * {@link #ldtBase} plus {@code offset}.
     */
    public boolean mapLdtPage(long offset) {
        if (offset < 0 || offset >>> 3 >= ldtEntries || kernelRoot == NO_TABLE) {
            return false;
        }
        long at = updates.findL1Entry(walkRoot(), ldtBase + offset, owner);
        return at >= 0 && descriptors.mapLdtPage(vcpu, (int) (offset >>> 12), memory.ram().read64(at));
    }

    /** Gives back everything. 0, or -ERESTART: call again. */
    public int release() {
        int rc = types.finishDeferred(context);
        if (rc == 0) {
            descriptors.clearLdt(vcpu);
            descriptors.clearGdt(vcpu);
            ldtEntries = 0;
        }
        if (rc == 0 && kernelRoot != NO_TABLE) {
            int old = kernelRoot;
            kernelRoot = NO_TABLE;
            if (compatL4 != NO_TABLE) {
                setCompatRoot(NO_TABLE);
            }
            rc = types.putTypeAndReference(old, context);
        }
        if (rc == 0 && userRoot != NO_TABLE) {
            int old = userRoot;
            userRoot = NO_TABLE;
            rc = types.putTypeAndReference(old, context);
        }
        return rc;
    }
}
