package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;

import dev.xenolith.hypervisor.abi.EventChannel;
import dev.xenolith.hypervisor.abi.Hypercall;
import dev.xenolith.hypervisor.abi.Physdev;
import dev.xenolith.hypervisor.abi.Sched;
import dev.xenolith.hypervisor.domain.Domains;

/**
 * The forms that three hypercalls had before Xen 3.0.2 (xen/common/compat, {@code __HYPERVISOR_*_compat}): event_channel_op and
 * physdev_op took a structure that begins with the command, followed by what is the argument today; sched_op took the reason of a
 * shutdown as it is.
 */
public final class CompatOp implements Handler {
    private final Handler modern;
    private final int first;
    private final int last;
    private final boolean holdsHandles;

    /**
     * Commands {@code first} to {@code last} existed then; their argument follows the command, aligned for a guest handle if
     * {@code holdsHandles}.
     */
    private CompatOp(Handler modern, int first, int last, boolean holdsHandles) {
        this.modern = modern;
        this.first = first;
        this.last = last;
        this.holdsHandles = holdsHandles;
    }

    /** Adds all three to {@code table}, which has the present forms. */
    public static void addTo(Hypercalls.Table table, Domains domains) {
        Handler events = table.get(Hypercall.EVENT_CHANNEL_OP);
        Handler devices = table.get(Hypercall.PHYSDEV_OP);
        Handler schedule = table.get(Hypercall.SCHED_OP);
        table.add(Hypercall.EVENT_CHANNEL_OP_COMPAT,
                new CompatOp(events, EventChannel.EVTCHNOP_BIND_INTERDOMAIN, EventChannel.EVTCHNOP_UNMASK,
                        false))
                .add(Hypercall.PHYSDEV_OP_COMPAT,
                        new CompatOp(devices, Physdev.PHYSDEVOP_IRQ_STATUS_QUERY, Physdev.PHYSDEVOP_ALLOC_IRQ_VECTOR,
                                true))
                .add(Hypercall.SCHED_OP_COMPAT, call -> sched(call, schedule, domains));
    }

    @Override
    public long call(Call call) {
        long handle = call.argument(0);
        if (!call.read(handle, Integer.BYTES)) {
            return -EFAULT;
        }
        int command = call.get32(0);
        if (command < first || command > last) {
            return -ENOSYS;
        }
        call.arguments[0] = command;
        call.arguments[1] = handle + (holdsHandles ? call.wordBytes() : Integer.BYTES);
        return modern.call(call);
    }

    private static long sched(Call call, Handler modern, Domains domains) {
        switch ((int) call.argument(0)) {
            case Sched.SCHEDOP_YIELD, Sched.SCHEDOP_BLOCK -> {
                return modern.call(call);
            }
            case Sched.SCHEDOP_SHUTDOWN -> {
                int reason = (int) call.argument(1) & 0xff;
                if (reason > Sched.SHUTDOWN_MAX) {
                    return -EINVAL;
                }
                domains.shutdown(call.domain, reason);
                return 0;
            }
            default -> {
                return -ENOSYS;
            }
        }
    }
}
