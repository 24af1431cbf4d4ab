package dev.xenolith.hypervisor.pv;

import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;
import static dev.xenolith.hypervisor.abi.Errno.EOPNOTSUPP;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;

import dev.xenolith.hypervisor.abi.Hypercall;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.hypercall.Call;
import dev.xenolith.hypervisor.hypercall.Hypercalls;
import dev.xenolith.hypervisor.hypercall.Refusal;
import dev.xenolith.hypervisor.hypercall.SplitArguments;

/** The hypercalls about a PV guest's virtual processors, and those that no guest may make. */
public final class PvHypercalls {
    /** Calls of the hardware's owner and of device models: for all others they are forbidden, as on Xen. */
    private static final int[] PRIVILEGED = {Hypercall.KEXEC_OP, Hypercall.DM_OP, Hypercall.HYPFS_OP, Hypercall.ARCH_0};

    private PvHypercalls() {
    }

    /** Adds the handlers to {@code table}. */
    public static void addTo(Hypercalls.Table table, Domains domains, PvExecution pv) {
        KernelEntries entries = new KernelEntries();
        Segments segments = new Segments(domains, pv.contexts());
        ProcessorControls controls = new ProcessorControls(pv.contexts());
        table.add(Hypercall.SET_TRAP_TABLE, entries::setTrapTable)
                .add(Hypercall.SET_CALLBACKS, entries::setCallbacks)
                .add(Hypercall.CALLBACK_OP, entries::callbackOp)
                .add(Hypercall.NMI_OP, entries::nmiOp)
                .add(Hypercall.STACK_SWITCH, entries::stackSwitch)
                .add(Hypercall.SET_GDT, segments::setGdt)
                .add(Hypercall.UPDATE_DESCRIPTOR, segments::updateDescriptor)
                .add(Hypercall.SET_SEGMENT_BASE, segments::setSegmentBase)
                .add(Hypercall.FPU_TASKSWITCH, controls::fpuTaskSwitch)
                .add(Hypercall.SET_DEBUGREG, controls::setDebugRegister)
                .add(Hypercall.GET_DEBUGREG, controls::getDebugRegister)
                .add(Hypercall.VM_ASSIST, controls::vmAssist)
                .add(Hypercall.VCPU_OP, new VcpuOperations(domains, pv))
                .add(Hypercall.PHYSDEV_OP, new PhysdevOperations())
                .add(Hypercall.IRET, call -> {
                    pv.iret().execute(pv.contexts().processor(call.vcpu.loadedOn), call.vcpu);
                    return Call.NO_RESULT;
                })
                .add(Hypercall.XENPMU_OP, new Refusal(EOPNOTSUPP));
        // What 32-bit guests call in another way.
        table.addCompat(Hypercall.SET_CALLBACKS, entries::setCompatCallbacks)
                .addCompat(Hypercall.UPDATE_DESCRIPTOR, new SplitArguments(segments::updateDescriptor, 0, 2))
                .addCompat(Hypercall.SET_SEGMENT_BASE, new Refusal(ENOSYS));
        for (int number : PRIVILEGED) {
            table.add(number, new Refusal(EPERM));
        }
    }
}
