package dev.xenolith.hypervisor.pv;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;

import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.domain.PvContext;
import dev.xenolith.hypervisor.hypercall.Call;

/** Virtual CR0.TS, debug registers, assists (xen/arch/x86/pv/misc-hypercalls.c, xen/common/kernel.c). */
final class ProcessorControls {
    private static final long ASSISTS = 1L << Xen.VMASST_TYPE_4GB_SEGMENTS | 1L << Xen.VMASST_TYPE_4GB_SEGMENTS_NOTIFY
            | 1L << Xen.VMASST_TYPE_WRITABLE_PAGETABLES | 1L << Xen.VMASST_TYPE_PAE_EXTENDED_CR3
            | 1L << Xen.VMASST_TYPE_ARCHITECTURAL_IOPL | 1L << Xen.VMASST_TYPE_RUNSTATE_UPDATE_FLAG
            | 1L << Xen.VMASST_TYPE_M2P_STRICT;

    private final ContextSwitch contexts;

    ProcessorControls(ContextSwitch contexts) {
        this.contexts = contexts;
    }

    /** fpu_taskswitch(set): CR0.TS. */
    long fpuTaskSwitch(Call call) {
        PvContext context = call.vcpu.pv();
        context.cr0 = (int) call.argument(0) != 0 ? context.cr0 | Bits.CR0_TS : context.cr0 & ~Bits.CR0_TS;
        contexts.controlsChanged(contexts.processor(call.vcpu.loadedOn), call.vcpu);
        return 0;
    }

    /** set_debugreg(register, value). */
    long setDebugRegister(Call call) {
        int rc = DebugRegisters.write(call.vcpu.pv(), call.argument(0), call.argument(1));
        if (rc == 0) {
            contexts.debugChanged(contexts.processor(call.vcpu.loadedOn), call.vcpu);
        }
        return rc;
    }

    /** get_debugreg(register): the value itself is the result. */
    long getDebugRegister(Call call) {
        return DebugRegisters.read(call.vcpu.pv(), call.argument(0));
    }

    /** vm_assist(command, type). */
    long vmAssist(Call call) {
        long type = call.argument(1) & 0xffff_ffffL;
        if (type >= Long.SIZE || (ASSISTS >>> type & 1) == 0) {
            return -EINVAL;
        }
        switch ((int) call.argument(0)) {
            case Xen.VMASST_CMD_ENABLE -> call.domain.vmAssist |= 1L << type;
            case Xen.VMASST_CMD_DISABLE -> call.domain.vmAssist &= ~(1L << type);
            default -> {
                return -ENOSYS;
            }
        }
        return 0;
    }
}
