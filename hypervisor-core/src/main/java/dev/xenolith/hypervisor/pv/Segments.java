package dev.xenolith.hypervisor.pv;

import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.PvContext;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.hypercall.Call;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.memory.MemoryOwner;
import dev.xenolith.hypervisor.paging.SegmentDescriptors;
import java.util.Objects;

/** Descriptor tables and segment bases (xen/arch/x86/pv/descriptor-tables.c, misc-hypercalls.c). */
final class Segments {
    private static final int ENTRIES_PER_FRAME = 512;
    private static final int DESCRIPTOR_BYTES = 8;

    private final Domains domains;
    private final ContextSwitch contexts;

    Segments(Domains domains, ContextSwitch contexts) {
        this.domains = domains;
        this.contexts = contexts;
    }

    /** set_gdt(frames, entries). */
    long setGdt(Call call) {
        long entries = call.argument(1) & 0xffff_ffffL;
        if (entries > ArchX86.FIRST_RESERVED_GDT_ENTRY) {
            return -EINVAL;
        }
        int count = ((int) entries + ENTRIES_PER_FRAME - 1) / ENTRIES_PER_FRAME;
        long[] frames = new long[ArchX86.FIRST_RESERVED_GDT_PAGE];
        for (int i = 0; i < count; i++) {
            if (!call.readWord(call.argument(0) + (long) i * call.wordBytes())) {
                return -EFAULT;
            }
            frames[i] = call.get64(0);
        }
        int rc = Objects.requireNonNull(call.domain.descriptors).setGdt(call.vcpu.id, frames, (int) entries);
        if (rc == 0) {
            PvContext context = call.vcpu.pv();
            System.arraycopy(frames, 0, context.gdtFrames, 0, frames.length);
            context.gdtEntries = (int) entries;
            contexts.rootChanged(call.vcpu);
        }
        return rc;
    }

    /** update_descriptor(machine address, descriptor): one entry of a page of the domain, which may be in use as GDT or LDT. */
    long updateDescriptor(Call call) {
        long address = call.argument(0);
        long descriptor = SegmentDescriptors.audit(call.argument(1), call.compat);
        MemoryOwner owner = call.domain.memory;
        Memory memory = domains.memory;
        long mfn = address >>> PhysicalMemory.FRAME_SHIFT;
        if ((address & DESCRIPTOR_BYTES - 1) != 0 || descriptor == SegmentDescriptors.REFUSED
                || !memory.get(mfn, owner)) {
            return -EINVAL;
        }
        int frame = (int) mfn;
        boolean inUse = memory.frames().type(frame) == FrameTable.SEGMENT_DESCRIPTORS
                && memory.frames().uses(frame) > 0;
        int rc = -EINVAL;
        if (domains.types.get(frame, inUse ? FrameTable.SEGMENT_DESCRIPTORS : FrameTable.WRITABLE)) {
            memory.ram().write64(address, descriptor);
            domains.types.put(frame);
            rc = 0;
        }
        memory.put(frame);
        return rc;
    }

    /** set_segment_base(which, base): FS, the GS of kernel or user mode, or the selector of user mode's GS. */
    long setSegmentBase(Call call) {
        Processor p = contexts.processor(call.vcpu.loadedOn).cpu;
        long base = call.argument(1);
        int which = (int) call.argument(0);
        if (which == ArchX86.SEGBASE_GS_USER_SEL) {
            loadUserGs(p, call.vcpu, (int) base & 0xffff);
            return 0;
        }
        if (base << 16 >> 16 != base) {
            return -EINVAL;
        }
        switch (which) {
            case ArchX86.SEGBASE_FS -> p.segmentBase[Processor.FS] = base;
            // The caller's kernel runs, so the user's base is in the other register.
            case ArchX86.SEGBASE_GS_USER -> p.msr.kernelGsBase = base;
            case ArchX86.SEGBASE_GS_KERNEL -> p.segmentBase[Processor.GS] = base;
            default -> {
                return -EINVAL;
            }
        }
        return 0;
    }

    /** The user's GS gets the selector's base; one that cannot be loaded becomes null. The kernel's base stays. */
    private static void loadUserGs(Processor p, Vcpu vcpu, int selector) {
        long kernelBase = p.segmentBase[Processor.GS];
        ContextSwitch.loadData(p, vcpu, Processor.GS, selector);
        p.msr.kernelGsBase = p.segmentBase[Processor.GS];
        p.segmentBase[Processor.GS] = kernelBase;
        p.updateContext();
    }
}
