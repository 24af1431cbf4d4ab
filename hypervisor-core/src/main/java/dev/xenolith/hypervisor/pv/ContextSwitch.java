package dev.xenolith.hypervisor.pv;

import static dev.xenolith.hypervisor.abi.ArchX86.FLAT_RING3_CS64;
import static dev.xenolith.hypervisor.abi.ArchX86.FLAT_RING3_SS32;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.paging.Tlb;
import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.ControlRegisters;
import dev.xenolith.cpu.processor.ControlTransfer;
import dev.xenolith.cpu.processor.Msrs;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Segment;
import dev.xenolith.cpu.processor.Segmentation;
import dev.xenolith.cpu.processor.Vector;
import dev.xenolith.hypervisor.domain.PvContext;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.domain.VcpuState;
import dev.xenolith.hypervisor.paging.DescriptorTables;
import dev.xenolith.hypervisor.paging.VcpuTables;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Puts PV vCPUs on processors and takes them off (xen/arch/x86/domain.c, context_switch). A vCPU's registers stay in the processor
 * until another one needs it. Its two address spaces have a tag each, so that neither a system call nor coming back to the same
 * processor costs translations.
 */
public final class ContextSwitch implements VcpuState {
    /** CR4 while guests run, beside what they may change themselves: no global pages, for tags keep address spaces apart. */
    private static final long CR4 = Bits.CR4_PAE | Bits.CR4_MCE;
    /** Bits of CR4 that a guest may change. */
    static final long CR4_GUEST = Bits.CR4_TSD | Bits.CR4_DE | Bits.CR4_FSGSBASE | Bits.CR4_OSXSAVE;
    private static final int GDT_LIMIT = DescriptorTables.PAGES * PhysicalMemory.FRAME_SIZE - 1;
    private static final int DESCRIPTOR_BYTES = 8;
    /** Result of {@link #enter}: there was no fault. */
    static final int ENTERED = -1;
    private static final int LDT = 2;
    static final int COMPAT_KERNEL_RING = 1;
    private static final long OFFSET = 0xffff_ffffL;

    private final PvProcessor[] processors;
    private final RegisterDump dump;
    private final AddressSpaceTags tags = new AddressSpaceTags(Tlb.ADDRESS_SPACE_TAGS);
    /** Set after construction, for it needs this. */
    private @Nullable Bounce bounce;

    public ContextSwitch(List<Processor> cpus, PhysicalMemory ram, RegisterDump dump) {
        processors = new PvProcessor[cpus.size()];
        for (Processor cpu : cpus) {
            processors[cpu.index] = new PvProcessor(cpu, ram);
        }
        this.dump = dump;
    }

    void setBounce(Bounce bounce) { this.bounce = bounce; }

    public PvProcessor processor(int index) {
        return processors[index];
    }

    /** Prepares a processor for guests: long mode with paging, write protection, SYSCALL, CPUID faulting, gates' DPLs. */
    public static void prepare(Processor p, long initialRoot) {
        p.hosted = true;
        p.cpl = 0;
        require(ControlRegisters.writeCr4(p, cr4(p)));
        p.setCr3(initialRoot, AddressSpaceTags.HYPERVISOR);
        require(ControlRegisters.writeEfer(p, Bits.EFER_SCE | Bits.EFER_LME | Bits.EFER_NXE));
        require(ControlRegisters.writeCr0(p,
                Bits.CR0_PE | Bits.CR0_MP | Bits.CR0_ET | Bits.CR0_NE | Bits.CR0_WP | Bits.CR0_AM | Bits.CR0_PG));
        Msrs.setCpuidFaulting(p, true);
        // SYSENTER reaches the hypervisor when a code selector is set; its value is never loaded.
        Msrs.write(p, Msrs.SYSENTER_CS, FLAT_RING3_CS64);
        for (int vector : new int[]{3, 4, 0x80}) {
            p.vectorDpl[vector] = 3;
        }
        p.vectorDpl[0x82] = 1;
    }

    private static void require(boolean done) {
        if (!done) {
            throw new IllegalStateException("the processor refuses to be prepared for guests");
        }
    }

    // ---- loading -----------------------------------------------------------------------------------------------------

    /** Makes processor {@code index} hold {@code vcpu}, so that it can run. Its kernel root table is set. */
    public PvProcessor load(Vcpu vcpu, int index) {
        PvProcessor processor = processors[index];
        if (processor.loaded == vcpu) {
            return processor;
        }
        if (processor.loaded != null) {
            unload(processor.loaded);
        }
        unload(vcpu);
        Processor p = processor.cpu;
        PvContext context = vcpu.pv();
        processor.loaded = vcpu;
        vcpu.loadedOn = index;
        vcpu.processorsUsed |= 1L << index;
        System.arraycopy(context.gpr, 0, p.gpr, 0, 16);
        // That of the guest's kernel; user mode is entered from there.
        p.cpl = vcpu.domain.memory.isCompat() ? COMPAT_KERNEL_RING : 3;
        p.gdtBase = DescriptorTables.gdtAddress(vcpu.id);
        p.gdtLimit = GDT_LIMIT;
        loadLdt(p, vcpu);
        writeCr4(p, context.cr4);
        setTaskSwitched(p, (context.cr0 & Bits.CR0_TS) != 0);
        p.xcr0 = context.xcr0;
        context.floating.load(p);
        loadDebugRegisters(p, context);
        loadRoot(processor, vcpu);
        loadSegments(processor, vcpu);
        return processor;
    }

    /** Code and stack first, then the data segments; those that cannot be loaded any more are the failsafe callback's business. */
    private void loadSegments(PvProcessor processor, Vcpu vcpu) {
        Processor p = processor.cpu;
        PvContext context = vcpu.pv();
        p.setRflags(context.rflags | Bits.RFLAGS_IF);
        boolean compat = vcpu.domain.memory.isCompat();
        int cs = context.selector[Processor.CS];
        int ss = context.selector[Processor.SS];
        long rsp = context.gpr[Processor.RSP];
        int fault = enterGuest(p, vcpu, cs, context.rip, ss, rsp);
        boolean sound = true;
        for (int segment : new int[]{Processor.DS, Processor.ES, Processor.FS, Processor.GS}) {
            sound &= loadData(p, vcpu, segment, context.selector[segment]);
        }
        if (!compat) {
            p.segmentBase[Processor.FS] = context.fsBase;
            p.segmentBase[Processor.GS] = context.kernelMode ? context.gsBaseKernel : context.gsBaseUser;
            p.msr.kernelGsBase = context.kernelMode ? context.gsBaseUser : context.gsBaseKernel;
        }
        p.updateContext();
        if (fault != ENTERED) {
            bounce().returnFault(processor, vcpu, fault, cs, context.rip, ss, rsp);
        } else if (!sound) {
            bounce().failsafe(processor, vcpu, context.selector);
        }
    }

    /** Loads a data segment, or the null selector if it cannot be loaded: then it returns false. */
    static boolean loadData(Processor p, Vcpu vcpu, int segment, int selector) {
        int fault;
        do {
            fault = Segmentation.tryLoadSegment(p, segment, selector);
        } while (providesLdt(p, vcpu, fault));
        if (fault != ENTERED) {
            Segmentation.tryLoadSegment(p, segment, 0);
        }
        return fault == ENTERED;
    }

    /** {@link #enter} or {@link #enterCompat}, whichever is the guest's. */
    static int enterGuest(Processor p, Vcpu vcpu, int cs, long rip, int ss, long rsp) {
        boolean compat = vcpu.domain.memory.isCompat();
        int fault;
        do {
            fault = compat ? enterCompat(p, cs, rip, ss, rsp) : enter(p, cs, rip, ss, rsp);
        } while (providesLdt(p, vcpu, fault));
        return fault;
    }

    /** Whether {@code fault} was that a page of the LDT, which are mapped when first used, was not there, and now is. */
    private static boolean providesLdt(Processor p, Vcpu vcpu, int fault) {
        long offset = p.faultAddress - DescriptorTables.ldtAddress(vcpu.id);
        return fault != ENTERED && fault >>> 16 == Vector.PF && offset >= 0 && offset < DescriptorTables.LDT_BYTES
                && vcpu.tables().mapLdtPage(offset);
    }

    /**
     * Loads CS, RIP, SS and RSP, as IRETQ to ring 3 would. Returns {@link #ENTERED}, or the fault as vector &lt;&lt; 16 | error code:
     * then the flat segments are loaded.
     */
    private static int enter(Processor p, int cs, long rip, int ss, long rsp) {
        if (cs == FLAT_RING3_CS64 && ss == FLAT_RING3_SS32 && ControlRegisters.isCanonical(p, rip)) {
            enterFlat(p, rip, rsp);
            return ENTERED;
        }
        int fault = ControlTransfer.tryReturn(p, cs, rip, ss, rsp);
        if (fault != ENTERED) {
            enterFlat(p, rip, rsp);
        }
        return fault;
    }

    /**
     * Loads CS, EIP, SS and ESP of a 32-bit guest, as IRET to ring 1 to 3 would. Returns {@link #ENTERED}, or the fault as vector &lt;&lt; 16 |
     * error code: then nothing has changed.
     */
    private static int enterCompat(Processor p, int cs, long eip, int ss, long esp) {
        int before = p.cpl;
        p.cpl = COMPAT_KERNEL_RING;
        int fault = ControlTransfer.tryReturn(p, cs, eip & OFFSET, ss, esp & OFFSET);
        if (fault != ENTERED) {
            p.cpl = before;
        }
        return fault;
    }

    /** The instruction pointer as software sees it: an offset in CS outside 64-bit code. */
    static long instructionPointer(Processor p) {
        return p.is64Bit() ? p.rip : p.rip - p.segmentBase[Processor.CS] & OFFSET;
    }

    /** Loads Xen's flat 64-bit code and stack segments. */
    static void enterFlat(Processor p, long rip, long rsp) {
        if (p.segmentSelector[Processor.CS] != FLAT_RING3_CS64 || p.segmentSelector[Processor.SS] != FLAT_RING3_SS32) {
            p.segmentSelector[Processor.CS] = FLAT_RING3_CS64;
            p.segmentBase[Processor.CS] = 0;
            p.segmentLimit[Processor.CS] = 0xffff_ffffL;
            p.segmentAttributes[Processor.CS] = Segment.CODE_64 | 3 << Segment.DPL_SHIFT;
            p.segmentSelector[Processor.SS] = FLAT_RING3_SS32;
            p.segmentBase[Processor.SS] = 0;
            p.segmentLimit[Processor.SS] = 0xffff_ffffL;
            p.segmentAttributes[Processor.SS] = Segment.DATA | 3 << Segment.DPL_SHIFT;
            p.updateContext();
        }
        p.rip = rip;
        p.gpr[Processor.RSP] = rsp;
    }

    @Override
    public void unload(Vcpu vcpu) {
        if (vcpu.loadedOn < 0) {
            return;
        }
        PvProcessor processor = processors[vcpu.loadedOn];
        save(processor.cpu, vcpu.pv());
        processor.loaded = null;
        vcpu.loadedOn = -1;
    }

    /** Copies the registers of a loaded vCPU to its context, for somebody who reads them. */
    public void synchronise(Vcpu vcpu) {
        if (vcpu.loadedOn >= 0) {
            save(processors[vcpu.loadedOn].cpu, vcpu.pv());
        }
    }

    private static void save(Processor p, PvContext context) {
        System.arraycopy(p.gpr, 0, context.gpr, 0, 16);
        context.floating.save(p);
        context.rip = instructionPointer(p);
        context.rflags = p.rflags();
        System.arraycopy(p.segmentSelector, 0, context.selector, 0, context.selector.length);
        context.fsBase = p.segmentBase[Processor.FS];
        saveGsBases(p, context);
    }

    private static void saveGsBases(Processor p, PvContext context) {
        context.gsBaseKernel = context.kernelMode ? p.segmentBase[Processor.GS] : p.msr.kernelGsBase;
        context.gsBaseUser = context.kernelMode ? p.msr.kernelGsBase : p.segmentBase[Processor.GS];
    }

    // ---- modes and address spaces ------------------------------------------------------------------------------------

    /** Changes between the guest's kernel and user mode: page table and GS base. For entering user mode there is a user table. */
    void toggleMode(PvProcessor processor, Vcpu vcpu) {
        Processor p = processor.cpu;
        PvContext context = vcpu.pv();
        context.kernelMode = !context.kernelMode;
        long base = p.segmentBase[Processor.GS];
        p.segmentBase[Processor.GS] = p.msr.kernelGsBase;
        p.msr.kernelGsBase = base;
        p.setCr3(root(vcpu), tag(vcpu));
    }

    private Bounce bounce() {
        return Objects.requireNonNull(bounce);
    }

    // ---- changes from outside ----------------------------------------------------------------------------------------

    @Override
    public void rootChanged(Vcpu vcpu) {
        if (vcpu.loadedOn < 0) {
            vcpu.tagsValidOn = -1;
            return;
        }
        Processor p = processors[vcpu.loadedOn].cpu;
        p.setCr3(root(vcpu), tag(vcpu));
        p.flushAddressSpace(vcpu.tag);
        p.flushAddressSpace(vcpu.tag + 1);
    }

    @Override
    public void ldtChanged(Vcpu vcpu) {
        if (vcpu.loadedOn >= 0) {
            loadLdt(processors[vcpu.loadedOn].cpu, vcpu);
        }
    }

    @Override
    public void retire(Vcpu vcpu) {
        unload(vcpu);
        if (vcpu.tag >= 0) {
            tags.give(vcpu.tag);
            vcpu.tag = -1;
        }
    }

    @Override
    public void dump(Vcpu vcpu) {
        synchronise(vcpu);
        dump.print(vcpu, processors[Math.max(0, vcpu.loadedOn)]);
    }

    /** CR0 and CR4 of a loaded vCPU, as the guest sees them, take effect. */
    void controlsChanged(PvProcessor processor, Vcpu vcpu) {
        writeCr4(processor.cpu, vcpu.pv().cr4);
        setTaskSwitched(processor.cpu, (vcpu.pv().cr0 & Bits.CR0_TS) != 0);
    }

    /** The debug registers of a loaded vCPU take effect. */
    void debugChanged(PvProcessor processor, Vcpu vcpu) {
        loadDebugRegisters(processor.cpu, vcpu.pv());
    }

    /** What is on whatever the guest says. */
    private static long cr4(Processor p) {
        return CR4 | (p.model.has("fxsr") ? Bits.CR4_OSFXSR | Bits.CR4_OSXMMEXCPT : 0);
    }

    private static void writeCr4(Processor p, long guest) {
        long value = cr4(p) | guest & CR4_GUEST;
        if (p.cr4 != value) {
            ControlRegisters.writeCr4(p, value);
        }
    }

    private static void setTaskSwitched(Processor p, boolean on) {
        long value = on ? p.cr0 | Bits.CR0_TS : p.cr0 & ~Bits.CR0_TS;
        if (p.cr0 != value) {
            ControlRegisters.writeCr0(p, value);
        }
    }

    private static void loadDebugRegisters(Processor p, PvContext context) {
        boolean enabled = (context.debug[7] & Bits.DR7_ENABLED) != 0;
        if (enabled) {
            System.arraycopy(context.debug, 0, p.dr, 0, 4);
        }
        p.dr[6] = Bits.DR6_FIXED;
        p.dr[7] = enabled ? context.debug[7] : Bits.DR7_FIXED;
        p.updateContext();
    }

    private static void loadLdt(Processor p, Vcpu vcpu) {
        int entries = vcpu.tables().ldtEntries();
        p.segmentSelector[Processor.LDTR] = 0;
        p.segmentBase[Processor.LDTR] = DescriptorTables.ldtAddress(vcpu.id);
        p.segmentLimit[Processor.LDTR] = Math.max(0, entries * DESCRIPTOR_BYTES - 1);
        p.segmentAttributes[Processor.LDTR] = entries == 0 ? Segment.UNUSABLE : LDT | Segment.PRESENT;
    }

    /** Loads the root of the vCPU's mode. What its tags mean on this processor is stale if it has run elsewhere since. */
    private void loadRoot(PvProcessor processor, Vcpu vcpu) {
        Processor p = processor.cpu;
        if (vcpu.tag < 0) {
            vcpu.tag = tags.take();
            vcpu.tagsValidOn = -1;
        }
        p.setCr3(root(vcpu), tag(vcpu));
        if (vcpu.tagsValidOn != p.index || tags.areShared(vcpu.tag)) {
            p.flushAddressSpace(vcpu.tag);
            p.flushAddressSpace(vcpu.tag + 1);
            vcpu.tagsValidOn = p.index;
        }
    }

    private static long root(Vcpu vcpu) {
        VcpuTables tables = vcpu.tables();
        if (vcpu.domain.memory.isCompat()) {
            return (long) tables.walkRoot() << PhysicalMemory.FRAME_SHIFT;
        }
        int frame = vcpu.pv().kernelMode || tables.userRoot() == VcpuTables.NO_TABLE
                ? tables.kernelRoot()
                : tables.userRoot();
        return (long) frame << PhysicalMemory.FRAME_SHIFT;
    }

    /** The processor itself keeps the modes of a 32-bit guest apart, by their rings. */
    private static int tag(Vcpu vcpu) {
        return vcpu.tag + (vcpu.pv().kernelMode || vcpu.domain.memory.isCompat() ? 0 : 1);
    }
}
