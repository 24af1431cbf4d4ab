package dev.xenolith.dom0.testrun;

import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.xl.DomainEvent;
import dev.xenolith.dom0.xl.Toolstack;
import java.util.List;

/** A host that has been booted for one run, and creates the run's domain as its first act. */
public interface GuestHost extends AutoCloseable {
    /**
     * What a run wants of its host.
     *
     * @param config the domain that is created and started, at the same instant of machine time for each seed
     * @param machineNanos machine time after which {@link Watcher#machineTimeIsUp} is called, from the start on
     */
    record Request(DomainConfig config, long seed, String cpu, long machineNanos) {
    }

    /** Is told what happens, on the host's machine thread: must neither block nor throw. */
    interface Watcher {
        /** Output of a domain's console. */
        void said(byte[] bytes, int offset, int length);

        /** A domain's console is closed: no more output of it will come. */
        void closed(int domid);

        /** A domain came, stopped, or went. */
        void happened(DomainEvent event);

        /** The hypervisor was audited, after a domain has gone; {@code findings} says what is wrong. */
        void audited(List<String> findings);

        /** There is no domain, and why. */
        void notCreated(String why);

        /** The machine time that was asked for is over. */
        void machineTimeIsUp();

        /** The machine has stopped by itself, which only a defect makes it do. */
        void machineEnded(String why);

        /** A defect of dom0's services or of the machine, in the words of the log. */
        void bug(String what);
    }

    /** Boots hosts. */
    @FunctionalInterface
    interface Factory {
        /**
         * Boots a host.
         *
         * @throws dev.xenolith.dom0.xl.ToolstackException if it does not boot, with one line for the user
         */
        GuestHost boot(Request request, Watcher watcher);
    }

    /** The operations of {@code xl}. */
    Toolstack toolstack();

    /** Has the hypervisor audited; {@link Watcher#audited} is told before this returns. */
    void audit();

    /** How many defects the hypervisor has shown. */
    long bugs();

    /** Memory that belongs to nobody, in KiB. */
    long freeKiB();

    /** What {@link #freeKiB} was before there was a domain. */
    long freeKiBAtBoot();

    /** Machine time since the host started, in ns. */
    long machineNanos();

    /** What the machine thread does at this moment, for reports of a host that hangs; one line per frame. */
    String machineThread();

    /** Destroys all domains and stops the machine. */
    @Override
    void close();
}
