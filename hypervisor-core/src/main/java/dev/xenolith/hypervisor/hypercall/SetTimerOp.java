package dev.xenolith.hypervisor.hypercall;

/** set_timer_op: VIRQ_TIMER on the calling vCPU at an absolute time of its domain in ns; 0 for never. */
public final class SetTimerOp implements Handler {
    @Override
    public long call(Call call) {
        long deadline = call.argument(0);
        if (deadline == 0) {
            call.vcpu.timers().stopSingleshot();
        } else {
            // What looks like a time before the host began is far in the future: Linux asks so when it has nothing to do.
            call.vcpu.timers().setSingleshot(deadline < 0 ? Long.MAX_VALUE / 2 : deadline);
        }
        return 0;
    }
}
