package dev.xenolith.hypervisor.schedule;

import org.jspecify.annotations.Nullable;

/** A domain as the scheduler sees it: the parameters that its units share. */
public final class SchedDomain {
    public static final int DEFAULT_WEIGHT = 256;
    public static final int MIN_WEIGHT = 1;
    public static final int MAX_WEIGHT = 65535;

    public final int domid;
    /** 1..65535; how much processor time in proportion to others. */
    int weight = DEFAULT_WEIGHT;
    /** Most processor time in percent of one processor; 0 for no limit. */
    int cap;
    /** The scheduler's own state of the domain. */
    @Nullable
    Object privateState;

    public SchedDomain(int domid) {
        this.domid = domid;
    }

    public int weight() {
        return weight;
    }

    public int cap() {
        return cap;
    }
}
