package dev.xenolith.hypervisor.domain;

/** Who may do what: Xen's default policy (xen/include/xsm/dummy.h). */
public final class Access {
    private Access() {
    }

    /** XSM_TARGET: on itself, or with the privilege over other domains. */
    public static boolean toTarget(Domain caller, Domain target) {
        return caller == target || caller.privileged;
    }

    /** XSM_PRIV: what only a privileged domain may do. */
    public static boolean isPrivileged(Domain caller) {
        return caller.privileged;
    }
}
