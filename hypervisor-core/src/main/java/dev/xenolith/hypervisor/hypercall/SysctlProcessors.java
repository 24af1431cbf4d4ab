package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOENT;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;
import static dev.xenolith.hypervisor.abi.Errno.ESRCH;

import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Domctl;
import dev.xenolith.hypervisor.abi.Sysctl.CpuPoolOp;
import dev.xenolith.hypervisor.abi.Sysctl.CpuTopo;
import dev.xenolith.hypervisor.abi.Sysctl.CpuTopoInfo;
import dev.xenolith.hypervisor.abi.Sysctl.GetCpuInfo;
import dev.xenolith.hypervisor.abi.Sysctl.MemInfo;
import dev.xenolith.hypervisor.abi.Sysctl.NumaInfo;
import dev.xenolith.hypervisor.abi.Sysctl.PhysInfo;
import dev.xenolith.hypervisor.abi.Sysctl.SchedulerOp;
import dev.xenolith.hypervisor.operations.HostControl.PhysicalInfo;

/** The commands of sysctl about processors, memory and the one pool of processors that there is. */
final class SysctlProcessors {
    private static final long PAGE = 4096;
    /** Distance of a node to itself, as firmware tells it. */
    private static final int LOCAL_DISTANCE = 10;

    private final int processors;
    private final int frames;

    /**
     * @param frames the machine's frames, with what is between them
     */
    SysctlProcessors(int processors, int frames) {
        this.processors = processors;
        this.frames = frames;
    }

    long physicalInfo(ControlCall op) {
        PhysicalInfo info = op.host.physicalInfo();
        op.put(new byte[PhysInfo.SIZE]);
        op.put32(PhysInfo.THREADS_PER_CORE, info.threadsPerCore());
        op.put32(PhysInfo.CORES_PER_SOCKET, info.coresPerSocket());
        op.put32(PhysInfo.NR_CPUS, info.processors());
        op.put32(PhysInfo.MAX_CPU_ID, info.maxCpuId());
        op.put32(PhysInfo.NR_NODES, info.nodes());
        op.put32(PhysInfo.MAX_NODE_ID, info.nodes() - 1);
        op.put32(PhysInfo.CPU_KHZ, (int) info.cpuKhz());
        op.put32(PhysInfo.CAPABILITIES,
                PhysInfo.PHYSCAP_PV | PhysInfo.PHYSCAP_GNTTAB_V1 | PhysInfo.PHYSCAP_GNTTAB_V2);
        op.put64(PhysInfo.TOTAL_PAGES, info.totalPages());
        op.put64(PhysInfo.FREE_PAGES, info.freePages());
        op.put64(PhysInfo.SCRUB_PAGES, info.scrubPages());
        op.put64(PhysInfo.OUTSTANDING_PAGES, info.outstandingPages());
        op.put64(PhysInfo.MAX_MFN, frames - 1);
        int[] words = info.hardwareCapabilities();
        for (int i = 0; i < words.length; i++) {
            op.put32(PhysInfo.HW_CAP + i * Integer.BYTES, words[i]);
        }
        return op.copyBack(0);
    }

    long idleTimes(ControlCall op) {
        long[] idle = op.host.idleTimes();
        int count = least(op.get32(GetCpuInfo.MAX_CPUS), idle.length);
        byte[] times = new byte[count * Long.BYTES];
        for (int i = 0; i < count; i++) {
            Bytes.put64(times, i * Long.BYTES, idle[i]);
        }
        if (op.write(op.get64(GetCpuInfo.INFO), times, times.length) != 0) {
            return -EFAULT;
        }
        op.put32(GetCpuInfo.NR_CPUS, count);
        return op.copyBack(0);
    }

    /** cputopoinfo: each processor is a core of one socket, on node 0. */
    long topology(ControlCall op) {
        long handle = op.get64(CpuTopoInfo.CPUTOPO);
        int count = processors;
        if (handle != 0) {
            count = least(op.get32(CpuTopoInfo.NUM_CPUS), processors);
            byte[] list = new byte[count * CpuTopo.SIZE];
            for (int i = 0; i < count; i++) {
                Bytes.put32(list, i * CpuTopo.SIZE + CpuTopo.CORE, i);
            }
            if (op.write(handle, list, list.length) != 0) {
                return -EFAULT;
            }
        }
        op.put32(CpuTopoInfo.NUM_CPUS, count);
        return op.copyBack(0);
    }

    /** numainfo: one node. */
    long nodes(ControlCall op) {
        long memory = op.get64(NumaInfo.MEMINFO);
        long distance = op.get64(NumaInfo.DISTANCE);
        int count = 1;
        if (memory != 0 || distance != 0) {
            count = least(op.get32(NumaInfo.NUM_NODES), 1);
            PhysicalInfo info = op.host.physicalInfo();
            byte[] node = new byte[MemInfo.SIZE];
            Bytes.put64(node, MemInfo.MEMSIZE, info.totalPages() * PAGE);
            Bytes.put64(node, MemInfo.MEMFREE, info.freePages() * PAGE);
            if (memory != 0 && op.write(memory, node, count * MemInfo.SIZE) != 0) {
                return -EFAULT;
            }
            byte[] self = new byte[Integer.BYTES];
            Bytes.put32(self, 0, LOCAL_DISTANCE);
            if (distance != 0 && op.write(distance, self, count * Integer.BYTES) != 0) {
                return -EFAULT;
            }
        }
        op.put32(NumaInfo.NUM_NODES, count);
        return op.copyBack(0);
    }

    /** cpupool_op: pool 0 has all processors and all domains. */
    long pool(ControlCall op) {
        int pool = op.get32(CpuPoolOp.CPUPOOL_ID);
        ControlBitmap map = new ControlBitmap(op, CpuPoolOp.CPUMAP, processors);
        switch (op.get32(CpuPoolOp.OP)) {
            case CpuPoolOp.INFO -> {
                if (pool != 0) {
                    return -ENOENT;
                }
                op.put32(CpuPoolOp.SCHED_ID, Domctl.SCHEDULER_CREDIT2);
                op.put32(CpuPoolOp.N_DOM, op.control.list().size());
                return op.copyBack(map.write(-1L));
            }
            case CpuPoolOp.FREEINFO -> {
                return op.copyBack(map.write(0));
            }
            case CpuPoolOp.MOVEDOMAIN -> {
                int domid = op.get32(CpuPoolOp.DOMID);
                if (domid == 0) {
                    return -EINVAL;
                }
                return op.control.info(domid) == null ? -ESRCH : pool == 0 ? 0 : -ENOENT;
            }
            default -> {
                return -ENOSYS;
            }
        }
    }

    /** scheduler_op: credit2's rate limit. */
    long scheduler(ControlCall op) {
        if (op.get32(SchedulerOp.CPUPOOL_ID) != 0) {
            return -ESRCH;
        }
        if (op.get32(SchedulerOp.SCHED_ID) != Domctl.SCHEDULER_CREDIT2) {
            return -EINVAL;
        }
        return switch (op.get32(SchedulerOp.CMD)) {
            case Domctl.SchedulerOp.PUTINFO -> op.host.setRatelimitMicros(op.get32(SchedulerOp.RATELIMIT_US));
            case Domctl.SchedulerOp.GETINFO -> {
                op.put32(SchedulerOp.RATELIMIT_US, op.host.ratelimitMicros());
                yield op.copyBack(0);
            }
            default -> -EINVAL;
        };
    }

    private static int least(int unsigned, int count) {
        return Integer.compareUnsigned(unsigned, count) < 0 ? unsigned : count;
    }
}
