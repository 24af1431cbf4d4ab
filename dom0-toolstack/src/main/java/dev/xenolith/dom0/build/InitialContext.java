package dev.xenolith.dom0.build;

import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.abi.ArchX86.UserRegs;
import dev.xenolith.hypervisor.abi.ArchX86.VcpuGuestContext;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The registers that vCPU 0 of a 64-bit PV domain starts with (xen/include/public/xen.h, "start of day"). */
final class InitialContext {
    private static final long RFLAGS_IF = 0x200;
    private static final int CR3 = 3;

    private InitialContext() {
    }

    /**
     * Makes a {@code vcpu_guest_context}.
     *
     * @param entry virtual address to start at
     * @param startInfo virtual address of the start info page, in RSI
     * @param stackTop first address above the boot stack
     * @param l4 machine frame of the level-4 table
     */
    static byte[] of(long entry, long startInfo, long stackTop, long l4) {
        ByteBuffer context = ByteBuffer.allocate(VcpuGuestContext.SIZE).order(ByteOrder.LITTLE_ENDIAN);
        context.putLong(VcpuGuestContext.FLAGS, ArchX86.VGCF_IN_KERNEL | ArchX86.VGCF_ONLINE);
        int regs = VcpuGuestContext.USER_REGS;
        context.putLong(regs + UserRegs.RIP, entry);
        context.putLong(regs + UserRegs.RSP, stackTop);
        context.putLong(regs + UserRegs.RSI, startInfo);
        context.putLong(regs + UserRegs.RFLAGS, RFLAGS_IF);
        context.putShort(regs + UserRegs.CS, (short) ArchX86.FLAT_RING3_CS64);
        context.putShort(regs + UserRegs.SS, (short) ArchX86.FLAT_RING3_SS32);
        context.putLong(VcpuGuestContext.KERNEL_SS, ArchX86.FLAT_RING3_SS32);
        context.putLong(VcpuGuestContext.KERNEL_SP, stackTop);
        // xen_pfn_to_cr3 of a 64-bit guest: the frame's address.
        context.putLong(VcpuGuestContext.CTRLREG + CR3 * Long.BYTES, l4 << 12);
        return context.array();
    }
}
