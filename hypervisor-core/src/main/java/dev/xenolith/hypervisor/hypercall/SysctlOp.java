package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EACCES;
import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;

import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Domctl;
import dev.xenolith.hypervisor.abi.Sysctl;
import dev.xenolith.hypervisor.abi.Sysctl.AvailHeap;
import dev.xenolith.hypervisor.abi.Sysctl.GetDomainInfoList;
import dev.xenolith.hypervisor.abi.Sysctl.LevellingCaps;
import dev.xenolith.hypervisor.abi.Sysctl.ReadConsole;
import dev.xenolith.hypervisor.abi.Sysctl.SchedId;
import dev.xenolith.hypervisor.domain.Access;
import dev.xenolith.hypervisor.operations.DomainControl.DomainInfo;
import dev.xenolith.hypervisor.operations.HostControl.ConsoleChunk;
import java.util.Arrays;

/** sysctl: what toolstacks ask and set of the host (xen/include/public/sysctl.h). For privileged domains only. */
public final class SysctlOp implements Handler {
    private static final long PAGE = 4096;

    private final Controls controls;
    private final DomainInfos infos;
    private final SysctlProcessors processors;

    /**
     * @param processors how many the machine has
     * @param frames the machine's frames, with what is between them
     * @param physicalBits width of a machine address
     */
    public SysctlOp(Controls controls, int processors, int frames, int physicalBits) {
        this.controls = controls;
        infos = new DomainInfos(physicalBits);
        this.processors = new SysctlProcessors(processors, frames);
    }

    @Override
    public long call(Call call) {
        if (!call.read(call.argument(0), Sysctl.Op.SIZE)) {
            return -EFAULT;
        }
        byte[] structure = Arrays.copyOf(call.buffer, Sysctl.Op.SIZE);
        if (Bytes.get32(structure, Sysctl.Op.INTERFACE_VERSION) != Sysctl.INTERFACE_VERSION) {
            return -EACCES;
        }
        if (!Access.isPrivileged(call.domain)) {
            return -EPERM;
        }
        ControlCall op = new ControlCall(call, controls, structure, Sysctl.Op.U);
        return switch (Bytes.get32(structure, Sysctl.Op.CMD)) {
            case Sysctl.XEN_SYSCTL_READCONSOLE -> readConsole(op);
            case Sysctl.XEN_SYSCTL_PHYSINFO -> processors.physicalInfo(op);
            case Sysctl.XEN_SYSCTL_SCHED_ID -> {
                op.put32(SchedId.SCHED_ID, Domctl.SCHEDULER_CREDIT2);
                yield op.copyBack(0);
            }
            case Sysctl.XEN_SYSCTL_GETDOMAININFOLIST -> domainList(op);
            case Sysctl.XEN_SYSCTL_GETCPUINFO -> processors.idleTimes(op);
            case Sysctl.XEN_SYSCTL_AVAILHEAP -> {
                op.put64(AvailHeap.AVAIL_BYTES, op.host.physicalInfo().freePages() * PAGE);
                yield op.copyBack(0);
            }
            case Sysctl.XEN_SYSCTL_CPUTOPOINFO -> processors.topology(op);
            case Sysctl.XEN_SYSCTL_NUMAINFO -> processors.nodes(op);
            case Sysctl.XEN_SYSCTL_CPUPOOL_OP -> processors.pool(op);
            case Sysctl.XEN_SYSCTL_SCHEDULER_OP -> processors.scheduler(op);
            case Sysctl.XEN_SYSCTL_GET_CPU_LEVELLING_CAPS -> {
                op.put32(LevellingCaps.CAPS, LevellingCaps.FAULTING);
                yield op.copyBack(0);
            }
            case Sysctl.XEN_SYSCTL_GET_CPU_FEATURESET -> CpuPolicyCalls.featureset(op);
            case Sysctl.XEN_SYSCTL_GET_CPU_POLICY -> CpuPolicyCalls.ofHost(op);
            default -> -ENOSYS;
        };
    }

    /** getdomaininfolist: domains from one on, as many as the caller has room for. */
    private long domainList(ControlCall op) {
        int first = op.get16(GetDomainInfoList.FIRST_DOMAIN);
        int most = op.get32(GetDomainInfoList.MAX_DOMAINS);
        long buffer = op.get64(GetDomainInfoList.BUFFER);
        int listed = 0;
        for (DomainInfo info : op.control.list()) {
            if (info.domid() < first) {
                continue;
            }
            if (Integer.compareUnsigned(listed, most) >= 0) {
                break;
            }
            byte[] entry = infos.encode(op.control, info);
            if (op.write(buffer + (long) listed * entry.length, entry, entry.length) != 0) {
                return -EFAULT;
            }
            listed++;
        }
        op.put32(GetDomainInfoList.NUM_DOMAINS, listed);
        return op.copyBack(0);
    }

    /** readconsole: what is cleared has been copied. */
    private long readConsole(ControlCall op) {
        boolean incremental = op.get8(ReadConsole.INCREMENTAL) != 0;
        int from = op.get32(ReadConsole.INDEX);
        int room = op.get32(ReadConsole.COUNT);
        int most = room < 0 ? Integer.MAX_VALUE : room;
        ConsoleChunk chunk = op.host.readConsole(incremental, from, most, false);
        if (op.write(op.get64(ReadConsole.BUFFER), chunk.bytes(), chunk.bytes().length) != 0) {
            return -EFAULT;
        }
        if (op.get8(ReadConsole.CLEAR) != 0) {
            op.host.readConsole(incremental, from, most, true);
        }
        op.put32(ReadConsole.COUNT, chunk.bytes().length);
        op.put32(ReadConsole.INDEX, chunk.next());
        return op.copyBack(0);
    }
}
