package dev.xenolith.dom0.host;

import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.device.board.ClockMode;
import dev.xenolith.device.board.Supervisor;
import dev.xenolith.dom0.host.TestHost.TestGuest;
import dev.xenolith.dom0.xl.NoSuchDomainException;
import dev.xenolith.dom0.xl.Toolstack.ShutdownRequest;
import dev.xenolith.hypervisor.Hypervisor;
import dev.xenolith.hypervisor.memory.Checks;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One host with a hostile guest ({@code torture}) and those that it must not reach: {@code victim}, which verifies its own pages, and
 * a domain that has never run, which is compared by digest. Every thousand hypercalls of the hostile guest the machine stands still
 * and is audited, free memory included.
 */
final class HostileRun implements AutoCloseable {
    private static final long AUDIT_EVERY = 1000;
    /** Longest silence of the hostile guest, which reports its progress ten times: longer is a guest that hangs. */
    private static final int PATIENCE_SECONDS = 120;

    private final TestHost host;
    private final TestGuest victim;
    private final int paused;
    private final int torture;
    private final TestGuest attacker;
    private final long free;
    private final AtomicReference<Auditor> made = new AtomicReference<>();
    private final Auditor auditor;
    private final long seed;

    /** The hypervisor, looked at between turns. */
    private static final class Auditor implements Supervisor {
        private final Hypervisor hypervisor;
        private int hostile = -1;
        private int bystander = -1;
        private long bystandersMemory;
        private long next;
        private int audits;
        private volatile @Nullable String finding;

        Auditor(Hypervisor hypervisor) {
            this.hypervisor = hypervisor;
        }

        /** On the machine thread. */
        void begin(int hostileDomain, int bystanderDomain) {
            hostile = hostileDomain;
            bystander = bystanderDomain;
            bystandersMemory = hypervisor.memoryDigest(bystander);
            next = AUDIT_EVERY;
        }

        @Override
        public boolean turn(Processor processor, long budget) {
            boolean busy = hypervisor.turn(processor, budget);
            if (hostile >= 0 && hypervisor.hypercalls(hostile) >= next) {
                next = hypervisor.hypercalls(hostile) + AUDIT_EVERY;
                look();
            }
            return busy;
        }

        void look() {
            audits++;
            List<String> found = hypervisor.audit();
            if (hypervisor.memoryDigest(bystander) != bystandersMemory) {
                found.add("the memory of the paused domain has changed");
            }
            if (!found.isEmpty() && finding == null) {
                finding = "after " + hypervisor.hypercalls(hostile) + " hypercalls: " + found;
            }
        }

        @Override
        public boolean contain(Processor processor, Throwable bug) {
            if (finding == null) {
                finding = "a defect of the hypervisor: " + bug;
            }
            return hypervisor.contain(processor, bug);
        }
    }

    HostileRun(long seed, long calls, Checks checks) {
        this.seed = seed;
        HostOptions options = new HostOptions(1, 64, HostOptions.DEFAULT.cpuModel(), ClockMode.VIRTUAL,
                OptionalLong.of(seed), "dom0_mem=16M guest_loglvl=all");
        host = new TestHost(options,
                TestHost.checking(checks).withSupervisor(this::auditing));
        auditor = Objects.requireNonNull(made.get());
        free = host.freeKiB();
        victim = host.start(TestHost.config("victim", TestHost.image("victim"), "pages=1024", 1));
        paused = host.toolstack.create(TestHost.config("paused", TestHost.image("minishell"), "", 1));
        torture = host.toolstack.create(TestHost.config("torture", TestHost.image("torture"),
                "seed=" + seed + " calls=" + calls, 2));
        attacker = new TestGuest(host.toolstack, torture);
        host.host.machine().call(() -> {
            auditor.begin(torture, paused);
            return null;
        }).join();
    }

    private Supervisor auditing(Supervisor hypervisor) {
        Auditor between = new Auditor((Hypervisor) hypervisor);
        made.set(between);
        return between;
    }

    /** Lets the hostile guest do its worst. Returns the first thing that is wrong, or null if nothing is. */
    @Nullable
    String run() throws Exception {
        host.toolstack.unpause(torture);
        String said = attacker.said();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!attacker.hasEnded() && !victim.hasEnded() && auditor.finding == null) {
            if (attacker.said().length() != said.length()) {
                said = attacker.said();
                deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
            }
            if (System.nanoTime() > deadline) {
                return "the hostile guest hangs:\n" + host.toolstack.vcpus(torture) + '\n' + attacker.said();
            }
            TimeUnit.MILLISECONDS.sleep(1);
        }
        if (auditor.finding == null && !victim.hasEnded()) {
            host.awaitGone(torture);
            host.host.machine().call(() -> {
                auditor.look();
                return null;
            }).join();
        }
        if (auditor.finding != null) {
            return auditor.finding;
        }
        if (victim.hasEnded()) {
            return "the victim says:\n" + victim.said();
        }
        if (!attacker.said().contains("VERDICT torture PASS")) {
            return "the hostile guest itself came to harm:\n" + attacker.said() + host.toolstack.consoleRing(false);
        }
        try {
            host.toolstack.requestShutdown(victim.domid, ShutdownRequest.POWEROFF);
        } catch (NoSuchDomainException e) {
            // It found something and ended before anybody asked it to.
            return "the victim says:\n" + victim.awaitEnd();
        }
        String last = victim.awaitEnd();
        if (!last.contains("VERDICT victim PASS")) {
            return last;
        }
        host.awaitGone(victim.domid);
        host.toolstack.destroy(paused);
        List<String> left = host.audit();
        if (!left.isEmpty()) {
            return "when all had gone: " + left;
        }
        return host.freeKiB() == free ? null : host.freeKiB() + " KiB free, " + free + " before";
    }

    /** What the hostile guest printed: its operations and how often each ended how. */
    String table() {
        return attacker.said();
    }

    int audits() {
        return auditor.audits;
    }

    /** Switches off. A host on which something was found wrong may not be able to end its domains any more. */
    @Override
    public void close() {
        if (auditor.finding == null) {
            host.close();
        } else {
            host.host.machine().close();
        }
    }

    @Override
    public String toString() {
        return "seed " + seed;
    }
}
