package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;
import static dev.xenolith.hypervisor.abi.Errno.ESRCH;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Sched.Poll;
import dev.xenolith.hypervisor.abi.Sched.RemoteShutdown;
import dev.xenolith.hypervisor.abi.Sched.Shutdown;
import dev.xenolith.hypervisor.abi.Sched.Watchdog;
import dev.xenolith.hypervisor.abi.Sched;
import dev.xenolith.hypervisor.abi.Xen.VcpuInfo;
import dev.xenolith.hypervisor.domain.Access;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.event.EventPorts;

/** sched_op (xen/include/public/sched.h). */
public final class SchedOp implements Handler {
    private final Domains domains;
    private final PhysicalMemory ram;

    public SchedOp(Domains domains) {
        this.domains = domains;
        this.ram = domains.memory.ram();
    }

    @Override
    public long call(Call call) {
        long handle = call.argument(1);
        switch ((int) call.argument(0)) {
            case Sched.SCHEDOP_YIELD -> {
                domains.dispatcher.yield(call.vcpu);
                return 0;
            }
            case Sched.SCHEDOP_BLOCK -> {
                block(call.vcpu);
                return 0;
            }
            case Sched.SCHEDOP_SHUTDOWN -> {
                return call.read(handle, Shutdown.LAYOUT)
                        ? shutdown(call.domain, call.get32(Shutdown.REASON))
                        : -EFAULT;
            }
            case Sched.SCHEDOP_SHUTDOWN_CODE -> {
                return call.read(handle, Shutdown.LAYOUT)
                        ? shutdownCode(call.domain, call.get32(Shutdown.REASON))
                        : -EFAULT;
            }
            case Sched.SCHEDOP_POLL -> {
                return call.read(handle, Poll.LAYOUT) ? poll(call) : -EFAULT;
            }
            case Sched.SCHEDOP_REMOTE_SHUTDOWN -> {
                return call.read(handle, RemoteShutdown.LAYOUT) ? remoteShutdown(call) : -EFAULT;
            }
            case Sched.SCHEDOP_WATCHDOG -> {
                return call.read(handle, Watchdog.LAYOUT)
                        ? domains.watchdog(call.vcpu, call.get32(Watchdog.ID), call.get32(Watchdog.TIMEOUT))
                        : -EFAULT;
            }
            case Sched.SCHEDOP_PIN_OVERRIDE -> {
                return -EPERM;
            }
            default -> {
                return -ENOSYS;
            }
        }
    }

    /** Clears the upcall mask, and waits unless an event is pending already. */
    private void block(Vcpu vcpu) {
        long info = vcpu.infoAddress;
        ram.write8(info + VcpuInfo.EVTCHN_UPCALL_MASK, 0);
        if (ram.read8(info + VcpuInfo.EVTCHN_UPCALL_PENDING) == 0) {
            domains.dispatcher.block(vcpu);
        }
    }

    private long shutdown(Domain domain, int reason) {
        if (reason < 0 || reason > Sched.SHUTDOWN_MAX) {
            return -EINVAL;
        }
        domains.shutdown(domain, reason);
        return 0;
    }

    /** Names the reason of a shutdown that comes later. */
    private long shutdownCode(Domain domain, int reason) {
        if (reason < 0 || reason > Sched.SHUTDOWN_MAX) {
            return -EINVAL;
        }
        return domains.setShutdownCode(domain, reason);
    }

    private long remoteShutdown(Call call) {
        Domain target = domains.table.find(call.get16(RemoteShutdown.DOMAIN_ID));
        if (target == null || target == call.domain) {
            return -ESRCH;
        }
        if (!Access.isPrivileged(call.domain)) {
            return -EPERM;
        }
        return shutdown(target, call.get32(RemoteShutdown.REASON));
    }

    /** Waits until one of the ports is pending or the timeout, in domain time, is over. */
    private long poll(Call call) {
        Vcpu vcpu = call.vcpu;
        int count = call.get32(Poll.NR_PORTS);
        long list = call.get64(Poll.PORTS);
        long timeout = call.get64(Poll.TIMEOUT);
        if (count < 0 || count > Poll.MAX_PORTS) {
            return -EINVAL;
        }
        if (!call.read(list, count * Integer.BYTES)) {
            return -EFAULT;
        }
        EventPorts ports = call.domain.events;
        for (int i = 0; i < count; i++) {
            long port = Bytes.get32(call.buffer, i * Integer.BYTES) & 0xffff_ffffL;
            if (!ports.exists(port)) {
                return -EINVAL;
            }
            if (ports.delivery().isPending((int) port)) {
                return 0;
            }
        }
        // As Xen: a poll is over at once when an upcall could be delivered.
        long info = vcpu.infoAddress;
        if (ram.read8(info + VcpuInfo.EVTCHN_UPCALL_PENDING) != 0
                && ram.read8(info + VcpuInfo.EVTCHN_UPCALL_MASK) == 0) {
            return 0;
        }
        if (timeout != 0) {
            vcpu.timers().setPoll(timeout);
        }
        domains.dispatcher.blockPolling(vcpu, count == 1 ? Bytes.get32(call.buffer, 0) : 0);
        return 0;
    }
}
