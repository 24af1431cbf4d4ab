package dev.xenolith.hypervisor.pv;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ERESTART;

import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.FloatContext;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.hypervisor.abi.ArchX86.CompatUserRegs;
import dev.xenolith.hypervisor.abi.ArchX86.CompatVcpuGuestContext;
import dev.xenolith.hypervisor.abi.ArchX86.TrapInfo;
import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.domain.PvContext;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.paging.SegmentDescriptors;
import dev.xenolith.hypervisor.paging.VcpuTables;
import java.util.Arrays;
import java.util.Objects;

/** A whole vCPU of a 32-bit guest as a vcpu_guest_context of that width (arch_set_info_guest, arch_get_info_guest). */
final class CompatGuestContext {
    private static final int[] GPR_OFFSETS = {CompatUserRegs.EAX, CompatUserRegs.ECX, CompatUserRegs.EDX,
        CompatUserRegs.EBX, CompatUserRegs.ESP, CompatUserRegs.EBP, CompatUserRegs.ESI, CompatUserRegs.EDI};
    /** In the processor's order: ES CS SS DS FS GS. */
    private static final int[] SELECTOR_OFFSETS = {CompatUserRegs.ES, CompatUserRegs.CS, CompatUserRegs.SS,
        CompatUserRegs.DS, CompatUserRegs.FS, CompatUserRegs.GS};
    private static final int REGS = CompatVcpuGuestContext.USER_REGS;
    private static final int TRAPS = CompatVcpuGuestContext.TRAP_CTXT;
    private static final int TRAP_SIZE = TrapInfo.LAYOUT.compatSize();
    private static final int TRAP_ADDRESS = TrapInfo.LAYOUT.compatOffset("address");
    private static final int GDT_FRAMES = 16;
    private static final int MAX_LDT_ENTRIES = 8192;

    private CompatGuestContext() {
    }

    private static long word(byte[] c, int offset) {
        return Bytes.get32(c, offset) & 0xffff_ffffL;
    }

    /**
     * Gives a vCPU, which is not loaded, the tables in {@code c}. 0; -EINVAL; -ERESTART. If it is 0, {@link #setRegisters} follows.
     */
    static int setTables(Vcpu vcpu, byte[] c) {
        long gdtEntries = word(c, CompatVcpuGuestContext.GDT_ENTS);
        long ldtEntries = word(c, CompatVcpuGuestContext.LDT_ENTS);
        if (gdtEntries > ArchX86.FIRST_RESERVED_GDT_ENTRY || ldtEntries > MAX_LDT_ENTRIES) {
            return -EINVAL;
        }
        VcpuTables tables = vcpu.tables();
        int cr3 = Bytes.get32(c, CompatVcpuGuestContext.CTRLREG + 3 * Integer.BYTES);
        int rc = tables.setKernelRoot(CompatVcpuGuestContext.frameOf(cr3) & 0xffff_ffffL);
        if (rc != 0) {
            return rc == -ERESTART ? rc : -EINVAL;
        }
        long[] frames = new long[GDT_FRAMES];
        for (int i = 0; i < GDT_FRAMES; i++) {
            frames[i] = word(c, CompatVcpuGuestContext.GDT_FRAMES + Integer.BYTES * i);
        }
        if (Objects.requireNonNull(vcpu.domain.descriptors).setGdt(vcpu.id, frames, (int) gdtEntries) != 0
                || tables.setLdt(word(c, CompatVcpuGuestContext.LDT_BASE), (int) ldtEntries) != 0) {
            return -EINVAL;
        }
        PvContext context = vcpu.pv();
        System.arraycopy(frames, 0, context.gdtFrames, 0, context.gdtFrames.length);
        context.gdtEntries = (int) gdtEntries;
        return 0;
    }

    /** The flags of the context in {@code c}. */
    static long flags(byte[] c) {
        return word(c, CompatVcpuGuestContext.FLAGS);
    }

    static long vmAssist(byte[] c) {
        return word(c, CompatVcpuGuestContext.VM_ASSIST);
    }

    /** Registers and entry points. */
    static void setRegisters(PvContext context, byte[] c) {
        if ((flags(c) & ArchX86.VGCF_I387_VALID) != 0) {
            context.floating.setImage(Arrays.copyOfRange(c, CompatVcpuGuestContext.FPU_CTXT,
                    CompatVcpuGuestContext.FPU_CTXT + FloatContext.FX_BYTES));
        }
        Arrays.fill(context.gpr, 0);
        for (int i = 0; i < GPR_OFFSETS.length; i++) {
            context.gpr[i] = word(c, REGS + GPR_OFFSETS[i]);
        }
        for (int i = 0; i < SELECTOR_OFFSETS.length; i++) {
            context.selector[i] = Bytes.get16(c, REGS + SELECTOR_OFFSETS[i]);
        }
        context.selector[Processor.CS] = selector(c, REGS + CompatUserRegs.CS);
        context.selector[Processor.SS] = selector(c, REGS + CompatUserRegs.SS);
        context.kernelMode = (context.selector[Processor.CS] & 3) == ContextSwitch.COMPAT_KERNEL_RING;
        context.rip = word(c, REGS + CompatUserRegs.EIP);
        long eflags = word(c, REGS + CompatUserRegs.EFLAGS);
        context.iopl = (int) (eflags >>> Bits.IOPL_SHIFT) & 3;
        context.rflags = eflags & ~(Bits.RFLAGS_IOPL | Bits.RFLAGS_VM) | Bits.RFLAGS_IF | Bits.RFLAGS_FIXED;
        context.cr0 = PvContext.CR0 | word(c, CompatVcpuGuestContext.CTRLREG) & Bits.CR0_TS;
        context.cr4 = word(c, CompatVcpuGuestContext.CTRLREG + 4 * Integer.BYTES) & ContextSwitch.CR4_GUEST;
        for (int i = 0; i < 8; i++) {
            DebugRegisters.write(context, i, word(c, CompatVcpuGuestContext.DEBUGREG + Integer.BYTES * i));
        }
        for (int vector = 0; vector < 256; vector++) {
            int at = TRAPS + vector * TRAP_SIZE;
            context.trapAddress[vector] = word(c, at + TRAP_ADDRESS);
            context.trapSelector[vector] = (char) selector(c, at + TrapInfo.CS);
            context.trapFlags[vector] = (byte) Bytes.get8(c, at + TrapInfo.FLAGS);
        }
        context.kernelSs = selector(c, CompatVcpuGuestContext.KERNEL_SS);
        context.kernelSp = word(c, CompatVcpuGuestContext.KERNEL_SP);
        context.eventSelector = selector(c, CompatVcpuGuestContext.EVENT_CALLBACK_CS);
        context.eventCallback = word(c, CompatVcpuGuestContext.EVENT_CALLBACK_EIP);
        context.failsafeSelector = selector(c, CompatVcpuGuestContext.FAILSAFE_CALLBACK_CS);
        context.failsafeCallback = word(c, CompatVcpuGuestContext.FAILSAFE_CALLBACK_EIP);
        context.failsafeMasksEvents = (flags(c) & ArchX86.VGCF_FAILSAFE_DISABLES_EVENTS) != 0;
    }

    private static int selector(byte[] c, int offset) {
        return SegmentDescriptors.guestSelector(Bytes.get16(c, offset), true);
    }

    /** The state of a vCPU, whose registers have been synchronised. */
    static byte[] get(Vcpu vcpu) {
        PvContext context = vcpu.pv();
        VcpuTables tables = vcpu.tables();
        byte[] c = new byte[CompatVcpuGuestContext.SIZE];
        byte[] image = new byte[FloatContext.FX_BYTES];
        context.floating.getImage(image);
        System.arraycopy(image, 0, c, CompatVcpuGuestContext.FPU_CTXT, image.length);
        put(c, CompatVcpuGuestContext.FLAGS, GuestContext.flags(vcpu));
        for (int i = 0; i < GPR_OFFSETS.length; i++) {
            put(c, REGS + GPR_OFFSETS[i], context.gpr[i]);
        }
        for (int i = 0; i < SELECTOR_OFFSETS.length; i++) {
            Bytes.put16(c, REGS + SELECTOR_OFFSETS[i], context.selector[i]);
        }
        put(c, REGS + CompatUserRegs.EIP, context.rip);
        put(c, REGS + CompatUserRegs.EFLAGS, context.rflags | (long) context.iopl << Bits.IOPL_SHIFT);
        for (int vector = 0; vector < 256; vector++) {
            int at = TRAPS + vector * TRAP_SIZE;
            Bytes.put8(c, at + TrapInfo.VECTOR, vector);
            Bytes.put8(c, at + TrapInfo.FLAGS, context.trapFlags[vector]);
            Bytes.put16(c, at + TrapInfo.CS, context.trapSelector[vector]);
            put(c, at + TRAP_ADDRESS, context.trapAddress[vector]);
        }
        put(c, CompatVcpuGuestContext.LDT_BASE, tables.ldtBase());
        put(c, CompatVcpuGuestContext.LDT_ENTS, tables.ldtEntries());
        for (int i = 0; i < (context.gdtEntries + 511) / 512; i++) {
            put(c, CompatVcpuGuestContext.GDT_FRAMES + Integer.BYTES * i, context.gdtFrames[i]);
        }
        put(c, CompatVcpuGuestContext.GDT_ENTS, context.gdtEntries);
        put(c, CompatVcpuGuestContext.KERNEL_SS, context.kernelSs);
        put(c, CompatVcpuGuestContext.KERNEL_SP, context.kernelSp);
        put(c, CompatVcpuGuestContext.CTRLREG, context.cr0);
        put(c, CompatVcpuGuestContext.CTRLREG + 3 * Integer.BYTES, CompatVcpuGuestContext.cr3(tables.kernelRoot()));
        put(c, CompatVcpuGuestContext.CTRLREG + 4 * Integer.BYTES, context.cr4);
        for (int i = 0; i < 8; i++) {
            put(c, CompatVcpuGuestContext.DEBUGREG + Integer.BYTES * i, context.debug[i]);
        }
        put(c, CompatVcpuGuestContext.EVENT_CALLBACK_CS, context.eventSelector);
        put(c, CompatVcpuGuestContext.EVENT_CALLBACK_EIP, context.eventCallback);
        put(c, CompatVcpuGuestContext.FAILSAFE_CALLBACK_CS, context.failsafeSelector);
        put(c, CompatVcpuGuestContext.FAILSAFE_CALLBACK_EIP, context.failsafeCallback);
        put(c, CompatVcpuGuestContext.VM_ASSIST, vcpu.domain.vmAssist);
        return c;
    }

    private static void put(byte[] c, int offset, long value) {
        Bytes.put32(c, offset, (int) value);
    }
}
