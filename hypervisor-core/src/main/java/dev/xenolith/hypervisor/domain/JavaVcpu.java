package dev.xenolith.hypervisor.domain;

import dev.xenolith.hypervisor.abi.EventChannel;
import dev.xenolith.hypervisor.event.Delivery;
import dev.xenolith.hypervisor.time.TimerQueue;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a vCPU of a Java domain executes: handlers, each to its end, in the order in which events, timers and
 * {@link #post} made them ready. A port whose handler is ready and has not run yet is pending; it becomes ready once.
 */
public final class JavaVcpu implements Delivery {
    private final Vcpu vcpu;
    private final Dispatcher dispatcher;
    private final ArrayDeque<Runnable> ready = new ArrayDeque<>();
    private final BitSet pending = new BitSet();
    private final Map<Integer, Runnable> portHandlers = new HashMap<>();
    private boolean ended;

    JavaVcpu(Vcpu vcpu, Dispatcher dispatcher) {
        this.vcpu = vcpu;
        this.dispatcher = dispatcher;
    }

    /** Makes {@code handler} ready. */
    public void post(Runnable handler) {
        if (!ended) {
            ready.add(handler);
            dispatcher.unblock(vcpu);
        }
    }

    /** Makes {@code handler} ready when the domain's clock reaches {@code deadline}; a domain that is paused then, when it goes on. */
    public TimerQueue.Timer at(long deadline, Runnable handler) {
        TimerQueue.Timer timer = new TimerQueue.Timer() {
            @Override
            protected void expired(long now) {
                if (vcpu.domain.clock.at(now) >= deadline || vcpu.domain.clock.isStopped()) {
                    post(handler);
                } else {
                    dispatcher.timers(0).set(this, vcpu.domain.clock.toMachine(deadline));
                }
            }
        };
        if (!ended) {
            dispatcher.timers(0).set(timer, vcpu.domain.clock.toMachine(deadline));
        }
        return timer;
    }

    /** Names the handler of a port; null forgets it. It is ready at once if the port is pending. */
    public void onEvent(int port, @Nullable Runnable handler) {
        if (handler == null) {
            portHandlers.remove(port);
        } else {
            portHandlers.put(port, handler);
            if (pending.get(port)) {
                post(() -> runPort(port));
            }
        }
    }

    /** Whether there is a handler to run. */
    public boolean isReady() { return !ready.isEmpty(); }

    /** Runs the oldest ready handler; there is one. */
    public void runNext() {
        ready.remove().run();
    }

    /** The domain is gone: nothing runs any more. */
    void end() {
        ended = true;
        ready.clear();
        portHandlers.clear();
    }

    private void runPort(int port) {
        if (pending.get(port)) {
            Runnable handler = portHandlers.get(port);
            if (handler != null) {
                pending.clear(port);
                handler.run();
            }
        }
    }

    // ---- Delivery ----------------------------------------------------------------------------------------------------

    @Override
    public int limit() {
        return EventChannel.EVTCHN_FIFO_NR_CHANNELS;
    }

    @Override
    public void setPending(int port, int onVcpu) {
        if (!pending.get(port)) {
            pending.set(port);
            if (portHandlers.containsKey(port)) {
                post(() -> runPort(port));
            }
        }
    }

    @Override
    public void close(int port) {
        pending.clear(port);
        portHandlers.remove(port);
    }

    @Override
    public boolean isPending(int port) {
        return pending.get(port);
    }

    @Override
    public boolean isMasked(int port) {
        return false;
    }

    @Override
    public void unmask(int port, int onVcpu) {
        // Ports of Java domains are never masked.
    }
}
