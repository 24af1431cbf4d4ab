package dev.xenolith.hypervisor.time;

/**
 * What the hypervisor's work costs in nanoseconds of machine time: taken out of the processor's turn and the vCPU's run time, so
 * that time passes while Java works for a guest and nobody works for nothing.
 */
public final class Charges {
    /** Entering and leaving the hypervisor: the cost of a null hypercall. */
    public static final long HYPERCALL = 250;
    /** One element of an operation over a guest-controlled count. */
    public static final long ELEMENT = 60;
    /** Copying one frame for a toolstack. */
    public static final long FRAME = 500;
    /** Delivering a trap, event or system call to a guest's kernel. */
    public static final long BOUNCE = 200;
    /** Emulating one privileged instruction. */
    public static final long EMULATION = 800;
    /** Giving a processor to another vCPU. */
    public static final long SWITCH = 500;
    /** An interrupt taken by the hypervisor itself. */
    public static final long INTERRUPT = 150;
    /** Calling one handler of a Java domain; it charges its own work in addition. */
    public static final long HANDLER = 500;

    private Charges() {
    }
}
