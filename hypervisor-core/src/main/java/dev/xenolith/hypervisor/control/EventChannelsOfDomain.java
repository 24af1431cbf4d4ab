package dev.xenolith.hypervisor.control;

import static dev.xenolith.hypervisor.abi.Errno.ESRCH;

import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.EventOperations;
import dev.xenolith.hypervisor.domain.JavaVcpu;
import dev.xenolith.hypervisor.operations.EventChannels;

/** Event channels of one Java domain. */
final class EventChannelsOfDomain implements EventChannels {
    private final Domain domain;
    private final JavaVcpu vcpu;
    private final EventOperations operations;

    EventChannelsOfDomain(Domain domain, JavaVcpu vcpu, EventOperations operations) {
        this.domain = domain;
        this.vcpu = vcpu;
        this.operations = operations;
    }

    @Override
    public int allocUnbound(int remote) {
        return domain.isDying() ? -ESRCH : operations.allocUnbound(domain, Xen.DOMID_SELF, remote);
    }

    @Override
    public int allocUnboundFor(int domid, int remote) {
        return domain.isDying() ? -ESRCH : operations.allocUnbound(domain, domid, remote);
    }

    @Override
    public int bindInterdomain(int remote, int remotePort) {
        return domain.isDying() ? -ESRCH : operations.bindInterdomain(domain, remote, remotePort);
    }

    @Override
    public int bindVirq(int virq) {
        return domain.isDying() ? -ESRCH : operations.bindVirq(domain, virq, 0);
    }

    @Override
    public int close(int port) {
        return domain.isDying() ? -ESRCH : operations.close(domain, port);
    }

    @Override
    public int send(int port) {
        return domain.isDying() ? -ESRCH : operations.send(domain, port);
    }

    @Override
    public void onEvent(int port, Runnable handler) {
        vcpu.onEvent(port, handler);
    }
}
