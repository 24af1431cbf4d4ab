package dev.xenolith.hypervisor.pv;

import static dev.xenolith.hypervisor.abi.Errno.EEXIST;
import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOENT;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;
import static dev.xenolith.hypervisor.abi.Errno.ERESTART;

import dev.xenolith.hypervisor.abi.Sched;
import dev.xenolith.hypervisor.abi.VcpuOp;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.hypercall.Call;
import dev.xenolith.hypervisor.hypercall.Handler;
import java.util.Arrays;

/** vcpu_op(command, vCPU, argument) of PV guests (xen/include/public/vcpu.h). */
final class VcpuOperations implements Handler {
    private static final long SHORTEST_PERIOD = 1_000_000;
    /** Longer than any machine runs. */
    private static final long LONGEST_PERIOD = Long.MAX_VALUE / 4;

    private final Domains domains;
    private final PvExecution pv;
    private final GuestContext contexts;

    VcpuOperations(Domains domains, PvExecution pv) {
        this.domains = domains;
        this.pv = pv;
        contexts = new GuestContext(domains, pv.contexts());
    }

    @Override
    public long call(Call call) {
        Vcpu vcpu = call.domain.vcpu(call.argument(1) & 0xffff_ffffL);
        if (vcpu == null) {
            return -ENOENT;
        }
        boolean own = vcpu == call.vcpu;
        return switch ((int) call.argument(0)) {
            case VcpuOp.VCPUOP_INITIALISE -> initialise(call, vcpu);
            case VcpuOp.VCPUOP_UP -> up(vcpu);
            case VcpuOp.VCPUOP_DOWN -> down(vcpu);
            case VcpuOp.VCPUOP_IS_UP -> vcpu.isUp() ? 1 : 0;
            case VcpuOp.VCPUOP_GET_RUNSTATE_INFO -> {
                PvTime.fillRunstate(vcpu, domains.now(), call.buffer);
                yield call.write(call.argument(2), VcpuOp.RunstateInfo.LAYOUT) ? 0 : -EFAULT;
            }
            case VcpuOp.VCPUOP_REGISTER_RUNSTATE_MEMORY_AREA -> registerRunstate(call, vcpu);
            case VcpuOp.VCPUOP_SET_PERIODIC_TIMER -> setPeriodic(call, vcpu);
            case VcpuOp.VCPUOP_STOP_PERIODIC_TIMER -> {
                vcpu.timers().stopPeriodic();
                yield 0;
            }
            case VcpuOp.VCPUOP_SET_SINGLESHOT_TIMER -> own ? setSingleshot(call, vcpu) : -EINVAL;
            case VcpuOp.VCPUOP_STOP_SINGLESHOT_TIMER -> {
                if (own) {
                    vcpu.timers().stopSingleshot();
                }
                yield own ? 0 : -EINVAL;
            }
            case VcpuOp.VCPUOP_REGISTER_VCPU_INFO -> registerInfo(call, vcpu);
            case VcpuOp.VCPUOP_SEND_NMI -> domains.sendNmi(vcpu);
            case VcpuOp.VCPUOP_REGISTER_VCPU_TIME_MEMORY_AREA -> registerTime(call, vcpu);
            // Only a domain whose vCPUs are pinned one to one may know the physical processor.
            case VcpuOp.VCPUOP_GET_PHYSID -> -EINVAL;
            default -> -ENOSYS;
        };
    }

    private long initialise(Call call, Vcpu vcpu) {
        if (vcpu.initialised) {
            return -EEXIST;
        }
        int size = GuestContext.sizeOf(vcpu);
        if (!call.read(call.argument(2), size)) {
            return -EFAULT;
        }
        int rc = contexts.set(vcpu, Arrays.copyOf(call.buffer, size));
        return rc == -ERESTART ? Call.RESTART : rc;
    }

    private long up(Vcpu vcpu) {
        if (!vcpu.initialised) {
            return -EINVAL;
        }
        domains.dispatcher.up(vcpu);
        return 0;
    }

    /** A domain whose last vCPU goes down has powered off. */
    private long down(Vcpu vcpu) {
        Domain domain = vcpu.domain;
        for (Vcpu other : domain.vcpus) {
            if (other != vcpu && other.isUp()) {
                domains.dispatcher.down(vcpu);
                return 0;
            }
        }
        domains.shutdown(domain, Sched.SHUTDOWN_POWEROFF);
        return 0;
    }

    private long setPeriodic(Call call, Vcpu vcpu) {
        if (!call.read(call.argument(2), VcpuOp.SetPeriodicTimer.LAYOUT)) {
            return -EFAULT;
        }
        long period = call.get64(VcpuOp.SetPeriodicTimer.PERIOD_NS);
        if (period < SHORTEST_PERIOD || period > LONGEST_PERIOD) {
            return -EINVAL;
        }
        vcpu.timers().setPeriodic(period);
        return 0;
    }

    private long setSingleshot(Call call, Vcpu vcpu) {
        if (!call.read(call.argument(2), VcpuOp.SetSingleshotTimer.LAYOUT)) {
            return -EFAULT;
        }
        // VCPU_SSHOTTMR_future may be ignored, and is: a time that has passed raises the event at once.
        vcpu.timers().setSingleshot(call.get64(VcpuOp.SetSingleshotTimer.TIMEOUT_ABS_NS));
        return 0;
    }

    private long registerInfo(Call call, Vcpu vcpu) {
        if (!call.read(call.argument(2), VcpuOp.RegisterVcpuInfo.LAYOUT)) {
            return -EFAULT;
        }
        int rc = domains.registerInfo(vcpu, call.get64(VcpuOp.RegisterVcpuInfo.MFN),
                call.get32(VcpuOp.RegisterVcpuInfo.OFFSET));
        if (rc == 0) {
            pv.time().updateTime(vcpu);
        }
        return rc;
    }

    private long registerRunstate(Call call, Vcpu vcpu) {
        if (!call.read(call.argument(2), VcpuOp.RegisterRunstateMemoryArea.LAYOUT)) {
            return -EFAULT;
        }
        long area = call.handle64(VcpuOp.RegisterRunstateMemoryArea.ADDR_P);
        if (area != 0 && !call.isGuestAddress(area)) {
            return -EFAULT;
        }
        vcpu.pv().runstateArea = area;
        pv.time().updateRunstate(vcpu);
        return 0;
    }

    private long registerTime(Call call, Vcpu vcpu) {
        if (!call.read(call.argument(2), VcpuOp.RegisterTimeMemoryArea.LAYOUT)) {
            return -EFAULT;
        }
        long area = call.handle64(VcpuOp.RegisterTimeMemoryArea.ADDR_P);
        if (area != 0 && !call.isGuestAddress(area)) {
            return -EFAULT;
        }
        vcpu.pv().timeArea = area;
        pv.time().updateTime(vcpu);
        return 0;
    }
}
