package dev.xenolith.dom0.testrun;

import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.testrun.RunResult.Outcome;
import dev.xenolith.dom0.xl.DomainEvent;
import dev.xenolith.dom0.xl.DomainInfo;
import dev.xenolith.dom0.xl.NoSuchDomainException;
import dev.xenolith.dom0.xl.Toolstack;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.VcpuInfo;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** One run from the boot of its host to the last audit. */
final class RunExecution implements GuestHost.Watcher {
    /** So long may a host take, in seconds, over what has to be done when the guest has ended. */
    private static final long PATIENCE_SECONDS = 20;
    private static final int POLL_MILLIS = 2;

    private final TestRun run;
    private final TestLimits limits;
    private final GuestHost.Factory hosts;
    private final Judge judge;

    // Guarded by this.
    private final Set<Integer> closed = new HashSet<>();
    private final List<String> findings = new ArrayList<>();
    private int audits;
    private boolean timeIsUp;
    private boolean interrupted;
    private boolean machineEnded;
    private @Nullable String noDomain;
    private @Nullable String defect;

    RunExecution(TestRun run, TestLimits limits, GuestHost.Factory hosts) {
        this.run = run;
        this.limits = limits;
        this.hosts = hosts;
        judge = new Judge(run.test().expectation(), run.test().config().lifecycle());
    }

    // ---- what the host tells ----

    @Override
    public synchronized void said(byte[] bytes, int offset, int length) {
        judge.said(bytes, offset, length);
        if (judge.isOver()) {
            notifyAll();
        }
    }

    @Override
    public synchronized void closed(int domid) {
        closed.add(domid);
        notifyAll();
    }

    @Override
    public synchronized void happened(DomainEvent event) {
        judge.happened(event);
        notifyAll();
    }

    @Override
    public synchronized void audited(List<String> found) {
        audits++;
        findings.addAll(found);
    }

    @Override
    public synchronized void notCreated(String why) {
        noDomain = why;
        notifyAll();
    }

    @Override
    public synchronized void machineTimeIsUp() {
        timeIsUp = true;
        notifyAll();
    }

    @Override
    public synchronized void bug(String what) {
        if (defect == null) {
            defect = what;
        }
    }

    @Override
    public synchronized void machineEnded(String why) {
        bug(why);
        machineEnded = true;
        notifyAll();
    }

    /** Brings the run to its end, soon. Any thread. */
    synchronized void interrupt() {
        interrupted = true;
        notifyAll();
    }

    // ---- the run ----

    /** Runs it; returns when its host is gone, or has been given up. */
    RunResult execute() {
        try (DiskOverlays disks = new DiskOverlays(run.test().config())) {
            return execute(disks.config());
        } catch (IOException e) {
            return RunResult.withoutRun(run, Outcome.ERROR, "disk: " + e.getMessage());
        }
    }

    private RunResult execute(DomainConfig config) {
        long start = System.nanoTime();
        GuestHost host;
        try {
            host = hosts.boot(new GuestHost.Request(config, run.seed(), run.cpu(),
                    TimeUnit.SECONDS.toNanos(limits.machineSeconds())), this);
        } catch (ToolstackException e) {
            return RunResult.withoutRun(run, Outcome.ERROR, e.line());
        }
        Outcome outcome;
        String reason = "";
        String log = "";
        long machineNanos = 0;
        try {
            outcome = await(start + TimeUnit.SECONDS.toNanos(limits.hostSeconds()));
            reason = switch (outcome) {
                case TIMEOUT -> timeout(host);
                case ERROR -> noDomain == null ? "" : noDomain;
                case INTERRUPTED -> "interrupted";
                default -> "";
            };
            within(() -> {
                settle(host);
                return true;
            });
            machineNanos = within(host::machineNanos);
            log = within(() -> host.toolstack().consoleRing(false));
            if (outcome == Outcome.PASSED) {
                reason = judge();
                outcome = reason.isEmpty() ? Outcome.PASSED : Outcome.FAILED;
            }
            String wrong = within(() -> hostFailure(host));
            if (!wrong.isEmpty()) {
                reason = reason.isEmpty() ? wrong : wrong + "; " + reason;
                outcome = Outcome.ERROR;
            }
            within(() -> {
                host.close();
                return true;
            });
        } catch (TimeoutException e) {
            outcome = Outcome.ERROR;
            reason = "the host hangs" + (reason.isEmpty() ? "" : "; " + reason);
            log = log + "the machine thread:\n" + host.machineThread();
        } catch (ExecutionException e) {
            outcome = Outcome.ERROR;
            reason = hostFailure(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            outcome = Outcome.INTERRUPTED;
            reason = "interrupted";
        }
        synchronized (this) {
            return new RunResult(run, outcome, reason, System.nanoTime() - start, machineNanos, audits,
                    judge.console().toString(), log);
        }
    }

    /** Why a host fails to answer: the defect that it has shown, if it has. */
    private synchronized String hostFailure(@Nullable Throwable cause) {
        if (defect != null) {
            return defect;
        }
        return "the host fails: " + (cause instanceof ToolstackException known ? known.line() : cause);
    }

    /** Waits for the end. PASSED means that there is something to judge. */
    private synchronized Outcome await(long deadline) throws InterruptedException {
        while (true) {
            if (noDomain != null || machineEnded) {
                return Outcome.ERROR;
            }
            if (judge.isOver()) {
                return Outcome.PASSED;
            }
            if (interrupted) {
                return Outcome.INTERRUPTED;
            }
            long left = deadline - System.nanoTime();
            if (timeIsUp || left <= 0) {
                return Outcome.TIMEOUT;
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
    }

    private String timeout(GuestHost host) throws InterruptedException {
        boolean ofMachine;
        int domid;
        synchronized (this) {
            ofMachine = timeIsUp;
            domid = judge.domid();
        }
        String limit = ofMachine
                ? limits.machineSeconds() + " s of machine time"
                : limits.hostSeconds() + " s of host time";
        try {
            List<String> vcpus = within(
                    () -> host.toolstack().vcpus(domid).stream().map(RunExecution::describe).toList());
            return "not at its end after " + limit + "; " + String.join(", ", vcpus);
        } catch (ExecutionException | TimeoutException e) {
            return "not at its end after " + limit + "; the host does not answer";
        }
    }

    private static String describe(VcpuInfo vcpu) {
        String state = !vcpu.online()
                ? "is offline"
                : vcpu.running() ? "runs" : vcpu.blocked() ? "is blocked" : "waits";
        return "vCPU " + vcpu.vcpu() + " " + state + " after " + vcpu.cpuTimeNanos() / 1_000_000 + " ms";
    }

    /** Ends every domain; returns when they are gone and the consoles closed. */
    private void settle(GuestHost host) throws InterruptedException {
        Toolstack toolstack = host.toolstack();
        while (true) {
            List<DomainInfo> guests = toolstack.domains().stream().filter(d -> d.domid() != 0).toList();
            if (guests.isEmpty()) {
                break;
            }
            for (DomainInfo guest : guests) {
                try {
                    toolstack.destroy(guest.domid());
                } catch (NoSuchDomainException e) {
                    // It went by itself.
                }
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
        synchronized (this) {
            while (judge.domid() >= 0 && !closed.contains(judge.domid())) {
                wait();
            }
        }
        host.audit();
    }

    private synchronized String judge() {
        return judge.failure();
    }

    /** What is wrong with the host after all domains have gone; nothing if all is well. */
    private String hostFailure(GuestHost host) {
        List<String> found;
        String known;
        synchronized (this) {
            found = List.copyOf(findings);
            known = defect;
        }
        if (host.bugs() > 0) {
            return host.toolstack().consoleRing(false).lines().filter(line -> line.contains("BUG: ")).findFirst()
                    .map(line -> line.substring(line.indexOf("BUG: "))).orElse("BUG: of the hypervisor");
        }
        if (known != null) {
            return known;
        }
        if (!found.isEmpty()) {
            return "the audit finds: " + found.getFirst()
                    + (found.size() > 1 ? ", and " + (found.size() - 1) + " more" : "");
        }
        long lost = host.freeKiBAtBoot() - host.freeKiB();
        return lost != 0 ? lost + " KiB of memory were not given back" : "";
    }

    /** Asks the host something; a host that hangs is waited for so long and no longer. */
    private static <T> T within(Callable<T> question)
            throws InterruptedException, ExecutionException, TimeoutException {
        FutureTask<T> task = new FutureTask<>(question);
        Thread.ofVirtual().start(task);
        try {
            return task.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } finally {
            task.cancel(true);
        }
    }
}
