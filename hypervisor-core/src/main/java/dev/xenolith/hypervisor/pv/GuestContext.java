package dev.xenolith.hypervisor.pv;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ERESTART;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.FloatContext;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.hypervisor.abi.ArchX86.CompatVcpuGuestContext;
import dev.xenolith.hypervisor.abi.ArchX86.TrapInfo;
import dev.xenolith.hypervisor.abi.ArchX86.UserRegs;
import dev.xenolith.hypervisor.abi.ArchX86.VcpuGuestContext;
import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.PvContext;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.memory.GuestLinear;
import dev.xenolith.hypervisor.paging.VcpuTables;
import java.util.Arrays;
import java.util.Objects;

/** A whole PV vCPU as a vcpu_guest_context: set by builders and VCPUOP_initialise, read by debuggers (arch_set_info_guest). */
public final class GuestContext {
    private static final int[] GPR_OFFSETS = {UserRegs.RAX, UserRegs.RCX, UserRegs.RDX, UserRegs.RBX, UserRegs.RSP,
        UserRegs.RBP, UserRegs.RSI, UserRegs.RDI, UserRegs.R8, UserRegs.R9, UserRegs.R10, UserRegs.R11,
        UserRegs.R12, UserRegs.R13, UserRegs.R14, UserRegs.R15};
    /** In the processor's order: ES CS SS DS FS GS. */
    private static final int[] SELECTOR_OFFSETS = {UserRegs.ES, UserRegs.CS, UserRegs.SS, UserRegs.DS, UserRegs.FS,
        UserRegs.GS};
    private static final int REGS = VcpuGuestContext.USER_REGS;
    private static final int GDT_FRAMES = 16;
    private static final int MAX_LDT_ENTRIES = 8192;

    private final Domains domains;
    private final ContextSwitch contexts;

    public GuestContext(Domains domains, ContextSwitch contexts) {
        this.domains = domains;
        this.contexts = contexts;
    }

    /**
     * Gives a vCPU, which is not running, the state in {@code c}, {@link #sizeOf} bytes of any contents. Everything is checked before the
     * registers change.
     *
     * @return 0; -EINVAL; or -ERESTART: call again with the same bytes
     */
    public int set(Vcpu vcpu, byte[] c) {
        if (c.length != sizeOf(vcpu)) {
            return -EINVAL;
        }
        if (!vcpu.domain.memory.isCompat()) {
            return setNative(vcpu, c);
        }
        contexts.unload(vcpu);
        int rc = CompatGuestContext.setTables(vcpu, c);
        if (rc == 0) {
            CompatGuestContext.setRegisters(vcpu.pv(), c);
            begin(vcpu, CompatGuestContext.flags(c), CompatGuestContext.vmAssist(c));
        }
        return rc;
    }

    /** Bytes of the vcpu_guest_context of {@code vcpu}. */
    public static int sizeOf(Vcpu vcpu) {
        return vcpu.domain.memory.isCompat() ? CompatVcpuGuestContext.SIZE : VcpuGuestContext.SIZE;
    }

    private int setNative(Vcpu vcpu, byte[] c) {
        long flags = Bytes.get64(c, VcpuGuestContext.FLAGS);
        long gdtEntries = Bytes.get64(c, VcpuGuestContext.GDT_ENTS);
        long ldtEntries = Bytes.get64(c, VcpuGuestContext.LDT_ENTS);
        long userCr3 = Bytes.get64(c, VcpuGuestContext.CTRLREG + 8);
        boolean inKernel = (flags & ArchX86.VGCF_IN_KERNEL) != 0;
        if (gdtEntries < 0 || gdtEntries > ArchX86.FIRST_RESERVED_GDT_ENTRY || ldtEntries < 0
                || ldtEntries > MAX_LDT_ENTRIES || !inKernel && userCr3 == 0 || !addressesAreGuests(c)) {
            return -EINVAL;
        }
        contexts.unload(vcpu);
        VcpuTables tables = vcpu.tables();
        int rc = tables.setKernelRoot(Bytes.get64(c, VcpuGuestContext.CTRLREG + 24) >>> PhysicalMemory.FRAME_SHIFT);
        if (rc == 0) {
            rc = tables.setUserRoot(userCr3 >>> PhysicalMemory.FRAME_SHIFT);
        }
        if (rc != 0) {
            return rc == -ERESTART ? rc : -EINVAL;
        }
        long[] frames = new long[GDT_FRAMES];
        for (int i = 0; i < GDT_FRAMES; i++) {
            frames[i] = Bytes.get64(c, VcpuGuestContext.GDT_FRAMES + 8 * i);
        }
        if (Objects.requireNonNull(vcpu.domain.descriptors).setGdt(vcpu.id, frames, (int) gdtEntries) != 0
                || tables.setLdt(Bytes.get64(c, VcpuGuestContext.LDT_BASE), (int) ldtEntries) != 0) {
            return -EINVAL;
        }
        PvContext context = vcpu.pv();
        System.arraycopy(frames, 0, context.gdtFrames, 0, context.gdtFrames.length);
        context.gdtEntries = (int) gdtEntries;
        setRegisters(context, c);
        setKernelEntries(context, c, flags);
        context.kernelMode = inKernel;
        begin(vcpu, flags, Bytes.get64(c, VcpuGuestContext.VM_ASSIST));
        return 0;
    }

    private void begin(Vcpu vcpu, long flags, long vmAssist) {
        if (!vcpu.initialised && vcpu.id == 0) {
            vcpu.domain.vmAssist = vmAssist;
        }
        vcpu.initialised = true;
        if ((flags & ArchX86.VGCF_ONLINE) != 0) {
            domains.dispatcher.up(vcpu);
        } else {
            domains.dispatcher.down(vcpu);
        }
    }

    private static boolean addressesAreGuests(byte[] c) {
        for (int offset : new int[]{VcpuGuestContext.EVENT_CALLBACK_EIP, VcpuGuestContext.FAILSAFE_CALLBACK_EIP,
            VcpuGuestContext.SYSCALL_CALLBACK_EIP, VcpuGuestContext.FS_BASE, VcpuGuestContext.GS_BASE_KERNEL,
            VcpuGuestContext.GS_BASE_USER, REGS + UserRegs.RIP}) {
            if (!isCanonical(Bytes.get64(c, offset))) {
                return false;
            }
        }
        for (int vector = 0; vector < 256; vector++) {
            long address = Bytes.get64(c, VcpuGuestContext.TRAP_CTXT + vector * TrapInfo.SIZE + TrapInfo.ADDRESS);
            if (address != 0 && !GuestLinear.isGuestAddress(address)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isCanonical(long address) {
        return address << 16 >> 16 == address;
    }

    private static void setRegisters(PvContext context, byte[] c) {
        if ((Bytes.get64(c, VcpuGuestContext.FLAGS) & ArchX86.VGCF_I387_VALID) != 0) {
            // An MXCSR that the processor would refuse leaves the initial state.
            context.floating.setImage(Arrays.copyOfRange(c, VcpuGuestContext.FPU_CTXT,
                    VcpuGuestContext.FPU_CTXT + FloatContext.FX_BYTES));
        }
        for (int i = 0; i < GPR_OFFSETS.length; i++) {
            context.gpr[i] = Bytes.get64(c, REGS + GPR_OFFSETS[i]);
        }
        for (int i = 0; i < SELECTOR_OFFSETS.length; i++) {
            context.selector[i] = Bytes.get16(c, REGS + SELECTOR_OFFSETS[i]);
        }
        context.selector[Processor.CS] |= 3;
        context.selector[Processor.SS] |= 3;
        context.rip = Bytes.get64(c, REGS + UserRegs.RIP);
        long rflags = Bytes.get64(c, REGS + UserRegs.RFLAGS);
        context.iopl = (int) (rflags >>> Bits.IOPL_SHIFT) & 3;
        context.rflags = rflags & ~(Bits.RFLAGS_IOPL | Bits.RFLAGS_VM) | Bits.RFLAGS_IF | Bits.RFLAGS_FIXED;
        context.fsBase = Bytes.get64(c, VcpuGuestContext.FS_BASE);
        context.gsBaseKernel = Bytes.get64(c, VcpuGuestContext.GS_BASE_KERNEL);
        context.gsBaseUser = Bytes.get64(c, VcpuGuestContext.GS_BASE_USER);
        context.cr0 = PvContext.CR0 | Bytes.get64(c, VcpuGuestContext.CTRLREG) & Bits.CR0_TS;
        context.cr4 = Bytes.get64(c, VcpuGuestContext.CTRLREG + 32) & ContextSwitch.CR4_GUEST;
        for (int i = 0; i < 8; i++) {
            // A value that is not allowed leaves the register as it is, as Xen does.
            DebugRegisters.write(context, i, Bytes.get64(c, VcpuGuestContext.DEBUGREG + 8 * i));
        }
    }

    private static void setKernelEntries(PvContext context, byte[] c, long flags) {
        for (int vector = 0; vector < 256; vector++) {
            int at = VcpuGuestContext.TRAP_CTXT + vector * TrapInfo.SIZE;
            context.trapAddress[vector] = Bytes.get64(c, at + TrapInfo.ADDRESS);
            context.trapSelector[vector] = (char) (Bytes.get16(c, at + TrapInfo.CS) | 3);
            context.trapFlags[vector] = (byte) Bytes.get8(c, at + TrapInfo.FLAGS);
        }
        context.kernelSs = (int) Bytes.get64(c, VcpuGuestContext.KERNEL_SS) & 0xffff | 3;
        context.kernelSp = Bytes.get64(c, VcpuGuestContext.KERNEL_SP);
        context.eventCallback = Bytes.get64(c, VcpuGuestContext.EVENT_CALLBACK_EIP);
        context.failsafeCallback = Bytes.get64(c, VcpuGuestContext.FAILSAFE_CALLBACK_EIP);
        context.failsafeMasksEvents = (flags & ArchX86.VGCF_FAILSAFE_DISABLES_EVENTS) != 0;
        context.syscallCallback = Bytes.get64(c, VcpuGuestContext.SYSCALL_CALLBACK_EIP);
        context.syscallMasksEvents = (flags & ArchX86.VGCF_SYSCALL_DISABLES_EVENTS) != 0;
    }

    static long flags(Vcpu vcpu) {
        PvContext context = vcpu.pv();
        return ArchX86.VGCF_I387_VALID | (context.kernelMode ? ArchX86.VGCF_IN_KERNEL : 0)
                | (vcpu.isUp() ? ArchX86.VGCF_ONLINE : 0)
                | (context.failsafeMasksEvents ? ArchX86.VGCF_FAILSAFE_DISABLES_EVENTS : 0)
                | (context.syscallMasksEvents ? ArchX86.VGCF_SYSCALL_DISABLES_EVENTS : 0);
    }

    /** The vCPU's present state. */
    public byte[] get(Vcpu vcpu) {
        contexts.synchronise(vcpu);
        if (vcpu.domain.memory.isCompat()) {
            return CompatGuestContext.get(vcpu);
        }
        PvContext context = vcpu.pv();
        VcpuTables tables = vcpu.tables();
        byte[] c = new byte[VcpuGuestContext.SIZE];
        byte[] image = new byte[FloatContext.FX_BYTES];
        context.floating.getImage(image);
        System.arraycopy(image, 0, c, VcpuGuestContext.FPU_CTXT, image.length);
        Bytes.put64(c, VcpuGuestContext.FLAGS, flags(vcpu));
        for (int i = 0; i < GPR_OFFSETS.length; i++) {
            Bytes.put64(c, REGS + GPR_OFFSETS[i], context.gpr[i]);
        }
        for (int i = 0; i < SELECTOR_OFFSETS.length; i++) {
            Bytes.put16(c, REGS + SELECTOR_OFFSETS[i], context.selector[i]);
        }
        Bytes.put64(c, REGS + UserRegs.RIP, context.rip);
        Bytes.put64(c, REGS + UserRegs.RFLAGS, context.rflags | (long) context.iopl << Bits.IOPL_SHIFT);
        for (int vector = 0; vector < 256; vector++) {
            int at = VcpuGuestContext.TRAP_CTXT + vector * TrapInfo.SIZE;
            Bytes.put8(c, at + TrapInfo.VECTOR, vector);
            Bytes.put8(c, at + TrapInfo.FLAGS, context.trapFlags[vector]);
            Bytes.put16(c, at + TrapInfo.CS, context.trapSelector[vector]);
            Bytes.put64(c, at + TrapInfo.ADDRESS, context.trapAddress[vector]);
        }
        Bytes.put64(c, VcpuGuestContext.LDT_BASE, tables.ldtBase());
        Bytes.put64(c, VcpuGuestContext.LDT_ENTS, tables.ldtEntries());
        for (int i = 0; i < (context.gdtEntries + 511) / 512; i++) {
            Bytes.put64(c, VcpuGuestContext.GDT_FRAMES + 8 * i, context.gdtFrames[i]);
        }
        Bytes.put64(c, VcpuGuestContext.GDT_ENTS, context.gdtEntries);
        Bytes.put64(c, VcpuGuestContext.KERNEL_SS, context.kernelSs);
        Bytes.put64(c, VcpuGuestContext.KERNEL_SP, context.kernelSp);
        Bytes.put64(c, VcpuGuestContext.CTRLREG, context.cr0);
        Bytes.put64(c, VcpuGuestContext.CTRLREG + 8, (long) tables.userRoot() << PhysicalMemory.FRAME_SHIFT);
        Bytes.put64(c, VcpuGuestContext.CTRLREG + 24, (long) tables.kernelRoot() << PhysicalMemory.FRAME_SHIFT);
        Bytes.put64(c, VcpuGuestContext.CTRLREG + 32, context.cr4);
        for (int i = 0; i < 8; i++) {
            Bytes.put64(c, VcpuGuestContext.DEBUGREG + 8 * i, context.debug[i]);
        }
        Bytes.put64(c, VcpuGuestContext.EVENT_CALLBACK_EIP, context.eventCallback);
        Bytes.put64(c, VcpuGuestContext.FAILSAFE_CALLBACK_EIP, context.failsafeCallback);
        Bytes.put64(c, VcpuGuestContext.SYSCALL_CALLBACK_EIP, context.syscallCallback);
        Bytes.put64(c, VcpuGuestContext.VM_ASSIST, vcpu.domain.vmAssist);
        Bytes.put64(c, VcpuGuestContext.FS_BASE, context.fsBase);
        Bytes.put64(c, VcpuGuestContext.GS_BASE_KERNEL, context.gsBaseKernel);
        Bytes.put64(c, VcpuGuestContext.GS_BASE_USER, context.gsBaseUser);
        return c;
    }
}
