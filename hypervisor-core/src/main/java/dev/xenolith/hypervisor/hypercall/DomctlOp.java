package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EACCES;
import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;
import static dev.xenolith.hypervisor.abi.Errno.EOPNOTSUPP;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;
import static dev.xenolith.hypervisor.abi.Errno.ESRCH;

import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Domctl;
import dev.xenolith.hypervisor.domain.Access;
import dev.xenolith.hypervisor.domain.Domains;
import java.util.Arrays;

/**
 * domctl: what toolstacks do with domains (xen/include/public/domctl.h). For privileged domains only; each command is decoded by the
 * class of its group and comes down to an operation that domain 0 uses too.
 */
public final class DomctlOp implements Handler {
    /** Last command of 4.17 that is not a debugger's. */
    private static final int LAST = 86;
    private static final int DEBUGGERS_FIRST = 1000;
    private static final int DEBUGGERS_LAST = 1003;

    private final Domains domains;
    private final Controls controls;
    private final DomctlLives lives;
    private final DomctlVcpus vcpus;
    private final DomctlSettings settings;

    /**
     * @param physicalBits width of a machine address
     */
    public DomctlOp(Domains domains, Controls controls, int physicalBits) {
        this.domains = domains;
        this.controls = controls;
        lives = new DomctlLives(new DomainInfos(physicalBits));
        vcpus = new DomctlVcpus(domains.dispatcher.processors());
        settings = new DomctlSettings();
    }

    @Override
    public long call(Call call) {
        if (!call.read(call.argument(0), Domctl.Op.SIZE)) {
            return -EFAULT;
        }
        byte[] structure = Arrays.copyOf(call.buffer, Domctl.Op.SIZE);
        if (Bytes.get32(structure, Domctl.Op.INTERFACE_VERSION) != Domctl.INTERFACE_VERSION) {
            return -EACCES;
        }
        int command = Bytes.get32(structure, Domctl.Op.CMD);
        int domid = Bytes.get16(structure, Domctl.Op.DOMAIN);
        boolean needsDomain = switch (command) {
            case Domctl.XEN_DOMCTL_CREATEDOMAIN, Domctl.XEN_DOMCTL_GETDOMAININFO -> false;
            default -> true;
        };
        if (needsDomain && domains.table.find(domid) == null) {
            return -ESRCH;
        }
        if (!Access.isPrivileged(call.domain)) {
            return -EPERM;
        }
        return serve(new ControlCall(call, controls, structure, Domctl.Op.U), command, domid);
    }

    private long serve(ControlCall op, int command, int domid) {
        return switch (command) {
            case Domctl.XEN_DOMCTL_CREATEDOMAIN -> lives.create(op, domid);
            case Domctl.XEN_DOMCTL_DESTROYDOMAIN -> ControlCall.preemptible(op.control.destroy(domid));
            case Domctl.XEN_DOMCTL_PAUSEDOMAIN -> op.control.pause(domid);
            case Domctl.XEN_DOMCTL_UNPAUSEDOMAIN -> op.control.unpause(domid);
            case Domctl.XEN_DOMCTL_RESUMEDOMAIN -> lives.resume(op, domid);
            case Domctl.XEN_DOMCTL_GETDOMAININFO -> lives.info(op, domid);
            case Domctl.XEN_DOMCTL_SETDOMAINHANDLE ->
                op.control.setHandle(domid, op.handle(Domctl.SetDomainHandle.HANDLE));
            case Domctl.XEN_DOMCTL_SET_VIRQ_HANDLER ->
                op.control.setVirqHandler(domid, op.get32(Domctl.SetVirqHandler.VIRQ));

            case Domctl.XEN_DOMCTL_MAX_VCPUS -> vcpus.maximum(op, domid);
            case Domctl.XEN_DOMCTL_SETVCPUCONTEXT -> vcpus.setContext(op, domid);
            case Domctl.XEN_DOMCTL_GETVCPUCONTEXT -> vcpus.getContext(op, domid);
            case Domctl.XEN_DOMCTL_GETVCPUINFO -> vcpus.info(op, domid);
            case Domctl.XEN_DOMCTL_SETVCPUAFFINITY -> vcpus.setAffinity(op, domid);
            case Domctl.XEN_DOMCTL_GETVCPUAFFINITY -> vcpus.getAffinity(op, domid);
            case Domctl.XEN_DOMCTL_SENDTRIGGER -> op.control.sendTrigger(domid,
                    op.get32(Domctl.SendTrigger.TRIGGER), op.get32(Domctl.SendTrigger.VCPU));

            case Domctl.XEN_DOMCTL_MAX_MEM -> settings.maxMemory(op, domid);
            case Domctl.XEN_DOMCTL_SCHEDULER_OP -> settings.scheduler(op, domid);
            case Domctl.XEN_DOMCTL_SHADOW_OP -> settings.shadow(op, domid);
            case Domctl.XEN_DOMCTL_SETDEBUGGING ->
                op.control.setDebugging(domid, op.get8(Domctl.SetDebugging.ENABLE) != 0);
            case Domctl.XEN_DOMCTL_HYPERCALL_INIT ->
                op.control.initHypercallPage(domid, op.get64(Domctl.HypercallInit.GMFN));
            case Domctl.XEN_DOMCTL_SETTIMEOFFSET ->
                op.control.setTimeOffset(domid, op.get64(Domctl.SetTimeOffset.SECONDS));
            case Domctl.XEN_DOMCTL_SET_ADDRESS_SIZE -> settings.setAddressSize(op, domid);
            case Domctl.XEN_DOMCTL_GET_ADDRESS_SIZE -> settings.getAddressSize(op, domid);
            case Domctl.XEN_DOMCTL_SETTSCINFO -> settings.setTsc(op, domid);
            case Domctl.XEN_DOMCTL_GETTSCINFO -> settings.getTsc(op, domid);
            case Domctl.XEN_DOMCTL_SETNODEAFFINITY -> settings.setNodes(op, domid);
            case Domctl.XEN_DOMCTL_GETNODEAFFINITY -> settings.getNodes(op, domid);
            case Domctl.XEN_DOMCTL_GET_CPU_POLICY -> CpuPolicyCalls.ofDomain(op);
            case Domctl.XEN_DOMCTL_SET_CPU_POLICY -> CpuPolicyCalls.set(op);

            // Of HVM domains only.
            case Domctl.XEN_DOMCTL_GETHVMCONTEXT, Domctl.XEN_DOMCTL_SETHVMCONTEXT,
                    Domctl.XEN_DOMCTL_GETHVMCONTEXT_PARTIAL ->
                -EINVAL;
            case Domctl.XEN_DOMCTL_GET_PAGING_MEMPOOL_SIZE, Domctl.XEN_DOMCTL_SET_PAGING_MEMPOOL_SIZE -> -EOPNOTSUPP;
            // There is no IOMMU.
            case Domctl.XEN_DOMCTL_ASSIGN_DEVICE, Domctl.XEN_DOMCTL_TEST_ASSIGN_DEVICE,
                    Domctl.XEN_DOMCTL_DEASSIGN_DEVICE, Domctl.XEN_DOMCTL_GET_DEVICE_GROUP ->
                -EOPNOTSUPP;
            default -> isCommand(command) ? -ENOSYS : -EOPNOTSUPP;
        };
    }

    /** Whether Xen has such a command; it takes all others for ones about devices. */
    private static boolean isCommand(int command) {
        return command > 0 && command <= LAST || command >= DEBUGGERS_FIRST && command <= DEBUGGERS_LAST;
    }
}
