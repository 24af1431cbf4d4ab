package dev.xenolith.dom0.xl;

/** Why a domain stopped by itself: SHUTDOWN_* of xen/include/public/sched.h, which the ordinals equal. */
public enum ShutdownReason {
    /** Clean shutdown. */
    POWEROFF('-'),
    /** The guest asks to be started again. */
    REBOOT('r'),
    /** The guest has put itself away for save or migration. */
    SUSPEND('s'),
    /** The guest says, or the hypervisor found, that it cannot go on. */
    CRASH('c'),
    /** The guest's watchdog ran out. */
    WATCHDOG('w'),
    /** The guest asks for a reset that keeps its memory. */
    SOFT_RESET('S');

    private final char letter;

    ShutdownReason(char letter) {
        this.letter = letter;
    }

    /** Returns the letter of the State column of {@code xl list}. */
    public char letter() {
        return letter;
    }

    /** Returns the number that the guest passed to SCHEDOP_shutdown, 0..5. */
    public int code() {
        return ordinal();
    }

    /** Returns the reason for a number; the hypervisor refuses numbers outside 0..5 before they get here. */
    public static ShutdownReason of(int code) {
        return values()[code];
    }
}
