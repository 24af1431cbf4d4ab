package dev.xenolith.dom0.testrun;

import dev.xenolith.dom0.testrun.RunResult.Outcome;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs tests, several at a time, each on a host of its own. */
public final class TestRunner {
    private static final Logger LOG = LoggerFactory.getLogger(TestRunner.class);

    /** Is told of progress, by any thread, one at a time. */
    public interface Listener {
        void started(TestRun run);

        void ended(RunResult result);
    }

    private final GuestHost.Factory hosts;
    private final TestLimits limits;
    private final int jobs;
    private final Listener listener;
    private final Set<RunExecution> underWay = new HashSet<>();
    private boolean interrupted;

    /**
     * Makes a runner.
     *
     * @param jobs how many runs there are at a time, at least 1
     */
    public TestRunner(GuestHost.Factory hosts, TestLimits limits, int jobs, Listener listener) {
        this.hosts = hosts;
        this.limits = limits;
        this.jobs = jobs;
        this.listener = listener;
    }

    /** Runs them all; returns the results in the order of the runs. */
    public List<RunResult> run(List<TestRun> runs) throws InterruptedException {
        List<RunResult> results = new ArrayList<>();
        try (ExecutorService workers = Executors.newFixedThreadPool(jobs,
                Thread.ofPlatform().name("test-", 1).daemon().factory())) {
            List<Future<RunResult>> futures = new ArrayList<>();
            for (TestRun run : runs) {
                futures.add(workers.submit(() -> execute(run)));
            }
            try {
                for (Future<RunResult> future : futures) {
                    results.add(future.get());
                }
            } catch (ExecutionException e) {
                throw new IllegalStateException("a run failed in a way that is not a result", e.getCause());
            } finally {
                // After all have ended there is nothing to interrupt.
                interrupt();
            }
        }
        return results;
    }

    /** Brings the runs that are under way to their ends, soon, and starts no more. Any thread. */
    public void interrupt() {
        List<RunExecution> executions;
        synchronized (this) {
            interrupted = true;
            executions = List.copyOf(underWay);
        }
        executions.forEach(RunExecution::interrupt);
    }

    private RunResult execute(TestRun run) {
        if (run.test().expectation() instanceof Expectation.Skip(String why)) {
            return tell(RunResult.withoutRun(run, Outcome.SKIPPED, why));
        }
        RunExecution execution = new RunExecution(run, limits, hosts);
        synchronized (this) {
            if (interrupted) {
                return RunResult.withoutRun(run, Outcome.INTERRUPTED, "not run");
            }
            underWay.add(execution);
            listener.started(run);
        }
        RunResult result;
        try {
            result = execution.execute();
        } catch (RuntimeException | Error e) {
            LOG.error("BUG: the run of {} failed", run.id(), e);
            result = RunResult.withoutRun(run, Outcome.ERROR, "BUG: " + e);
        }
        synchronized (this) {
            underWay.remove(execution);
        }
        return tell(result);
    }

    private synchronized RunResult tell(RunResult result) {
        listener.ended(result);
        return result;
    }
}
