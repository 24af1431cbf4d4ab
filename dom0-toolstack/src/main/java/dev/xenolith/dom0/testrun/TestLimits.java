package dev.xenolith.dom0.testrun;

/**
 * How long a run may take; what comes first ends it.
 *
 * @param hostSeconds of the host's time
 * @param machineSeconds of machine time, of which idle guests use much in no time
 */
public record TestLimits(long hostSeconds, long machineSeconds) {
}
