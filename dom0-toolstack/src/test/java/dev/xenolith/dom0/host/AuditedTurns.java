package dev.xenolith.dom0.host;

import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.device.board.Supervisor;
import dev.xenolith.hypervisor.Hypervisor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Stands between the machine and the hypervisor and audits it every 100,000 hypercalls of all domains together. */
final class AuditedTurns implements Supervisor {
    private static final long EVERY = 100_000;

    private @Nullable Hypervisor booted;
    private long next = EVERY;
    private int count;
    private final List<String> findings = new ArrayList<>();

    /** To be given to {@link BootHooks#withSupervisor}. */
    Supervisor of(Supervisor hypervisor) {
        booted = (Hypervisor) hypervisor;
        return this;
    }

    private Hypervisor hypervisor() {
        return Objects.requireNonNull(booted);
    }

    @Override
    public boolean turn(Processor processor, long budget) {
        Hypervisor hypervisor = hypervisor();
        boolean busy = hypervisor.turn(processor, budget);
        if (hypervisor.hypercalls() >= next) {
            next = hypervisor.hypercalls() + EVERY;
            count++;
            findings.addAll(hypervisor.audit());
        }
        return busy;
    }

    @Override
    public boolean contain(Processor processor, Throwable bug) {
        return hypervisor().contain(processor, bug);
    }

    /** How many audits there have been. To be asked when the machine has ended, as {@link #findings}. */
    int count() {
        return count;
    }

    List<String> findings() {
        return findings;
    }
}
