package dev.xenolith.dom0.build;

import dev.xenolith.dom0.pv.PvAbi;
import dev.xenolith.dom0.pv.VcpuContext;
import dev.xenolith.hypervisor.abi.ArchX86;

/** The registers that vCPU 0 of a PV domain starts with (xen/include/public/xen.h, "start of day"). */
final class InitialContext {
    private static final long FLAGS_IF = 0x200;

    private InitialContext() {
    }

    /**
     * Makes a {@code vcpu_guest_context}.
     *
     * @param entry virtual address to start at
     * @param startInfo virtual address of the start info page, in RSI
     * @param stackTop first address above the boot stack
     * @param root machine frame of the root of its page tables
     * @param assists vm_assist from the start
     */
    static byte[] of(PvAbi abi, long entry, long startInfo, long stackTop, long root, long assists) {
        VcpuContext context = new VcpuContext(abi);
        context.setWord("flags", ArchX86.VGCF_IN_KERNEL | ArchX86.VGCF_ONLINE);
        context.setInstructionPointer(entry);
        context.setGeneral(VcpuContext.RSP, stackTop);
        context.setGeneral(VcpuContext.RSI, startInfo);
        context.setFlags(FLAGS_IF);
        PvAbi.Selectors selectors = abi.selectors();
        context.setSelector(VcpuContext.CS, selectors.code());
        context.setSelector(VcpuContext.SS, selectors.stack());
        for (int segment : new int[]{VcpuContext.DS, VcpuContext.ES, VcpuContext.FS, VcpuContext.GS}) {
            context.setSelector(segment, selectors.data());
        }
        context.setWord("kernel_ss", selectors.stack());
        context.setWord("kernel_sp", stackTop);
        context.setRoot(root);
        context.setWord("vm_assist", assists);
        return context.bytes();
    }
}
