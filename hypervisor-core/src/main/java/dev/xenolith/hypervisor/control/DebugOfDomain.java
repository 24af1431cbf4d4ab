package dev.xenolith.hypervisor.control;

import static dev.xenolith.hypervisor.abi.Errno.EBUSY;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;
import static dev.xenolith.hypervisor.abi.Errno.ESRCH;

import dev.xenolith.cpu.processor.DebugPoints;
import dev.xenolith.hypervisor.domain.Access;
import dev.xenolith.hypervisor.domain.DebugSession;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.JavaVcpu;
import dev.xenolith.hypervisor.operations.DomainDebug;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/** What a privileged domain may do as a debugger of others. */
final class DebugOfDomain implements DomainDebug {
    private final Domain caller;
    private final JavaVcpu vcpu;
    private final Domains domains;
    private final Map<Domain, DebugSession> sessions = new HashMap<>();

    DebugOfDomain(Domain caller, JavaVcpu vcpu, Domains domains) {
        this.caller = caller;
        this.vcpu = vcpu;
        this.domains = domains;
    }

    @Override
    public int attach(int domid, Listener listener) {
        Domain domain = domains.table.find(domid);
        if (caller.isDying() || domain == null) {
            return -ESRCH;
        }
        if (!Access.isPrivileged(caller)) {
            return -EPERM;
        }
        if (domain.kind != Domain.Kind.PV || domain.isDying() || domain.isShutDown()) {
            return -EINVAL;
        }
        if (domain.isDebugged()) {
            return -EBUSY;
        }
        sessions.put(domain, DebugSession.attach(domain, domains, new Listener() {
            @Override
            public void stopped(Event event) {
                listener.stopped(event);
            }

            @Override
            public void ended(int reason) {
                sessions.values().removeIf(DebugSession::hasEnded);
                listener.ended(reason);
            }
        }, vcpu::post));
        return 0;
    }

    /** What {@code use} returns for the caller's session with a domain. */
    private int with(int domid, ToIntFunction<DebugSession> use) {
        Domain domain = domains.table.find(domid);
        DebugSession session = domain == null ? null : sessions.get(domain);
        return session == null ? -ESRCH : use.applyAsInt(session);
    }

    @Override
    public int detach(int domid) {
        return with(domid, session -> {
            sessions.values().remove(session);
            session.detach();
            return 0;
        });
    }

    @Override
    public int setPoints(int domid, DebugPoints points) {
        return with(domid, session -> {
            session.setPoints(points);
            return 0;
        });
    }

    @Override
    public int stop(int domid) {
        return with(domid, session -> {
            session.stop();
            return 0;
        });
    }

    @Override
    public int resume(int domid, List<? extends Action> actions) {
        return with(domid, session -> session.resume(actions));
    }

    /** The caller has ended: what it debugged runs. */
    void release() {
        List.copyOf(sessions.values()).forEach(DebugSession::detach);
        sessions.clear();
    }
}
