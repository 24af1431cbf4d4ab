package dev.xenolith.dom0.testrun;

/**
 * One start of one test.
 *
 * @param seed of the host
 * @param cpu the model of the host's processors, intel or amd
 */
public record TestRun(GuestTest test, long seed, String cpu) {
    /** Returns what it is called where each run has to have a name of its own, such as that of a file. */
    public String id() {
        return test.name().replace('/', '-') + ".seed" + seed + "." + cpu;
    }
}
