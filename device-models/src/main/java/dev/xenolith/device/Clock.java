package dev.xenolith.device;

/** The time a device lives by: the machine's, or a domain's that may stand still. */
public interface Clock {
    /** Deadline of a timer that is not armed. */
    long NEVER = Long.MAX_VALUE;

    /** Nanoseconds since the machine was started; never less than an earlier answer. */
    long now();

    /** A new timer, not armed. {@code expired} runs on the machine thread, once for each time the timer is armed. */
    Timer timer(Runnable expired);

    /** A moment at which a device wants to act. It is disarmed when its action begins. */
    interface Timer {
        /**
         * Arms the timer for the moment {@code deadline} of {@link Clock#now}, or disarms it with {@link Clock#NEVER}. A deadline
         * that has passed expires as soon as the instruction that led here is over.
         */
        void set(long deadline);

        /** The deadline, {@link Clock#NEVER} if the timer is not armed. */
        long deadline();

        default void cancel() {
            set(NEVER);
        }

        default boolean isArmed() { return deadline() != NEVER; }
    }
}
