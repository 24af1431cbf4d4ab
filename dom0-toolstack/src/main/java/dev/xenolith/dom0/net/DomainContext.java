package dev.xenolith.dom0.net;

import dev.xenolith.device.board.ClockMode;
import dev.xenolith.device.board.Machine;
import dev.xenolith.hypervisor.operations.DomainHandle;
import java.security.SecureRandom;
import java.util.random.RandomGenerator;

/** The network's context in a real host. */
final class DomainContext implements NetworkContext {
    private final Machine machine;
    private final DomainHandle domain;
    private final RandomGenerator random;

    DomainContext(Machine machine, DomainHandle domain) {
        this.machine = machine;
        this.domain = domain;
        random = machine.configuration().clockMode() == ClockMode.REAL ? new SecureRandom() : machine.random("network");
    }

    @Override
    public long now() {
        return domain.now();
    }

    @Override
    public DomainHandle.Timer at(long deadline, Runnable handler) {
        return domain.at(deadline, handler);
    }

    @Override
    public void post(Runnable message) {
        machine.post(() -> domain.post(message));
    }

    @Override
    public void charge(long nanoseconds) {
        domain.charge(nanoseconds);
    }

    @Override
    public RandomGenerator random() {
        return random;
    }
}
