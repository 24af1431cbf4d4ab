package dev.xenolith.hypervisor.control;

import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.JavaVcpu;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.DomainDebug;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.EventChannels;
import dev.xenolith.hypervisor.operations.Grants;
import dev.xenolith.hypervisor.operations.HostControl;
import dev.xenolith.hypervisor.time.TimerQueue;
import java.util.function.Consumer;

/** The door of one Java domain: everything done through it is done in the domain's name and stops working when it dies. */
final class Handle implements DomainHandle {
    private final Domain domain;
    private final JavaVcpu vcpu;
    private final MachineClock clock;
    private final Consumer<Runnable> deaths;
    private final EventChannels events;
    private final Grants grants;
    private final DomainControl control;
    private final DomainDebug debug;
    private final HostControl host;

    /** @param deaths takes what is to be done when the domain's destruction begins */
    Handle(Domain domain, JavaVcpu vcpu, MachineClock clock, Consumer<Runnable> deaths, EventChannels events,
            Grants grants, DomainControl control, DomainDebug debug, HostControl host) {
        this.domain = domain;
        this.vcpu = vcpu;
        this.clock = clock;
        this.deaths = deaths;
        this.events = events;
        this.grants = grants;
        this.control = control;
        this.debug = debug;
        this.host = host;
    }

    @Override
    public int domid() {
        return domain.domid;
    }

    @Override
    public long now() {
        return domain.clock.at(clock.now());
    }

    @Override
    public void post(Runnable handler) {
        vcpu.post(handler);
    }

    @Override
    public Timer at(long deadline, Runnable handler) {
        TimerQueue.Timer timer = vcpu.at(deadline, handler);
        return timer::stop;
    }

    @Override
    public void charge(long nanoseconds) {
        clock.advance(nanoseconds);
    }

    @Override
    public void whenDying(Runnable action) {
        deaths.accept(action);
    }

    @Override
    public EventChannels events() {
        return events;
    }

    @Override
    public Grants grants() {
        return grants;
    }

    @Override
    public DomainControl control() {
        return control;
    }

    @Override
    public DomainDebug debug() {
        return debug;
    }

    @Override
    public HostControl host() {
        return host;
    }
}
