package dev.xenolith.dom0.xl;

import java.nio.file.Path;

/** What is done to a running domain from outside, past its devices. Calls wait and fail as those of {@link Toolstack} do. */
public interface GuestControl {
    /** What {@link #trigger} sends; the names are those of the command line in upper case. */
    enum Trigger {
        /** A non-maskable interrupt. */
        NMI,
        /** A reset, as by a button. */
        RESET,
        /** An INIT interrupt. */
        INIT,
        /** The power button. */
        POWER,
        /** The sleep button. */
        SLEEP,
        /** The end of ACPI sleep. */
        S3RESUME
    }

    /** Asks a domain for what a key does together with Alt-SysRq: writes control/sysrq, which it removes. */
    void sysrq(int domid, char key);

    /** Sends a trigger to a virtual CPU; what the hypervisor cannot send to this type of domain is a failure. */
    void trigger(int domid, Trigger trigger, int vcpu);

    /** Writes a domain's memory and virtual CPUs to a file; returns when it is complete. After a failure there is none. */
    void dumpCore(int domid, Path file);

    /**
     * Asks a domain to suspend itself and waits until it has (SHUTDOWN_suspend). It keeps what it has and does not run until
     * {@link #resume}. A domain that does not answer is not asked any more after a minute, and the call fails.
     */
    void suspend(int domid);

    /**
     * Lets a suspended domain go on.
     *
     * @param reconnected whether its kernel is to connect to everything anew, as after a restore; else it is told that the suspend was
     *     cancelled, and nothing has changed
     */
    void resume(int domid, boolean reconnected);
}
