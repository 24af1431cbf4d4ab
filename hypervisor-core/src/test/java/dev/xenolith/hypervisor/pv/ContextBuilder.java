package dev.xenolith.hypervisor.pv;

import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.abi.ArchX86.TrapInfo;
import dev.xenolith.hypervisor.abi.ArchX86.UserRegs;
import dev.xenolith.hypervisor.abi.ArchX86.VcpuGuestContext;
import dev.xenolith.hypervisor.abi.Bytes;

/** A vcpu_guest_context for a kernel at its first instruction. */
final class ContextBuilder {
    private final byte[] bytes = new byte[VcpuGuestContext.SIZE];

    ContextBuilder(long rip, long rsp, int kernelRoot) {
        put(VcpuGuestContext.FLAGS, ArchX86.VGCF_IN_KERNEL | ArchX86.VGCF_ONLINE);
        register(UserRegs.RIP, rip);
        register(UserRegs.RSP, rsp);
        register(UserRegs.RFLAGS, 0x202);
        Bytes.put16(bytes, VcpuGuestContext.USER_REGS + UserRegs.CS, ArchX86.FLAT_RING3_CS64);
        Bytes.put16(bytes, VcpuGuestContext.USER_REGS + UserRegs.SS, ArchX86.FLAT_RING3_SS32);
        put(VcpuGuestContext.CTRLREG + 24, (long) kernelRoot << 12);
        put(VcpuGuestContext.KERNEL_SS, ArchX86.FLAT_RING3_SS32);
        put(VcpuGuestContext.KERNEL_SP, rsp);
    }

    ContextBuilder put(int offset, long value) {
        Bytes.put64(bytes, offset, value);
        return this;
    }

    ContextBuilder register(int offset, long value) {
        return put(VcpuGuestContext.USER_REGS + offset, value);
    }

    ContextBuilder trap(int vector, long handler, int flags) {
        int at = VcpuGuestContext.TRAP_CTXT + vector * TrapInfo.SIZE;
        Bytes.put8(bytes, at + TrapInfo.VECTOR, vector);
        Bytes.put8(bytes, at + TrapInfo.FLAGS, flags);
        Bytes.put16(bytes, at + TrapInfo.CS, ArchX86.FLAT_RING3_CS64);
        return put(at + TrapInfo.ADDRESS, handler);
    }

    ContextBuilder userRoot(int mfn) {
        return put(VcpuGuestContext.CTRLREG + 8, (long) mfn << 12);
    }

    byte[] build() {
        return bytes;
    }
}
