package dev.xenolith.dom0.net;

import dev.xenolith.device.board.Machine;
import dev.xenolith.hypervisor.operations.DomainHandle;
import java.util.random.RandomGenerator;

/**
 * What the network needs of the machine and of the domain whose handlers it consists of: time, timers, a way in for other
 * threads. Narrow, so that tests need neither.
 */
public interface NetworkContext {
    /** Nanoseconds of machine time. Machine thread only. */
    long now();

    /** Runs {@code handler} on the machine thread at time {@code deadline} (ns). Machine thread only. */
    DomainHandle.Timer at(long deadline, Runnable handler);

    /** Runs {@code message} on the machine thread soon. Any thread; messages of one thread keep their order. */
    void post(Runnable message);

    /** Accounts work done for guests: {@code nanoseconds} of machine time. Machine thread only. */
    void charge(long nanoseconds);

    /** A generator for what must not be guessed, such as initial sequence numbers; with a virtual clock derived from the seed. */
    RandomGenerator random();

    /** The context of a domain on a machine: handlers run on the domain's vCPU. */
    static NetworkContext of(Machine machine, DomainHandle domain) {
        return new DomainContext(machine, domain);
    }

    /** The context of a bare machine. */
    static NetworkContext of(Machine machine) {
        return new BoardContext(machine);
    }
}
