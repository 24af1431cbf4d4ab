package dev.xenolith.dom0.testrun;

/**
 * How a run ended.
 *
 * @param reason one line; empty if it passed
 * @param hostNanos how long it took, in ns of host time
 * @param machineNanos how long it took, in ns of machine time
 * @param audits how often the hypervisor was audited
 * @param console everything the guest said, or the last of it
 * @param log the hypervisor's console
 */
public record RunResult(TestRun run, Outcome outcome, String reason, long hostNanos, long machineNanos, int audits,
        String console, String log) {
    /** What can come out. */
    public enum Outcome {
        /** As expected. */
        PASSED,
        /** The guest did not do what was expected of it. */
        FAILED,
        /** It did not come to an end in time. */
        TIMEOUT,
        /** Something is wrong with the host: it does not boot, its audit finds something, it shows a defect. */
        ERROR,
        /** Not to be run. */
        SKIPPED,
        /** Not run, or not to its end, because somebody interrupted the command. */
        INTERRUPTED
    }

    /** Returns whether something is wrong. */
    public boolean isBad() {
        return outcome == Outcome.FAILED || outcome == Outcome.TIMEOUT || outcome == Outcome.ERROR;
    }

    static RunResult withoutRun(TestRun run, Outcome outcome, String reason) {
        return new RunResult(run, outcome, reason, 0, 0, 0, "", "");
    }
}
