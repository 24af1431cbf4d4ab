package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;
import static dev.xenolith.hypervisor.abi.Errno.ERESTART;

import dev.xenolith.hypervisor.abi.EventChannel.AllocUnbound;
import dev.xenolith.hypervisor.abi.EventChannel.BindInterdomain;
import dev.xenolith.hypervisor.abi.EventChannel.BindIpi;
import dev.xenolith.hypervisor.abi.EventChannel.BindPirq;
import dev.xenolith.hypervisor.abi.EventChannel.BindVcpu;
import dev.xenolith.hypervisor.abi.EventChannel.BindVirq;
import dev.xenolith.hypervisor.abi.EventChannel.Close;
import dev.xenolith.hypervisor.abi.EventChannel.ExpandArray;
import dev.xenolith.hypervisor.abi.EventChannel.InitControl;
import dev.xenolith.hypervisor.abi.EventChannel.Reset;
import dev.xenolith.hypervisor.abi.EventChannel.Send;
import dev.xenolith.hypervisor.abi.EventChannel.SetPriority;
import dev.xenolith.hypervisor.abi.EventChannel.Status;
import dev.xenolith.hypervisor.abi.EventChannel.Unmask;
import dev.xenolith.hypervisor.abi.EventChannel;
import dev.xenolith.hypervisor.abi.Struct;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.EventOperations;
import dev.xenolith.hypervisor.event.EventPorts;

/** event_channel_op (xen/include/public/event_channel.h). */
public final class EventChannelOp implements Handler {
    private final EventOperations operations;

    public EventChannelOp(EventOperations operations) {
        this.operations = operations;
    }

    @Override
    public long call(Call call) {
        long handle = call.argument(1);
        Domain caller = call.domain;
        switch ((int) call.argument(0)) {
            case EventChannel.EVTCHNOP_ALLOC_UNBOUND -> {
                if (!call.read(handle, AllocUnbound.LAYOUT)) {
                    return -EFAULT;
                }
                return port(call, handle, AllocUnbound.LAYOUT, AllocUnbound.PORT,
                        operations.allocUnbound(caller, call.get16(AllocUnbound.DOM),
                                call.get16(AllocUnbound.REMOTE_DOM)));
            }
            case EventChannel.EVTCHNOP_BIND_INTERDOMAIN -> {
                if (!call.read(handle, BindInterdomain.LAYOUT)) {
                    return -EFAULT;
                }
                return port(call, handle, BindInterdomain.LAYOUT, BindInterdomain.LOCAL_PORT,
                        operations.bindInterdomain(caller,
                                call.get16(BindInterdomain.REMOTE_DOM), call.get32(BindInterdomain.REMOTE_PORT)));
            }
            case EventChannel.EVTCHNOP_BIND_VIRQ -> {
                if (!call.read(handle, BindVirq.LAYOUT)) {
                    return -EFAULT;
                }
                return port(call, handle, BindVirq.LAYOUT, BindVirq.PORT,
                        operations.bindVirq(caller, unsigned(call, BindVirq.VIRQ),
                                unsigned(call, BindVirq.VCPU)));
            }
            case EventChannel.EVTCHNOP_BIND_IPI -> {
                if (!call.read(handle, BindIpi.LAYOUT)) {
                    return -EFAULT;
                }
                return port(call, handle, BindIpi.LAYOUT, BindIpi.PORT,
                        operations.bindIpi(caller, unsigned(call, BindIpi.VCPU)));
            }
            case EventChannel.EVTCHNOP_BIND_PIRQ -> {
                // No domain but a hardware domain owns interrupts of devices, and none does yet.
                return call.read(handle, BindPirq.LAYOUT) ? -EPERM : -EFAULT;
            }
            case EventChannel.EVTCHNOP_CLOSE -> {
                return call.read(handle, Close.LAYOUT) ? operations.close(caller, unsigned(call, Close.PORT)) : -EFAULT;
            }
            case EventChannel.EVTCHNOP_SEND -> {
                return call.read(handle, Send.LAYOUT) ? operations.send(caller, unsigned(call, Send.PORT)) : -EFAULT;
            }
            case EventChannel.EVTCHNOP_STATUS -> {
                return call.read(handle, Status.LAYOUT) ? status(call, handle) : -EFAULT;
            }
            case EventChannel.EVTCHNOP_BIND_VCPU -> {
                return call.read(handle, BindVcpu.LAYOUT)
                        ? operations.bindVcpu(caller, unsigned(call, BindVcpu.PORT), unsigned(call, BindVcpu.VCPU))
                        : -EFAULT;
            }
            case EventChannel.EVTCHNOP_UNMASK -> {
                return call.read(handle, Unmask.LAYOUT)
                        ? operations.unmask(caller, unsigned(call, Unmask.PORT))
                        : -EFAULT;
            }
            case EventChannel.EVTCHNOP_RESET -> {
                return reset(call, handle, false);
            }
            case EventChannel.EVTCHNOP_RESET_CONT -> {
                return reset(call, handle, true);
            }
            case EventChannel.EVTCHNOP_INIT_CONTROL -> {
                return call.read(handle, InitControl.LAYOUT) ? initControl(call, handle) : -EFAULT;
            }
            case EventChannel.EVTCHNOP_EXPAND_ARRAY -> {
                return call.read(handle, ExpandArray.LAYOUT)
                        ? operations.expandArray(caller, call.get64(ExpandArray.ARRAY_GFN))
                        : -EFAULT;
            }
            case EventChannel.EVTCHNOP_SET_PRIORITY -> {
                return call.read(handle, SetPriority.LAYOUT)
                        ? operations.setPriority(caller, unsigned(call, SetPriority.PORT),
                                unsigned(call, SetPriority.PRIORITY))
                        : -EFAULT;
            }
            default -> {
                return -ENOSYS;
            }
        }
    }

    private static long unsigned(Call call, int offset) {
        return call.get32(offset) & 0xffff_ffffL;
    }

    private long reset(Call call, long handle, boolean goingOn) {
        if (!call.read(handle, Reset.LAYOUT)) {
            return -EFAULT;
        }
        int rc = operations.reset(call.domain, call.get16(Reset.DOM), goingOn, call.preempt);
        if (rc == -ERESTART) {
            call.arguments[0] = EventChannel.EVTCHNOP_RESET_CONT;
            return Call.RESTART;
        }
        return rc;
    }

    private long initControl(Call call, long handle) {
        int rc = operations.initControl(call.domain, unsigned(call, InitControl.VCPU),
                call.get64(InitControl.CONTROL_GFN), unsigned(call, InitControl.OFFSET));
        if (rc != 0) {
            return rc;
        }
        call.buffer[InitControl.LINK_BITS] = EventChannel.EVTCHN_FIFO_LINK_BITS;
        return call.write(handle, InitControl.LAYOUT) ? 0 : -EFAULT;
    }

    /** Tells the caller the port that an operation made; a port that cannot be told is closed again. */
    private long port(Call call, long handle, Struct layout, int offset, int result) {
        if (result < 0) {
            return result;
        }
        if (!call.writeBack32(handle, layout, offset, result)) {
            operations.close(call.domain, result);
            return -EFAULT;
        }
        return 0;
    }

    private long status(Call call, long handle) {
        int domid = call.get16(Status.DOM);
        long port = unsigned(call, Status.PORT);
        Domain target = operations.statusTarget(call.domain, domid);
        if (target == null) {
            return operations.statusError(call.domain, domid);
        }
        EventPorts ports = target.events;
        int status = ports.status(port);
        if (status < 0) {
            return -EINVAL;
        }
        int known = (int) port;
        call.put32(Status.STATUS, status);
        call.put32(Status.VCPU, ports.vcpuOf(known));
        switch (status) {
            case EventChannel.EVTCHNSTAT_UNBOUND -> call.put32(Status.UNBOUND_DOM, ports.peerOf(known));
            case EventChannel.EVTCHNSTAT_INTERDOMAIN -> {
                call.put32(Status.INTERDOMAIN_DOM, ports.peerOf(known));
                call.put32(Status.INTERDOMAIN_PORT, ports.peerPortOf(known));
            }
            case EventChannel.EVTCHNSTAT_VIRQ -> call.put32(Status.VIRQ, ports.peerOf(known));
            default -> {
                // Closed ports and IPIs have no more to tell.
            }
        }
        return call.write(handle, Status.LAYOUT) ? 0 : -EFAULT;
    }
}
