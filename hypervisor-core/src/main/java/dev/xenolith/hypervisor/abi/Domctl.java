package dev.xenolith.hypervisor.abi;

/** xen/include/public/domctl.h: constants of operations that toolstacks use. */
public final class Domctl {
    /** What XEN_DOMCTL_sendtrigger sends. */
    public static final int SENDTRIGGER_NMI = 0;
    public static final int SENDTRIGGER_RESET = 1;
    public static final int SENDTRIGGER_INIT = 2;
    public static final int SENDTRIGGER_POWER = 3;
    public static final int SENDTRIGGER_SLEEP = 4;

    private Domctl() {
    }
}
