package dev.xenolith.hypervisor.paging;

import static dev.xenolith.hypervisor.abi.Errno.EACCES;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;
import static dev.xenolith.hypervisor.abi.Errno.EOPNOTSUPP;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.Mmu;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.GuestLinear;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.memory.MemoryOwner;

/** The operations of mmuext_op, one at a time: pins, roots, flushes, whole pages. Arguments may have any value. */
public final class ExtendedOperations {
    private final Memory memory;
    private final FrameTable frames;
    private final PhysicalMemory ram;
    private final PageTypes types;

    public ExtendedOperations(PageTypes types) {
        this.types = types;
        memory = types.memory();
        frames = memory.frames();
        ram = memory.ram();
    }

    /**
     * MMUEXT_PIN_Ln_TABLE: keeps {@code mfn} a valid table of {@code level} until it is unpinned.
     *
     * @return 0; -EINVAL if it is not the owner's, cannot be such a table, or is pinned already; -ERESTART
     */
    public int pin(PagingContext context, MemoryOwner owner, long mfn, int level) {
        int rc = types.getReferenceAndType(mfn, level, owner, context);
        if (rc != 0) {
            return rc;
        }
        int frame = (int) mfn;
        if (frames.isPinned(frame) || owner.isDying()) {
            context.defer(frame, false);
            return -EINVAL;
        }
        frames.setTypeWord(frame, frames.typeWord(frame) | FrameTable.PINNED);
        return 0;
    }

    /** MMUEXT_UNPIN_TABLE. 0, or -EINVAL if it is not the owner's or not pinned. Taking it apart may be left in the context. */
    public int unpin(PagingContext context, MemoryOwner owner, long mfn) {
        if (!memory.get(mfn, owner)) {
            return -EINVAL;
        }
        int frame = (int) mfn;
        int rc = -EINVAL;
        if (frames.isPinned(frame)) {
            frames.setTypeWord(frame, frames.typeWord(frame) & ~FrameTable.PINNED);
            types.putTypeAndReference(frame, context);
            rc = 0;
        }
        memory.put(frame);
        return rc;
    }

    /** MMUEXT_CLEAR_PAGE. 0, or -EINVAL if it is not a page of the owner that may be written. */
    public int clearPage(MemoryOwner owner, long mfn) {
        if (!getWritable(owner, mfn)) {
            return -EINVAL;
        }
        ram.zeroFrame(mfn);
        putWritable((int) mfn);
        return 0;
    }

    /** MMUEXT_COPY_PAGE. 0, or -EINVAL if either is not the owner's or {@code target} may not be written. */
    public int copyPage(MemoryOwner owner, long target, long source) {
        if (!memory.get(source, owner)) {
            return -EINVAL;
        }
        int rc = -EINVAL;
        if (getWritable(owner, target)) {
            ram.copy(source << PhysicalMemory.FRAME_SHIFT, target << PhysicalMemory.FRAME_SHIFT,
                    PhysicalMemory.FRAME_SIZE);
            putWritable((int) target);
            rc = 0;
        }
        memory.put((int) source);
        return rc;
    }

    private boolean getWritable(MemoryOwner owner, long mfn) {
        if (!memory.get(mfn, owner)) {
            return false;
        }
        if (!types.get((int) mfn, FrameTable.WRITABLE)) {
            memory.put((int) mfn);
            return false;
        }
        return true;
    }

    private void putWritable(int mfn) {
        types.put(mfn);
        memory.put(mfn);
    }

    /**
     * One mmuext_op.
     *
     * @param vcpu the caller's tables
     * @param owner the domain named as foreigndom
     * @param vcpuProcessors processors that may hold translations of the vCPUs in the operation's vcpumask; only for the MULTI
     *        operations
     * @param domainProcessors processors that may hold translations of any vCPU of the caller
     * @param localProcessor the processor that the caller runs on
     * @return 0, a negative errno, or -ERESTART: again with the same arguments
     */
    public int operate(VcpuTables vcpu, MemoryOwner owner, int command, long arg1, long arg2, long vcpuProcessors,
            long domainProcessors, int localProcessor) {
        boolean own = owner == vcpu.owner();
        return switch (command) {
            case Mmu.MMUEXT_PIN_L1_TABLE, Mmu.MMUEXT_PIN_L2_TABLE, Mmu.MMUEXT_PIN_L3_TABLE, Mmu.MMUEXT_PIN_L4_TABLE ->
                owner.isCompat() && command == Mmu.MMUEXT_PIN_L4_TABLE
                        ? -EINVAL
                        : pin(vcpu.context(), owner, arg1, command - Mmu.MMUEXT_PIN_L1_TABLE + FrameTable.L1);
            case Mmu.MMUEXT_UNPIN_TABLE -> unpin(vcpu.context(), owner, arg1);
            case Mmu.MMUEXT_NEW_BASEPTR -> own ? vcpu.setKernelRoot(arg1) : -EPERM;
            case Mmu.MMUEXT_NEW_USER_BASEPTR -> own ? vcpu.setUserRoot(arg1) : -EPERM;
            case Mmu.MMUEXT_TLB_FLUSH_LOCAL -> own ? flush(1L << localProcessor) : -EPERM;
            case Mmu.MMUEXT_INVLPG_LOCAL -> own ? invalidate(1L << localProcessor, arg1) : -EPERM;
            case Mmu.MMUEXT_TLB_FLUSH_MULTI -> own ? flush(vcpuProcessors) : -EPERM;
            case Mmu.MMUEXT_INVLPG_MULTI -> own ? invalidate(vcpuProcessors, arg1) : -EPERM;
            case Mmu.MMUEXT_TLB_FLUSH_ALL -> own ? flush(domainProcessors) : -EPERM;
            case Mmu.MMUEXT_INVLPG_ALL -> own ? invalidate(domainProcessors, arg1) : -EPERM;
            // Only domains with devices may flush caches, and caches there are none.
            case Mmu.MMUEXT_FLUSH_CACHE -> own ? -EACCES : -EPERM;
            case Mmu.MMUEXT_FLUSH_CACHE_GLOBAL -> own ? -EINVAL : -EPERM;
            case Mmu.MMUEXT_SET_LDT -> own ? vcpu.setLdt(arg1, (int) arg2) : -EPERM;
            case Mmu.MMUEXT_CLEAR_PAGE -> clearPage(owner, arg1);
            case Mmu.MMUEXT_COPY_PAGE -> copyPage(owner, arg1, arg2);
            case Mmu.MMUEXT_MARK_SUPER, Mmu.MMUEXT_UNMARK_SUPER -> -EOPNOTSUPP;
            default -> -ENOSYS;
        };
    }

    private int flush(long processors) {
        memory.tlb().flushMask(processors);
        return 0;
    }

    private int invalidate(long processors, long linear) {
        if (GuestLinear.isGuestAddress(linear)) {
            memory.tlb().invalidateMask(processors, linear);
        }
        return 0;
    }
}
