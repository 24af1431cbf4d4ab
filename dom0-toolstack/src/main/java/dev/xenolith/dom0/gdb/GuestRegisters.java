package dev.xenolith.dom0.gdb;

import dev.xenolith.cpu.processor.FloatContext;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.ProcessorState;
import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.abi.ArchX86.UserRegs;
import dev.xenolith.hypervisor.abi.ArchX86.VcpuGuestContext;
import dev.xenolith.hypervisor.abi.Bytes;
import java.util.Arrays;

/** A {@code vcpu_guest_context} as the registers of a processor, and back. CR2 is not in it; SYSCALL, NX and long mode are always on. */
final class GuestRegisters {
    private static final int REGS = VcpuGuestContext.USER_REGS;
    private static final int[] GPR_OFFSETS = {UserRegs.RAX, UserRegs.RCX, UserRegs.RDX, UserRegs.RBX, UserRegs.RSP,
        UserRegs.RBP, UserRegs.RSI, UserRegs.RDI, UserRegs.R8, UserRegs.R9, UserRegs.R10, UserRegs.R11,
        UserRegs.R12, UserRegs.R13, UserRegs.R14, UserRegs.R15};
    /** In the processor's order: ES CS SS DS FS GS. */
    private static final int[] SELECTOR_OFFSETS = {UserRegs.ES, UserRegs.CS, UserRegs.SS, UserRegs.DS, UserRegs.FS,
        UserRegs.GS};
    /** SCE, LME, LMA and NXE. */
    static final long EFER = 0xd01;
    /** Attributes of a segment as they are in the upper half of its descriptor, shifted by 8. */
    private static final int CS_LONG = 1 << 13;
    private static final int CS_32 = 1 << 14;
    private static final int USER_CR3 = 1;
    private static final int KERNEL_CR3 = 3;

    private GuestRegisters() {}

    static boolean inKernel(byte[] context) {
        return (Bytes.get64(context, VcpuGuestContext.FLAGS) & ArchX86.VGCF_IN_KERNEL) != 0;
    }

    /** One of CR0 to CR4; CR3 is that of the mode in which the vCPU is. */
    static long control(byte[] context, int number) {
        int index = number != KERNEL_CR3 || inKernel(context) ? number : USER_CR3;
        return Bytes.get64(context, VcpuGuestContext.CTRLREG + Long.BYTES * index);
    }

    static int codeSelector(byte[] context) {
        return Bytes.get16(context, REGS + UserRegs.CS);
    }

    /** @param is64Bit whether the code segment is one of 64-bit code, which its descriptor says */
    static void save(byte[] context, boolean is64Bit, ProcessorState into) {
        for (int i = 0; i < GPR_OFFSETS.length; i++) {
            into.gpr[i] = Bytes.get64(context, REGS + GPR_OFFSETS[i]);
        }
        for (int i = 0; i < SELECTOR_OFFSETS.length; i++) {
            into.selector[i] = Bytes.get16(context, REGS + SELECTOR_OFFSETS[i]);
        }
        into.rip = Bytes.get64(context, REGS + UserRegs.RIP);
        into.rflags = Bytes.get64(context, REGS + UserRegs.RFLAGS);
        into.attributes[Processor.CS] = is64Bit ? CS_LONG : CS_32;
        into.cpl = 3;
        into.efer = EFER;
        into.cr0 = control(context, 0);
        into.cr4 = control(context, 4);
        into.base[Processor.FS] = Bytes.get64(context, VcpuGuestContext.FS_BASE);
        into.base[Processor.GS] = Bytes.get64(context, gsBase(context));
        into.kernelGsBase = Bytes.get64(context, otherGsBase(context));
        into.floating.setImage(image(context));
    }

    /** Changes {@code context} to what {@code from} says; what is the same in both stays exactly as it is. */
    static void load(ProcessorState from, byte[] context) {
        for (int i = 0; i < GPR_OFFSETS.length; i++) {
            Bytes.put64(context, REGS + GPR_OFFSETS[i], from.gpr[i]);
        }
        Bytes.put64(context, REGS + UserRegs.RIP, from.rip);
        Bytes.put64(context, REGS + UserRegs.RFLAGS, from.rflags);
        Bytes.put64(context, VcpuGuestContext.FS_BASE, from.base[Processor.FS]);
        Bytes.put64(context, gsBase(context), from.base[Processor.GS]);
        Bytes.put64(context, otherGsBase(context), from.kernelGsBase);
        byte[] image = new byte[FloatContext.FX_BYTES];
        from.floating.getImage(image);
        if (Arrays.equals(image, image(context))) {
            // The context knows nothing of the upper halves of vector registers, and they are not to be lost for nothing.
            Bytes.put64(context, VcpuGuestContext.FLAGS,
                    Bytes.get64(context, VcpuGuestContext.FLAGS) & ~(long) ArchX86.VGCF_I387_VALID);
        }
        System.arraycopy(image, 0, context, VcpuGuestContext.FPU_CTXT, image.length);
    }

    private static byte[] image(byte[] context) {
        return Arrays.copyOfRange(context, VcpuGuestContext.FPU_CTXT,
                VcpuGuestContext.FPU_CTXT + FloatContext.FX_BYTES);
    }

    private static int gsBase(byte[] context) {
        return inKernel(context) ? VcpuGuestContext.GS_BASE_KERNEL : VcpuGuestContext.GS_BASE_USER;
    }

    private static int otherGsBase(byte[] context) {
        return inKernel(context) ? VcpuGuestContext.GS_BASE_USER : VcpuGuestContext.GS_BASE_KERNEL;
    }

    /** All that is to be said, in lines. */
    static String dump(byte[] context) {
        StringBuilder text = new StringBuilder();
        String[] names = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
            "r13", "r14", "r15"};
        for (int i = 0; i < names.length; i++) {
            text.append("%-3s %016x%s".formatted(names[i], Bytes.get64(context, REGS + GPR_OFFSETS[i]),
                    i % 4 == 3 ? "\n" : "  "));
        }
        text.append("rip %016x  rflags %08x  %s mode\n".formatted(Bytes.get64(context, REGS + UserRegs.RIP),
                Bytes.get64(context, REGS + UserRegs.RFLAGS), inKernel(context) ? "kernel" : "user"));
        String[] segments = {"es", "cs", "ss", "ds", "fs", "gs"};
        for (int i = 0; i < segments.length; i++) {
            text.append("%s %04x%s".formatted(segments[i], Bytes.get16(context, REGS + SELECTOR_OFFSETS[i]),
                    i == segments.length - 1 ? "\n" : "  "));
        }
        return text.append("fs_base %016x  gs_base kernel %016x user %016x%n".formatted(
                Bytes.get64(context, VcpuGuestContext.FS_BASE), Bytes.get64(context, VcpuGuestContext.GS_BASE_KERNEL),
                Bytes.get64(context, VcpuGuestContext.GS_BASE_USER)))
                .append("cr0 %x  cr3 kernel %x user %x  cr4 %x%n".formatted(control(context, 0),
                        Bytes.get64(context, VcpuGuestContext.CTRLREG + Long.BYTES * KERNEL_CR3),
                        Bytes.get64(context, VcpuGuestContext.CTRLREG + Long.BYTES * USER_CR3), control(context, 4)))
                .toString();
    }
}
